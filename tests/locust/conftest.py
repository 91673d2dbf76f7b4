"""The platform that Locust pays at in these tests."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.paydrill.test_command import free_ports


@pytest.fixture(scope="module")
def platform() -> Iterator[str]:
    """The URL of a reference platform with two gateways."""
    stripe, adyen, port = free_ports(3)
    command = ["mock", f"stripe:{stripe}", f"adyen:{adyen}", f"platform:{port}", "--latency", "10ms,40ms"]
    with subprocess.Popen(
        [sys.executable, "-m", "paydrill", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
