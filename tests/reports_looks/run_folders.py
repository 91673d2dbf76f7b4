"""Small run folders with real journals: the runs in which nothing went as it should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from journal.records import FaultEvent, GatewayRequest, Intent, Mark, Movement, Payment, PlatformEntry, Record
from journal.writer import Writer
from scenarios.schema import Scenario

S = 1_000_000_000
MS = 1_000_000

GATEWAYS: dict[str, Any] = {"stripe": {}, "adyen": {}}
OUTAGE = {"at": "2s", "for": "2s", "on": "stripe", "fault": "outage"}
GOALS = {"success_rate": ">= 98%", "latency_p95": "< 800ms", "lost_payments": 0}


def write(folder: Path, records: Sequence[Record], planned: int, **scenario: Any) -> Path:
    """A run folder of a drill of 10 s with these records in one journal."""
    plain: dict[str, Any] = {
        "name": "small",
        "gateways": GATEWAYS,
        "load": {"arrivals": [{"duration": "10s", "rate": "30/s"}]},
        "objectives": GOALS,
    }
    played = Scenario.model_validate(plain | scenario)
    block = {"id": "t", "started_at": "2026-11-22T05:40:01.000000Z", "payments_planned": planned}
    (folder / "journal").mkdir(parents=True)
    (folder / "scenario.yaml").write_text(yaml.safe_dump(played.to_plain() | {"run": block}))
    with Writer(folder / "journal", "test") as journal:
        for record in records:
            journal.write(record)
    return folder


def payment(number: int, due_ns: int, outcome: str = "succeeded") -> list[Record]:
    """A payment as all views hold it: captured by adyen if it succeeded, nowhere otherwise."""
    name = f"t-{number:05d}"
    answered = None if outcome == "unknown" else due_ns + 100 * MS
    error = "" if outcome == "succeeded" else "no answer" if outcome == "unknown" else "gateway_error"
    plain = (name, due_ns, due_ns + MS, answered, "card", 1290, "EUR", "ok")
    records: list[Record] = [
        Intent(name, due_ns, due_ns + MS),
        Payment(*plain, "succeeded", outcome, error, "adyen" if outcome == "succeeded" else ""),
        PlatformEntry(f"p-{name}", name, 1290, "EUR", outcome, "", "", 0),
    ]
    if outcome == "succeeded":
        at = due_ns + 50 * MS
        records[-1] = PlatformEntry(f"p-{name}", name, 1290, "EUR", outcome, "adyen", f"c-{name}", 0)
        records.append(Movement("adyen", "capture", f"c-{name}", "", name, 1290, "EUR", at))
        records.append(GatewayRequest("adyen", "payments", at, at, 200, "succeeded", "", name, name, False))
    return records


def every(ms: int, until_s: float, outcome: Callable[[int], str]) -> list[Record]:
    """A payment every so many milliseconds, each with the outcome of its due time."""
    dues = range(0, round(until_s * S), ms * MS)
    return [record for number, due in enumerate(dues) for record in payment(number, due, outcome(due))]


def fault_events(stopped: bool = True) -> list[Record]:
    events: list[Record] = [
        FaultEvent("f1", "outage", "stripe", "armed", 2 * S, -S, 0),
        FaultEvent("f1", "outage", "stripe", "started", 2 * S, 2 * S + MS, 0),
    ]
    return (
        [*events, FaultEvent("f1", "outage", "stripe", "stopped", 4 * S, 4 * S + MS, 9)]
        if stopped
        else events
    )


def nothing_sent(folder: Path) -> Path:
    return write(folder, [], 0)


def aborted_after_a_second(folder: Path) -> Path:
    marks = [Mark(S, "died", "conductor", "adyen died"), Mark(S, "aborted", "conductor", "adyen died")]
    return write(folder, [*every(50, 1, lambda _: "succeeded"), *marks], 300, faults=[OUTAGE])


def aborted_before_the_load(folder: Path) -> Path:
    return write(folder, [Mark(-S, "aborted", "conductor", "port 12111 is in use")], 300, faults=[OUTAGE])


def interrupted_in_the_fault(folder: Path) -> Path:
    ended = Mark(3 * S, "interrupted", "conductor", "Ctrl-C")
    records = [*every(20, 3, lambda _: "succeeded"), *fault_events(stopped=False), ended]
    return write(folder, records, 500, faults=[OUTAGE])


def everything_failed(folder: Path) -> Path:
    return write(folder, every(20, 10, lambda _: "failed"), 500)


def nobody_answered(folder: Path) -> Path:
    return write(folder, every(20, 10, lambda _: "unknown"), 500)


def never_recovered(folder: Path) -> Path:
    goals = {**GOALS, "failover_time": "< 1s", "recovery_time": "< 5s", "failback_time": "< 5s"}
    records = every(20, 10, lambda due: "succeeded" if due < 2 * S else "failed")
    return write(folder, [*records, *fault_events()], 500, faults=[OUTAGE], objectives=goals)


def one_payment(folder: Path) -> Path:
    return write(folder, payment(0, 0), 1, objectives={})


def no_ledger(folder: Path) -> Path:
    records = [r for r in every(20, 10, lambda _: "succeeded") if not isinstance(r, PlatformEntry)]
    return write(folder, records, 500)


def somebody_elses_platform(folder: Path) -> Path:
    seen = (Intent, Payment)
    records = [r for r in every(20, 10, lambda _: "succeeded") if isinstance(r, seen)]
    return write(folder, records, 500, gateways={}, platform={"url": "https://pay.example.test"})


def maintenance(folder: Path) -> Path:
    records = every(20, 10, lambda due: "failed" if 5 * S <= due < 7 * S else "succeeded")
    return write(folder, records, 500, maintenance=[{"at": "5s", "for": "2s"}])


def hostile_texts(folder: Path) -> Path:
    """Every text that a run can bring along tries to be markup."""
    bad = "$\\frac{1$ <script>alert(1)</script> | `x` [a](javascript:b) & {{ 7 * 7 }}\n"
    records = every(20, 10, lambda _: "succeeded")
    records = [r._replace(gateway=bad, method=bad) if isinstance(r, Payment) else r for r in records]
    marks = [Mark(S, "note", bad, bad), Mark(10 * S, "died", bad, bad), Mark(10 * S, "aborted", bad, bad)]
    return write(folder, [*records, *marks], 500, about=bad)


DEGENERATE = {
    build.__name__: build
    for build in (
        nothing_sent,
        aborted_after_a_second,
        aborted_before_the_load,
        interrupted_in_the_fault,
        everything_failed,
        nobody_answered,
        never_recovered,
        one_payment,
        no_ledger,
        somebody_elses_platform,
        maintenance,
        hostile_texts,
    )
}
