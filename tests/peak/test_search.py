"""Whole searches, against a platform whose capacity is known."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CAPACITY = 200.0
"""Payments per second: 5 ms each."""

SCENARIO = """\
name: queue
platform: {url: "http://127.0.0.1:1"}
load:
  arrivals: [{duration: 10s, rate: 120/s}]
  spacing: even
  declines: 0%
  timeout: 3s
objectives:
  success_rate: ">= 98%"
  latency_p95: "< 500ms"
settle: 20s
"""


@contextmanager
def queue() -> Iterator[str]:
    """The URL of a platform with one server."""
    command = [sys.executable, "-m", "tests.drills.single_server", str(1000 / CAPACITY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as platform:
        try:
            assert platform.stdout is not None
            yield f"http://127.0.0.1:{int(platform.stdout.readline())}"
        finally:
            platform.kill()


def start(tmp_path: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    scenario = tmp_path / "queue.yaml"
    scenario.write_text(SCENARIO)
    command = [sys.executable, "-m", "paydrill", "run", str(scenario), "--find-peak", "--target", url]
    return subprocess.Popen(
        [*command, "--out", str(tmp_path / "runs"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def found_in(tmp_path: Path) -> dict[str, Any]:
    (path,) = (tmp_path / "runs").glob("*-queue-peak/search.json")
    data: dict[str, Any] = json.loads(path.read_text())
    return data


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_the_capacity_of_a_single_server_is_found(tmp_path: Path) -> None:
    with queue() as url, start(tmp_path, url, "--step", "8s") as search:
        output, _ = search.communicate(timeout=450)
    assert search.returncode == 0, output
    found = found_in(tmp_path)
    assert found["conclusion"] == "bracket"
    assert [goal["name"] for goal in found["broke_first"]] == ["latency_p95"]
    low, high = found["low"], found["high"]
    assert low["confirmed"] and high["confirmed"]
    # A queue that grows for 10 s must make the last twentieth wait half a second: (r - C) / C * 9.5 s.
    breaks_at = CAPACITY * (1 + 0.5 / 9.5)
    assert low["achieved"] <= breaks_at * 1.02
    assert high["achieved"] >= breaks_at * 0.98
    assert CAPACITY * 0.97 <= low["achieved"] < high["achieved"] <= CAPACITY * 1.15
    assert (high["achieved"] - low["achieved"]) / high["achieved"] <= 0.06
    # Beyond its capacity a single server goes on at it, however much is asked.
    beyond = [step for step in found["steps"] if step["achieved"] > 1.02 * CAPACITY]
    assert beyond
    assert all(abs(step["succeeded"] / CAPACITY - 1) < 0.05 for step in beyond)
    rebuilt = tmp_path / "runs" / next((tmp_path / "runs").iterdir()).name
    before = {path: path.read_bytes() for path in (*rebuilt.glob("search.*"), *rebuilt.glob("plots/*"))}
    again = subprocess.run([sys.executable, "-m", "paydrill", "report", "--quiet", str(rebuilt)], check=False)
    assert again.returncode == 0
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_ctrl_c_ends_the_step_and_reports_what_is_known(tmp_path: Path) -> None:
    with queue() as url, start(tmp_path, url, "--step", "4s", "--from", "40/s") as search:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and not list(tmp_path.glob("runs/*/steps/02-*/journal/load-*")):
            time.sleep(0.05)
        os.kill(search.pid, signal.SIGINT)
        output, _ = search.communicate(timeout=90)
    assert search.returncode == 130, output
    found = found_in(tmp_path)
    assert (found["ended"], found["exit_code"]) == ("interrupted", 130)
    assert len(found["steps"]) == 1
    assert "Interrupted after 1 step; so far 40.0/s held" in output.replace("40/s", "40.0/s")


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_platform_that_does_not_answer_aborts_the_search(tmp_path: Path) -> None:
    with start(tmp_path, "http://127.0.0.1:1", "--step", "4s") as search:
        output, _ = search.communicate(timeout=90)
    assert search.returncode == 4, output
    assert "Aborted after 0 steps" in output
    assert "the platform at http://127.0.0.1:1 does not answer" in output
