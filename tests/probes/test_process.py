"""The child process, end to end: its conversation, an outage, and every way in which it can end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest

from journal.clock import MILLISECOND, SECOND, Clock
from journal.reader import Journal
from journal.tether import FD_VARIABLE, Tether
from mocks.http import Exchange
from probes.process import parse
from tests.mocks.serving import Serving
from tests.probes.listener import free_port

T = TypeVar("T")


class Child:
    """``python -m probes.process`` and the conductor's end of its tether."""

    def __init__(self, journal: Path | None, *probes: dict[str, Any], until_ns: int | None = None) -> None:
        self.tether, theirs = Tether.pair()
        self.journal = journal
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "probes.process"],
                pass_fds=[theirs.fileno()],
                env={**os.environ, FD_VARIABLE: str(theirs.fileno())},
                stderr=subprocess.PIPE,
                text=True,
            )
        self.plan = {
            "name": "probes",
            "seed": 7,
            "run": "t",
            "journal": None if journal is None else str(journal),
            "until_ns": until_ns,
            "probes": list(probes),
        }
        self.epoch_ns = 0

    def start(self, ahead_ns: int = 100 * MILLISECOND) -> Child:
        self.tether.send({"plan": self.plan})
        assert self.tether.receive(30) == {"ready": {}}
        self.epoch_ns = time.monotonic_ns() + ahead_ns
        self.tether.send({"go": {"epoch_ns": self.epoch_ns}})
        return self

    def rows(self, table: str = "probe") -> list[dict[str, Any]]:
        """What stands in the journal by now, in due order."""
        assert self.journal is not None
        rows: list[dict[str, Any]] = Journal(self.journal).table(table).to_pylist()
        return sorted(rows, key=lambda row: row.get("due_ns", 0))

    def until(self, condition: Callable[[list[dict[str, Any]]], T]) -> T:
        """Wait until this holds for what stands in the journal."""
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            assert self.process.poll() is None, self.process.communicate()
            value = condition(self.rows())
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"never came: {self.rows()}")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and stderr."""
        self.process.send_signal(number)
        _, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stderr

    def close(self) -> None:
        self.tether.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[..., Child]]:
    """Makes children, and ends them after the test."""
    children: list[Child] = []

    def make(*arguments: Any, **options: Any) -> Child:
        children.append(Child(*arguments, **options))
        return children[-1]

    yield make
    for child in children:
        child.close()


def probing(port: int, **options: Any) -> dict[str, Any]:
    return {
        "probe": "http",
        "target": "it",
        "url": f"http://127.0.0.1:{port}/health",
        "every_ns": 500 * MILLISECOND,
        "recheck_ns": None,
        "timeout_ns": 2 * SECOND,
        "params": {},
        **options,
    }


def fine(exchange: Exchange) -> None:
    exchange.answer(200)


def test_an_outage_lies_between_the_results_around_it(tmp_path: Path, start: Callable[..., Child]) -> None:
    with Serving(fine) as serving:
        child = start(tmp_path, probing(serving.port)).start()
        clock = Clock(child.epoch_ns)
        child.until(lambda rows: any(row["outcome"] == "ok" for row in rows))
        before_down_ns = clock.now_ns()
        serving.thread.call(serving.server.refuse)
        down_ns = clock.now_ns()
        child.until(lambda rows: sum(row["outcome"] == "fail" for row in rows) >= 5)
        before_up_ns = clock.now_ns()
        serving.thread.call(serving.server.resume)
        child.until(lambda rows: any(r["outcome"] == "ok" and r["due_ns"] > down_ns for r in rows))
        assert child.end() == (0, "")
    rows = child.rows()
    fails = [row for row in rows if row["outcome"] == "fail"]
    assert {(row["phase"], row["detail"]) for row in fails} <= {
        ("connect", "connection refused"),
        ("answer", "connection reset"),
    }
    last_ok = [r for r in rows if r["outcome"] == "ok" and r["due_ns"] < fails[0]["due_ns"]][-1]
    first_ok = next(r for r in rows if r["outcome"] == "ok" and r["due_ns"] > fails[-1]["due_ns"])
    # The server went down between these two times, and came up after the third.
    assert last_ok["sent_ns"] <= down_ns
    assert fails[0]["done_ns"] >= before_down_ns
    assert first_ok["done_ns"] >= before_up_ns
    # The first failure is found by a regular probe; between it and the first ok, rechecks are 50 ms apart.
    assert fails[0]["due_ns"] % (500 * MILLISECOND) == 0
    during = [row["due_ns"] for row in rows if fails[0]["due_ns"] < row["due_ns"] <= fails[-1]["due_ns"]]
    assert all((due - fails[0]["due_ns"]) % (50 * MILLISECOND) == 0 for due in during)
    assert len({row["due_ns"] for row in rows}) == len(rows)
    # All clocks agree: due times count from the epoch that was told, and nothing is sent before it is due.
    assert rows[0]["due_ns"] == 0
    assert all(0 <= row["due_ns"] <= row["sent_ns"] <= row["done_ns"] <= clock.now_ns() for row in rows)
    assert Journal(tmp_path).processes() == ("probes",)


def test_it_stops_probing_at_its_end_but_lives_until_it_is_told(
    tmp_path: Path, start: Callable[..., Child]
) -> None:
    with Serving(fine) as serving:
        plan = probing(serving.port, every_ns=100 * MILLISECOND)
        child = start(tmp_path, plan, until_ns=250 * MILLISECOND).start()
        child.until(lambda rows: len(rows) == 3)
        while Clock(child.epoch_ns).now_ns() < 600 * MILLISECOND:
            time.sleep(0.05)
        assert child.process.poll() is None
        assert child.end() == (0, "")
    assert [row["due_ns"] for row in child.rows()] == [0, 100 * MILLISECOND, 200 * MILLISECOND]


def test_sigint_is_the_conductors(tmp_path: Path, start: Callable[..., Child]) -> None:
    with Serving(fine) as serving:
        child = start(tmp_path, probing(serving.port, every_ns=50 * MILLISECOND)).start()
        child.until(len)
        child.process.send_signal(signal.SIGINT)
        seen = len(child.rows())
        child.until(lambda rows: len(rows) > seen + 3)
        assert child.end() == (0, "")


def test_sigterm_lets_what_is_in_flight_end(tmp_path: Path, start: Callable[..., Child]) -> None:
    held: list[Exchange] = []
    with Serving(held.append) as serving:
        child = start(tmp_path, probing(serving.port, every_ns=60 * SECOND, timeout_ns=20 * SECOND)).start()
        while not held:
            time.sleep(0.01)
        child.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            child.process.wait(0.3)
        serving.thread.call(lambda: held[0].answer(200))
        assert child.process.wait(20) == 0
    assert [row["outcome"] for row in child.rows()] == ["ok"]


def test_sigterm_is_not_kept_waiting_beyond_the_time_out(tmp_path: Path, start: Callable[..., Child]) -> None:
    paid: list[str] = []

    def take_and_be_silent(exchange: Exchange) -> None:
        paid.append(orjson.loads(exchange.request.body)["order_id"])

    with Serving(take_and_be_silent) as serving:
        plan = probing(
            serving.port,
            probe="payment",
            url=f"http://127.0.0.1:{serving.port}",
            every_ns=60 * SECOND,
            timeout_ns=500 * MILLISECOND,
        )
        child = start(tmp_path, plan).start()
        while not paid:
            time.sleep(0.01)
        assert child.end() == (0, "")
    (row,) = child.rows()
    assert (row["outcome"], row["phase"]) == ("unknown", "answer")
    (mark,) = child.rows("mark")
    assert (mark["kind"], mark["source"]) == ("note", "probes")
    assert "probe-t-0 may have been charged" in mark["text"]


@pytest.mark.parametrize("when", ["before the plan", "before go", "in the middle"])
def test_it_ends_when_the_tether_closes(when: str, tmp_path: Path, start: Callable[..., Child]) -> None:
    held: list[Exchange] = []
    with Serving(held.append) as serving:
        child = start(tmp_path, probing(serving.port, timeout_ns=3600 * SECOND))
        if when == "before go":
            child.tether.send({"plan": child.plan})
            assert child.tether.receive(30) == {"ready": {}}
        elif when == "in the middle":
            child.start()
            while not held:
                time.sleep(0.01)
        child.tether.close()
        assert child.process.wait(20) == 0
    if when == "in the middle":
        assert {(r["outcome"], r["phase"]) for r in child.rows()} == {("unknown", "prober")}


def test_sigterm_before_go(tmp_path: Path, start: Callable[..., Child]) -> None:
    child = start(tmp_path, probing(free_port()))
    child.tether.send({"plan": child.plan})
    assert child.tether.receive(30) == {"ready": {}}
    assert child.end() == (0, "")


def test_what_was_flushed_is_readable_after_kill_9(tmp_path: Path, start: Callable[..., Child]) -> None:
    with Serving(fine) as serving:
        child = start(tmp_path, probing(serving.port, every_ns=20 * MILLISECOND)).start()
        child.until(lambda rows: len(rows) >= 10)
        seen = child.rows()
        assert child.end(signal.SIGKILL)[0] == -signal.SIGKILL
    rows = child.rows()
    assert rows[: len(seen)] == seen
    assert all(row["target"] == "it" for row in rows)


def test_a_journal_that_cannot_be_written_is_tried_again(tmp_path: Path, start: Callable[..., Child]) -> None:
    folder = tmp_path / "late"
    with Serving(fine) as serving:
        child = start(folder, probing(serving.port, every_ns=50 * MILLISECOND)).start()
        assert child.process.stderr is not None
        assert "cannot write the journal, trying again" in child.process.stderr.readline()
        folder.mkdir()
        child.until(len)
        assert child.rows()[0]["due_ns"] == 0
        assert child.end() == (0, "")


def test_a_journal_that_was_never_written_is_told_by_the_exit_code(
    tmp_path: Path, start: Callable[..., Child]
) -> None:
    child = start(tmp_path / "nowhere", probing(free_port()), until_ns=MILLISECOND).start()
    assert child.process.stderr is not None
    assert "trying again" in child.process.stderr.readline()
    code, stderr = child.end()
    assert code == 4
    assert "could not write the journal" in stderr


def test_without_a_journal_it_probes_all_the_same(start: Callable[..., Child]) -> None:
    asked: list[str] = []

    def application(exchange: Exchange) -> None:
        asked.append(exchange.request.path)
        exchange.answer(200)

    with Serving(application) as serving:
        child = start(None, probing(serving.port)).start()
        while not asked:
            time.sleep(0.01)
        assert child.end() == (0, "")


def test_a_wrong_plan_is_told_to_the_conductor(tmp_path: Path, start: Callable[..., Child]) -> None:
    child = start(tmp_path, probing(80, url="http://staging.example.test/"))
    child.tether.send({"plan": child.plan})
    assert "not this machine" in child.tether.receive(30)["failed"]["error"]
    assert child.process.wait(20) == 4
    assert child.process.stderr is not None
    assert child.process.stderr.read() == ""


def test_without_a_tether_it_says_what_to_use_instead() -> None:
    environment = {name: value for name, value in os.environ.items() if name != FD_VARIABLE}
    done = subprocess.run(
        [sys.executable, "-m", "probes.process"], env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert "paydrill probe" in done.stderr


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"run": None}, "needs run"),
        ({"until_ns": None}, "needs until_ns"),
        ({"probes": [{"probe": "http"}]}, "needs target"),
        ({"probes": [3]}, "malformed"),
        ({"allow_hosts": {"staging.example.test": 0}}, "more than 0/s"),
    ],
)
def test_plans_are_checked(change: dict[str, Any], complaint: str) -> None:
    plan: dict[str, Any] = {"name": "probes", "run": "r", "journal": None, "until_ns": 1, "probes": []}
    for key, value in change.items():
        if value is None:
            del plan[key]
        else:
            plan[key] = value
    with pytest.raises(ValueError, match=complaint):
        parse(plan)


def test_hosts_that_are_allowed_may_be_probed() -> None:
    plan = parse(
        {
            "name": "probes",
            "run": "r",
            "journal": None,
            "until_ns": None,
            "allow_hosts": {"staging.example.test": 5.0},
            "probes": [probing(80, url="http://staging.example.test/")],
        }
    )
    assert plan.probes[0].url == "http://staging.example.test/"
    assert plan.until_ns is None
