"""The command from outside: what it prints, and its exit codes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from paydrill.__main__ import app
from scenarios.reading import names
from tests.paydrill.commands import CARD_PAYMENT

ROOT = Path(__file__).parents[2]


def paydrill(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "paydrill", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_check_says_what_would_happen_when() -> None:
    done = paydrill("check", "gateway_failover")
    assert done.returncode == 0
    assert "00:40 – 01:00  stripe: outage" in done.stdout
    assert "00:10 – 00:30  ramp: payments arrive at 50/s, changing to 400/s" in done.stdout
    assert re.search(
        r"28,\d{3} payments go to the reference platform \(100% card; 4% of them must be", done.stdout
    )
    assert "monthly uptime >= 99.9% at 10 incidents a month" in done.stdout
    assert paydrill("check", "gateway_failover").stdout == done.stdout


def test_check_shows_all_errors_and_ends_with_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\nload:\n  arrivals:\n  - {duration: 5, rate: 1/s}\ngatewys: {}\n")
    done = paydrill("check", str(bad))
    assert done.returncode == 2
    assert f"{bad}:4: load.arrivals.0.duration: 5 has no unit; write 5s or 5ms (is 5)" in done.stderr
    assert f"{bad}:5: gatewys: unknown key 'gatewys'\n    hint: did you mean gateways?" in done.stderr
    assert "Traceback" not in done.stderr


def test_list_has_a_line_for_each_scenario() -> None:
    lines = paydrill("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(names())
    assert len(lines) >= 15 and all(line.endswith(".") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "gateway_failovr"], 2, "did you mean gateway_failover"),
        (["run", "steady_state", "--set", "load.timeout=5"], 2, "5 has no unit"),
        (["run", "steady_state", "--target", "https://pay.example.test"], 2, "not allowed"),
        (["run", "steady_state", "--target", "https://api.stripe.com"], 2, "not allowed"),
        (["run", "steady_state", "--set", "about=sk_live_abc"], 2, "a live key"),
        (["run", "steady_state", "--processes", "0"], 2, "processes"),
        (["report", "/nowhere"], 2, "/nowhere"),
        (["report"], 2, "--latest"),
        (["mock", "strpe"], 2, "did you mean stripe"),
        (["mock", "stripe:http"], 2, "is not a port"),
        (["mock", "platform"], 2, "needs a gateway"),
        (["mock", "--latency", "5"], 2, "120ms,600ms"),
        (["probe", "http://example.com"], 2, "example.com"),
        (["probe", "--probe", "ping", "http://127.0.0.1:1"], 2, "there is no probe"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_do(arguments: list[str], code: int, words: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_folder_that_cannot_be_written_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = paydrill("run", "steady_state", "--out", str(tmp_path / "file" / "runs"))
    assert done.returncode == 4
    assert "choose another folder with --out" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_platform_that_does_not_answer_aborts_with_4(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings = ["--set", "gateways={}", "--set", "probes=[]", "--set", "objectives={}"]
        done = paydrill("run", "steady_state", "--target", url, *settings, "--out", str(tmp_path))
    assert done.returncode == 4
    assert f"the platform at {url} does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_probe_watches_a_target_and_its_exit_code_tells(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        done = paydrill("probe", url, "--every", "500ms", "--for", "1500ms")
    assert done.returncode == 1
    assert "connect: connection refused" in done.stdout
    assert re.search(r"\d+ probes: 0 ok, \d+ fail, 0 unknown", done.stdout)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pids: list[int]) -> bool:
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_mock_serves_until_stopped_and_leaves_nobody_behind(end: signal.Signals) -> None:
    stripe, adyen, platform = free_ports(3)
    command = ["mock", f"stripe:{stripe}", f"adyen:{adyen}", f"platform:{platform}", "--latency", "1ms,2ms"]
    with subprocess.Popen(
        [sys.executable, "-m", "paydrill", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip() for _ in range(3)]
            assert lines == [
                f"stripe http://127.0.0.1:{stripe}",
                f"adyen http://127.0.0.1:{adyen}",
                f"platform http://127.0.0.1:{platform}",
            ]
            answer = httpx.post(
                f"http://127.0.0.1:{platform}/payments",
                headers={"Idempotency-Key": "k1"},
                json=CARD_PAYMENT,
                timeout=10,
            )
            assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")
            children = children_of(process.pid)
            assert len(children) == 3
            os.kill(process.pid, end)
            process.communicate(timeout=20)
            assert process.returncode == (-9 if end == signal.SIGKILL else 0)
            assert gone(children)
        finally:
            process.kill()  # nobody to wait for when an assertion failed before the end


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = paydrill("mock", f"stripe:{port}")
    assert done.returncode == 4
    assert str(port) in done.stderr
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr
