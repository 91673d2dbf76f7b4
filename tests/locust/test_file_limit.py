"""A load worker whose limit on files is too low is refused before the start, by plain Locust, too."""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.paydrill.test_command import ROOT, free_ports

DRILL = [
    "--scenario", "steady_state", "--set", "load.arrivals=[{duration: 9s, rate: 1000/s}]",
    "--set", "load.spacing=even", "--set", "objectives={}",
]  # fmt: skip


def limited(files: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


@pytest.mark.slow
def test_a_worker_that_may_open_too_few_files_is_refused(platform: str) -> None:
    (port,) = free_ports(1)
    locust = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py")]
    where = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    with subprocess.Popen(
        [*locust, "--headless", "--master", "--expect-workers", "2", *where, "--host", platform, *DRILL],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as master:
        try:
            done = subprocess.run(
                [*locust, "--worker", "--master-host", "127.0.0.1", "--master-port", str(port)],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                preexec_fn=limited(2000),
            )
        finally:
            master.send_signal(signal.SIGTERM)
            _, said = master.communicate(timeout=30)
    assert done.returncode == 2
    # 4,000 in flight at most (load.max_in_flight), two workers.
    why = "it may open 2,000 files, and needs 2,064 while the platform answers nobody; raise its limit"
    assert f"refused by the master: {why}" in done.stderr
    assert f"was refused: {why}" in said


@pytest.mark.slow
def test_a_drill_that_waits_in_vain_says_whom_it_refused_and_why(platform: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    drill = tmp_path / "drill.yaml"
    drill.write_text(
        f"name: waits\nplatform: {{url: {platform}}}\ngateways: {{}}\n"
        "load: {spacing: even, arrivals: [{duration: 9s, rate: 1000/s}]}\n"
    )
    bind = f"127.0.0.1:{port}"
    with subprocess.Popen(
        [sys.executable, "-m", "paydrill", "run", str(drill), "--out", str(tmp_path / "runs"),
         "--expect-workers", "2", "--expect-workers-max-wait", "25", "--bind", bind],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:  # fmt: skip
        try:
            subprocess.run(
                [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), "--worker",
                 "--master-host", "127.0.0.1", "--master-port", str(port)],
                capture_output=True, timeout=60, check=False, preexec_fn=limited(2000),
            )  # fmt: skip
            _, said = run.communicate(timeout=60)
        finally:
            run.kill()
    assert run.returncode == 4
    assert "0 of 2 load workers ready; a worker on " in said
    assert "was refused: it may open 2,000 files, and needs 2,064" in said
    assert "within 25 s; nothing was sent" in said
