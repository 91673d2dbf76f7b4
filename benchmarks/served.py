"""The servers that a Stripe payment is measured against, each a process of its own on one core."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.payment_requests import PaymentRequests
from benchmarks.payment_servers import SERVERS, recorded_answers

COMPETITORS = Path(__file__).with_name("competitors")
LOCALSTRIPE = COMPETITORS / "venv" / "bin" / "localstripe"
WIREMOCK = COMPETITORS / "node_modules" / "wiremock" / "build" / "wiremock-standalone-3.13.2.jar"
START_S = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens on a port of 127.0.0.1, and what a payment takes there."""

    pid: int
    port: int
    requests: PaymentRequests


def installed(name: str) -> bool:
    """Whether a server can be started here; ``make competitors`` installs those that are not ours."""
    return {"localstripe": LOCALSTRIPE, "wiremock": WIREMOCK}.get(name, COMPETITORS).exists()


@contextlib.contextmanager
def serve(name: str, core: int) -> Iterator[Served]:
    """Start a server on one core; it ends with the block.

    Args:
        name: One of ``SERVERS``, ``localstripe`` or ``wiremock``.
        core: The number of the core.

    Raises:
        RuntimeError: It did not start.
    """
    if name in SERVERS:
        with _ours(name, core) as served:
            yield served
        return
    with socket.create_server(("127.0.0.1", 0)) as reserve:
        port = reserve.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = _wiremock(port, Path(folder)) if name == "wiremock" else _localstripe(port)
        with process_on(command, core) as process:
            wait_for(port, process, name)
            requests = _with_saved_card(port) if name == "localstripe" else PaymentRequests()
            yield Served(process.pid, port, requests)


@contextlib.contextmanager
def _ours(name: str, core: int) -> Iterator[Served]:
    command = [sys.executable, "-m", "benchmarks.payment_servers", name]
    with process_on(command, core, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {name} server did not start")
        yield Served(process.pid, int(line), PaymentRequests())
        process.stdin.close()
        process.wait(30)


@contextlib.contextmanager
def process_on(
    command: list[str], core: int, stdout: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is pinned to one core; it is killed with the block."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=None if stdout == subprocess.PIPE else subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def wait_for(port: int, process: subprocess.Popen[bytes], name: str) -> None:
    """Until it listens. Raises RuntimeError when it does not."""
    give_up = time.monotonic() + START_S
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the {name} server did not start")


def _localstripe(port: int) -> list[str]:
    return [str(LOCALSTRIPE), "--port", str(port), "--from-scratch"]


def _with_saved_card(port: int) -> PaymentRequests:
    """localstripe's confirmation takes no payment method, so the creation names one that was made before."""
    card = {
        "type": "card",
        "card[number]": "4242424242424242",
        "card[exp_month]": "12",
        "card[exp_year]": "2030",
        "card[cvc]": "123",
    }
    answer = httpx.post(
        f"http://127.0.0.1:{port}/v1/payment_methods", data=card, auth=("sk_test_bench", ""), trust_env=False
    )
    method = answer.raise_for_status().json()["id"]
    own = PaymentRequests()
    return PaymentRequests(own.create_body + f"&payment_method={method}".encode(), b"")


def _wiremock(port: int, folder: Path) -> list[str]:
    created, confirmed = recorded_answers()
    stubs = [_stub("/v1/payment_intents", created), _stub("/v1/payment_intents/[^/]+/confirm", confirmed)]
    (folder / "mappings").mkdir()
    (folder / "mappings" / "payment.json").write_text(json.dumps({"mappings": stubs}))
    options = ["--bind-address", "127.0.0.1", "--port", str(port), "--root-dir", str(folder)]
    # The fastest that it can be asked for: it would answer in chunks and remember every request.
    options += ["--use-chunked-encoding", "never", "--no-request-journal", "--disable-banner"]
    return ["java", "-jar", str(WIREMOCK), *options]


def _stub(path: str, body: bytes) -> dict[str, object]:
    return {
        "request": {"method": "POST", "urlPathPattern": path},
        "response": {
            "status": 200,
            "body": body.decode(),
            "headers": {"Content-Type": "application/json"},
        },
    }
