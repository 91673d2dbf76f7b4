"""Drills whose load workers are started elsewhere."""

import subprocess
from pathlib import Path

import pytest

from tests.drills.drill import SHORT, Drill, start
from tests.locust.cluster import locust
from tests.paydrill.test_command import free_ports

pytestmark = pytest.mark.slow


def worker(folder: Path, port: int, name: str) -> "subprocess.Popen[bytes]":
    (folder / name).mkdir()
    command = locust("--worker", "--master-host", "127.0.0.1", "--master-port", str(port))
    with (folder / name / "output.log").open("wb") as output:
        return subprocess.Popen(command, cwd=folder / name, stdout=output, stderr=subprocess.STDOUT)


def expecting(tmp_path: Path, port: int, workers: int, max_wait: int) -> Drill:
    options = ["--expect-workers", str(workers), "--bind", f"127.0.0.1:{port}"]
    return start(tmp_path, SHORT, [*options, "--expect-workers-max-wait", str(max_wait)])


def test_a_drill_is_played_by_workers_that_were_started_elsewhere(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    drill = expecting(tmp_path, port, 2, 90)
    started = [worker(tmp_path, port, name) for name in ("first", "second")]
    try:
        code, output = drill.end()
        assert code == 0, output
        assert f"--worker --master-host 127.0.0.1 --master-port {port}" in output
        assert "2 of 2 load workers ready" in output
        assert [process.wait(timeout=30) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert {clock["name"] for clock in drill.verdict["generator"]["clocks"]} == {"load-0", "load-1"}
    numbers = sorted(int(i.split("-")[1]) for i in drill.journal.table("payment")["id"].to_pylist())
    assert numbers == list(range(drill.verdict["generator"]["planned"]))


def test_too_few_workers_end_the_drill_with_4_and_how_many_came(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    drill = expecting(tmp_path, port, 2, 15)
    only = worker(tmp_path, port, "only")
    try:
        code, output = drill.end()
        assert code == 4, output
        assert "1 of 2 load workers ready" in output
        assert "within 15 s; nothing was sent" in output
        # It does not wait for a master that is gone.
        assert only.wait(timeout=60) in (0, 4)
    finally:
        only.kill()
        only.wait()
