"""Searches made by hand: each step is a run folder whose payments are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reports.findings import Ended, ObjectiveFinding, Percentile, Rate, Unit
from reports.peak import peak_of
from reports.peak_findings import PeakFindings, StepFindings
from reports.search_folder import RECORD, STEPS, SearchRecord, StepRecord, record_text
from scenarios.peak_search import Limits, Outcome, Why
from scenarios.schema import Scenario
from tests.reports.drill import MS, Drill, S

OBJECTIVES = {"success_rate": ">= 98%", "latency_p95": "< 800ms", "lost_payments": 0}

LIMITS = Limits(
    start=40, least=10, most=1000, precision=0.15, steps=14, step_ns=5 * S, ramp_ns=S, overhead_ns=10 * S,
    payments=149,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A step: its payments come evenly at ``rate``, each answered after ``latency_ms``, sent ``late_ms`` after
    it was due; ``lost`` of them are unknown to the gateways."""

    rate: int
    latency_ms: int = 100
    late_ms: int = 0
    lost: int = 0
    why: Why = "narrow"


def search(folder: Path, steps: Sequence[Made], limits: Limits = LIMITS) -> Path:
    """Write the folder of a search with these steps."""
    for number, made in enumerate(steps, start=1):
        drill = Drill(6, objectives=OBJECTIVES)
        for count in range(6 * made.rate):
            drill.pay(
                count * S // made.rate,
                latency_ns=(made.latency_ms + made.late_ms) * MS,
                late_ns=made.late_ms * MS,
                captures=0 if count < made.lost else 1,
                ledger="succeeded",
            )
        drill.write(folder / STEPS / _name(number, made))
    folder.mkdir(exist_ok=True)
    (folder / RECORD).write_text(record_text(record(steps, limits), scenario()))
    return folder


def record(
    steps: Sequence[Made], limits: Limits = LIMITS, ended: Ended = "complete", ended_why: str = ""
) -> SearchRecord:
    """The record of a search with these steps."""
    return SearchRecord(
        started_at="2026-01-02T03:04:05.000006Z",
        command="paydrill run by-hand --find-peak",
        processes=1,
        versions={"paydrill": "0.1.0"},
        machine={"cores": 2},
        limits=limits,
        without_faults=("outage on stripe",),
        without_objectives=("recovery_time",),
        steps=tuple(
            StepRecord(
                folder=_name(number, made), rate=made.rate, hold_ns=5 * S, why=made.why, took_ns=12 * S
            )
            for number, made in enumerate(steps, start=1)
        ),
        ended=ended,
        ended_why=ended_why,
    )


def findings(
    steps: Sequence[Made], limits: Limits = LIMITS, ended: Ended = "complete", ended_why: str = ""
) -> PeakFindings:
    """What a search with these steps found, without their folders."""
    judged = [_judged(number, made) for number, made in enumerate(steps, start=1)]
    return peak_of(record(steps, limits, ended, ended_why), scenario(), judged)


def _name(number: int, made: Made) -> str:
    return f"{number:02d}-{made.rate}-per-s"


def _judged(number: int, made: Made) -> StepFindings:
    """What the judge makes of a step; ``test_findings`` holds it against the judge itself."""
    slow = made.latency_ms >= 800
    outcome: Outcome = "broke" if slow or made.lost else "unsound" if made.late_ms > 100 else "held"
    n, ns = 6 * made.rate, (made.latency_ms + made.late_ms) * MS
    latency = "FAIL" if slow else "INCONCLUSIVE" if outcome == "unsound" else "PASS"

    def goal(
        name: str, bound: str, target: float, unit: Unit, value: float, **more: object
    ) -> ObjectiveFinding:
        plain = ObjectiveFinding(
            name, bound, target, unit, "PASS", "measured", value, None, None, n, None, "", ""
        )
        return replace(plain, **more)  # type: ignore[arg-type]

    objectives = (
        goal("success_rate", ">= 98%", 0.98, "share", 1.0, low=0.05 ** (1 / n), high=1.0),
        goal(
            "latency_p95", "< 800ms", 800 * MS, "ns", ns, low=ns, high=ns, status=latency, why=f"it is {ns}"
        ),
        goal("lost_payments", "<= 0", 0, "count", made.lost, status="FAIL" if made.lost else "PASS"),
    )
    return StepFindings(
        number=number,
        folder=_name(number, made),
        why=made.why,
        rate=made.rate,
        hold_ns=5 * S,
        took_ns=12 * S,
        outcome=outcome,
        longer_ns=None,
        payments=n,
        achieved=made.rate,
        succeeded=made.rate,
        success=Rate(n, n, 1.0, 0.025 ** (1 / n), 1.0, 1.0, n),
        p95=Percentile(0.95, "measured", ns, ns, ns),
        p99=Percentile(0.99, "measured", ns, ns, None if n < 299 else ns),
        lateness_p99_ns=made.late_ms * MS,
        objectives=objectives,
        broke=tuple(one.name for one in objectives if one.status == "FAIL"),
        said="the load generator fell behind its schedule" if outcome == "unsound" else "said",
    )


def scenario() -> Scenario:
    """What was searched."""
    return Drill(6, objectives=OBJECTIVES).scenario


FOUND = (
    Made(40, why="start"),
    Made(80, why="raise"),
    Made(160, latency_ms=1500, why="raise"),
    Made(120),
    Made(140, latency_ms=900),
    Made(120, latency_ms=110, why="confirm"),
    Made(140, latency_ms=950, why="confirm"),
)
"""A platform that holds 120/s and is too slow at 140/s."""
