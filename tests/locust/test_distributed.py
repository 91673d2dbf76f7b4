"""Workers on machines of their own: one that joins, leaves, dies, reads another clock, or does not belong."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from journal.mending import written
from journal.reader import Journal
from scenarios.checkout import plan
from scenarios.reading import load_scenario
from tests.locust.cluster import Cluster, cluster, numbers

pytestmark = pytest.mark.slow

ARRIVALS = "load.arrivals=[{duration: 10s, rate: 120/s}]"
SETTINGS = ("load.timeout=8s", ARRIVALS, "objectives={}")
OPTIONS = ["--scenario", "steady_state", *(part for one in SETTINGS for part in ("--set", one))]


def planned() -> list[tuple[int, int, int, str]]:
    payments = plan(load_scenario("steady_state", list(SETTINGS)))
    return [(p.number, p.due_ns, p.amount_minor, p.instrument) for p in payments]


def recorded(made: Cluster) -> list[tuple[int, int, int, str]]:
    return sorted(
        (int(row["id"].split("-")[1]), row["due_ns"], row["amount_minor"], row["instrument"])
        for row in made.payments()
    )


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_plays_the_plan(platform: str, tmp_path: Path, workers: int) -> None:
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(workers)
        started = [made.worker() for _ in range(workers)]
        code, output = master.end()
        assert code == 0, output
        assert [worker.end()[0] for worker in started] == [0] * workers
        assert recorded(made) == planned()
        assert {row["error"] for row in made.payments()} == {""}
        assert len(list(made.journal.glob("load-*.payment.arrow"))) == workers
        assert Journal(made.journal).damage == []
        # Workers write no file anywhere.
        assert all(os.listdir(worker.log.parent) == ["output.log"] for worker in started)


def test_a_worker_that_is_killed_leaves_a_gap_of_less_than_five_seconds(
    platform: str, tmp_path: Path
) -> None:
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(3)
        started = [made.worker() for _ in range(3)]
        made.wait_for_payments(100)
        started[1].process.kill()
        code, output = master.end()
        assert code == 0, output
        assert recorded(made) == planned()
        rows = made.payments()
        gap = [row for row in rows if row["error"]]
        assert gap
        (name,) = {row["error"].split()[2] for row in gap}
        assert {row["outcome"] for row in gap} == {"unknown"}
        assert {row["sent_ns"] for row in gap} == {None}
        assert f"{name} (" in output
        assert "taken for lost" in output
        last = max(
            row["due_ns"]
            for row in Journal(made.journal).table("intent").to_pylist()
            if row["id"] in _ids(made.journal, name)
        )
        assert max(row["due_ns"] for row in gap) - last < 5e9
        marks = [m["text"] for m in Journal(made.journal).table("mark").to_pylist() if m["source"] == name]
        assert any("taken for lost" in text for text in marks)
        assert any(f"left {len(gap)} payments" in text for text in marks)


def test_a_worker_that_joins_late_gets_its_share(platform: str, tmp_path: Path) -> None:
    # A busy machine takes its time to start a process.
    longer = ("--set", "load.arrivals=[{duration: 10s, rate: 120/s}, {duration: 15s, rate: 20/s}]")
    with cluster(tmp_path, platform, *OPTIONS, *longer) as made:
        master = made.master(1)
        first = made.worker()
        made.wait_for_payments(50)
        second = made.worker()
        code, output = master.end()
        assert code == 0, output
        assert (first.end()[0], second.end()[0]) == (0, 0)
        assert numbers(made.payments()) == list(range(len(made.payments())))
        assert len(made.payments()) > len(planned())
        assert {row["error"] for row in made.payments()} == {""}
        marks = [m["text"] for m in Journal(made.journal).table("mark").to_pylist()]
        assert any("joined, and plays from" in text for text in marks), marks
        shares = [len(_ids(made.journal, name, "payment")) for name in ("load-0", "load-1")]
        assert min(shares) > 20


def test_a_worker_that_is_told_to_end_leaves_nothing_behind(platform: str, tmp_path: Path) -> None:
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(2)
        leaver, _ = made.worker(), made.worker()
        made.wait_for_payments(100)
        leaver.process.send_signal(signal.SIGTERM)
        code, output = leaver.end()
        assert code == 0, output
        assert master.process.poll() is None
        code, output = master.end()
        assert code == 0, output
        assert recorded(made) == planned()
        assert {row["error"] for row in made.payments()} == {""}
        assert "was told to end, and plays until" in output


def test_a_worker_that_stops_answering_for_a_while_is_heard_of_again(platform: str, tmp_path: Path) -> None:
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(2)
        started = [made.worker(), made.worker()]
        made.wait_for_payments(100)
        started[0].process.send_signal(signal.SIGSTOP)
        made.wait_for(lambda: "taken for lost" in master.said())
        started[0].process.send_signal(signal.SIGCONT)
        code, output = master.end()
        assert code in (0, 1), output  # 1: an answer came too late while it was stopped
        assert "was heard of again" in output
        assert recorded(made) == planned()
        assert not [row for row in made.payments() if "was lost" in row["error"]]


def test_times_of_a_worker_with_another_clock_are_translated(platform: str, tmp_path: Path) -> None:
    shift = ["unshare", "--time", "--fork", "--kill-child", "--monotonic", "5000"]
    if shutil.which("unshare") is None or subprocess.run([*shift, "true"], check=False).returncode:
        pytest.skip("this system gives no process a clock of its own")
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(2)
        started = [made.worker(), made.worker(before=shift)]
        code, output = master.end()
        assert code == 0, output
        assert [worker.end()[0] for worker in started] == [0, 0]
        clocks = Journal(made.journal).table("worker_clock").to_pylist()
        (here,) = {clock["worker"] for clock in clocks if clock["one_clock"]}
        (away,) = {clock["worker"] for clock in clocks if not clock["one_clock"]}
        assert {here, away} == {"load-0", "load-1"}
        error = max(clock["error_ns"] for clock in clocks if clock["worker"] == away)
        assert 0 < error < 50e6
        assert {clock["error_ns"] for clock in clocks if clock["worker"] == here} == {0}
        lateness = sorted(
            row["sent_ns"] - row["due_ns"]
            for row in made.payments()
            if row["id"] in _ids(made.journal, away, "payment")
        )
        # Nothing is sent before its time, but for the error of the clocks; a clock that was not translated
        # would put everything at 5,000 s.
        assert lateness[0] > -error
        assert lateness[len(lateness) // 2] < 1e9


def test_a_worker_with_another_scenario_is_refused_with_both_named(platform: str, tmp_path: Path) -> None:
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(1)
        stranger = made.worker("--scenario", "gateway_failover")
        code, output = stranger.end()
        assert code == 2, output
        assert "started with the scenario gateway-failover" in output
        assert "the master plays steady-state" in output
        assert "gateway-failover" in master.said()
        assert "was refused" in master.said()
        assert made.worker(*OPTIONS).end()[0] == 0
        assert master.end()[0] == 0
        assert recorded(made) == planned()


def test_a_worker_of_another_version_is_refused_with_both_named(platform: str, tmp_path: Path) -> None:
    old = tmp_path / "locustfile.py"
    old.write_text("from scenarios.users import ArrivalUser, install\ninstall('0.0.9')\n")
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(1)
        code, output = made.worker(locustfile=old).end()
        assert code == 2, output
        for said in (output, master.said()):
            assert "the worker has paydrill 0.0.9, the master paydrill" in said


def test_a_worker_that_cannot_reach_the_platform_is_refused(tmp_path: Path) -> None:
    with cluster(tmp_path, "http://127.0.0.1:1", *OPTIONS) as made:
        master = made.master(1)
        code, output = made.worker().end()
        assert code == 2, output
        assert "cannot reach the platform at http://127.0.0.1:1" in output
        assert "cannot reach the platform at http://127.0.0.1:1" in master.said()


def test_workers_whose_master_is_killed_end_themselves(platform: str, tmp_path: Path) -> None:
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(2)
        started = [made.worker(), made.worker()]
        made.wait_for_payments(50)
        master.process.kill()
        for worker in started:
            code, output = worker.end(40)
            assert code == 4, output
            assert "the master has not answered" in output


def test_a_load_that_is_stopped_loses_no_record(platform: str, tmp_path: Path) -> None:
    with cluster(tmp_path, platform, *OPTIONS) as made:
        master = made.master(2)
        started = [made.worker(), made.worker()]
        made.wait_for_payments(200)
        master.process.send_signal(signal.SIGTERM)
        code, output = master.end()
        assert code == 0, output
        assert [worker.end()[0] for worker in started] == [0, 0]
        sent = Journal(made.journal).table("intent").num_rows
        rows = made.payments()
        assert sent == len(rows) < len(planned())
        # Nothing is missing between the first and the last.
        assert numbers(rows) == list(range(len(rows)))
        assert Journal(made.journal).damage == []


def _ids(journal: Path, process: str, table: str = "intent") -> set[str]:
    return set(written(journal, process, table)["id"].to_pylist())
