"""The peak: from the judged steps of a search to what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reports.findings import Ended, Findings, ObjectiveFinding, Percentile, Status
from reports.judge import Judgement, judge_run
from reports.peak_findings import Edge, PeakFindings, StepFindings
from reports.peak_wording import headline, reasons
from reports.run_folder import open_run
from reports.search_folder import STEPS, SearchRecord, StepRecord, open_search
from reports.verdict import EXIT_ABORTED, EXIT_CODES, EXIT_INTERRUPTED
from scenarios.peak_search import (
    Conclusion,
    End,
    Limits,
    Outcome,
    Played,
    Standing,
    bracket,
    conclusion,
    doubt,
    next_step,
)
from scenarios.schema import Scenario

_S = 1_000_000_000
_ERROR = 0.05
"""Of each bound that gates an objective: 1 - CONFIDENCE of ``reports.proportion`` and ``.percentile``."""

_STATUS: dict[Conclusion, Status] = {
    "bracket": "PASS",
    "limit": "PASS",
    "nothing": "FAIL",
    "generator": "INCONCLUSIVE",
    "undecided": "INCONCLUSIVE",
}


def judge_search(folder: Path) -> PeakFindings:
    """Judge every step of a search again, from its folder.

    Raises:
        NotARunError: The folder is not one of a search, or a step of it cannot be read.
    """
    record, scenario = open_search(folder)
    steps: list[StepFindings] = []
    for one in record.steps:
        judgement = judge_run(open_run(folder / STEPS / one.folder))
        steps.append(step_of(one, len(steps) + 1, judgement, record.limits))
    return peak_of(record, scenario, steps)


def step_of(record: StepRecord, number: int, judgement: Judgement, limits: Limits) -> StepFindings:
    """What one step found."""
    findings, payments = judgement.findings, judgement.payments
    begin, end = limits.ramp_ns, min(limits.ramp_ns + record.hold_ns, findings.run.load_end_ns)
    seconds = max(end - begin, 1) / _S
    sent = (payments.sent_ns >= begin) & (payments.sent_ns < end)
    done = payments.success & (payments.done_ns >= begin) & (payments.done_ns < end)
    outcome = outcome_of(findings)
    return StepFindings(
        number=number,
        folder=record.folder,
        why=record.why,
        rate=record.rate,
        hold_ns=record.hold_ns,
        took_ns=record.took_ns,
        outcome=outcome,
        longer_ns=_longer(findings, record, limits) if outcome == "undecided" else None,
        payments=findings.generator.sent,
        achieved=int(np.count_nonzero(sent)) / seconds,
        succeeded=int(np.count_nonzero(done)) / seconds,
        success=findings.availability.requests,
        p95=_percentile(findings, 0.95),
        p99=_percentile(findings, 0.99),
        lateness_p99_ns=findings.generator.lateness_p99_ns,
        objectives=findings.objectives,
        broke=tuple(goal.name for goal in findings.objectives if goal.status == "FAIL"),
        said=findings.verdict.reasons[0],
    )


def outcome_of(findings: Findings) -> Outcome:
    """What a step came to, by its verdict. One that its scenario's own condition stopped has broken."""
    if findings.verdict.status == "FAIL":
        return "broke"
    if findings.verdict.status == "PASS":
        return "held"
    if not findings.generator.sound:
        return "unsound"
    if findings.run.ended == "stopped":
        return "broke"
    open_ones = [goal for goal in findings.objectives if goal.status == "INCONCLUSIVE"]
    missing = any(goal.unit == "count" or goal.state == "not measurable" for goal in open_ones)
    if missing or not open_ones or any(damage.matters for damage in findings.damage):
        return "blind"
    return "undecided"


def history_of(steps: Sequence[StepFindings]) -> list[Played]:
    """The steps as the search itself sees them."""
    return [Played(step.rate, step.hold_ns, step.outcome, step.longer_ns, step.took_ns) for step in steps]


def peak_of(record: SearchRecord, scenario: Scenario, steps: Sequence[StepFindings]) -> PeakFindings:
    """What a search found, by its record and its judged steps."""
    history = history_of(steps)
    known = bracket(history)
    concluded = conclusion(history, record.limits)
    low, high = _edge(known.low, steps, min), _edge(known.high, steps, max)
    if low is not None and high is not None and low.achieved > high.achieved:
        # Arrivals are drawn at random: what was sent at two rates this close can lie the other way round.
        low, high = replace(low, achieved=high.achieved), replace(high, achieved=low.achieved)
    estimates = sum(_estimated(goal) for goal in steps[0].objectives) if steps else 0
    sure_low = 1 - doubt(history, _ERROR)
    sure_high = 1 - doubt(history, min(1.0, _ERROR * estimates))
    next_one = next_step(history, record.limits)
    found = PeakFindings(
        scenario=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        platform=scenario.platform.url or "the reference platform",
        started_at=record.started_at,
        command=record.command,
        processes=record.processes,
        versions=tuple(sorted(record.versions.items())),
        machine=tuple(sorted((name, str(value)) for name, value in record.machine.items())),
        limits=record.limits,
        without_faults=record.without_faults,
        without_objectives=record.without_objectives,
        without_users=record.without_users,
        ended=record.ended,
        ended_why=record.ended_why,
        conclusion=concluded,
        status=_STATUS[concluded],
        exit_code=_exit_code(record.ended, concluded),
        headline="",
        reasons=(),
        low=low,
        high=high,
        torn=tuple(one.rate for one in known.torn),
        broke_first=_broke_first(high, steps),
        sure_low=sure_low if estimates and low is not None and low.confirmed else None,
        sure_high=(
            sure_high if estimates and high is not None and high.confirmed and high.kind == "broke" else None
        ),
        steps=tuple(steps),
    )
    stopped = next_one.reason if isinstance(next_one, End) else None
    return replace(found, headline=headline(found), reasons=tuple(reasons(found, stopped)))


def _exit_code(ended: Ended, concluded: Conclusion) -> int:
    if ended == "aborted":
        return EXIT_ABORTED
    return EXIT_INTERRUPTED if ended == "interrupted" else EXIT_CODES[_STATUS[concluded]]


def _edge(
    standing: Standing | None, steps: Sequence[StepFindings], outermost: Callable[[Iterable[float]], float]
) -> Edge | None:
    if standing is None:
        return None
    at = [step for step in steps if step.rate == standing.rate]
    counted = [step for step in at if step.outcome == standing.kind]
    return Edge(
        rate=standing.rate,
        achieved=outermost(step.achieved for step in counted),
        kind=standing.kind,
        confirmed=standing.confirmed,
        steps=tuple(step.number for step in at),
    )


def _broke_first(high: Edge | None, steps: Sequence[StepFindings]) -> tuple[ObjectiveFinding, ...]:
    if high is None or high.kind != "broke":
        return ()
    first: dict[str, ObjectiveFinding] = {}
    order: list[str] = []
    for step in steps:
        order = order or [goal.name for goal in step.objectives]
        if step.rate == high.rate:
            for goal in step.objectives:
                if goal.status == "FAIL":
                    first.setdefault(goal.name, goal)
    return tuple(first[name] for name in order if name in first)


def _estimated(goal: ObjectiveFinding) -> bool:
    """Gated on a bound, and not counted."""
    return goal.name in ("success_rate", "approval_rate") or goal.name.startswith("latency_")


def _percentile(findings: Findings, q: float) -> Percentile:
    whole = next((row for row in findings.latency if row.scope == "all"), None)
    if whole is not None:
        for percentile in whole.percentiles:
            if abs(percentile.q - q) < 1e-9:
                return percentile
    return Percentile(q, "not measurable", None, None, None)


def _longer(findings: Findings, record: StepRecord, limits: Limits) -> int | None:
    """How long the step would have to hold to be decided: for the payments that would be enough, where that
    is known, else twice as long."""
    longer = 2 * record.hold_ns
    wanted = [goal.enough for goal in findings.objectives if goal.status == "INCONCLUSIVE"]
    if wanted and all(number is not None for number in wanted):
        most = max(number for number in wanted if number is not None)
        longer = limits.long_enough_ns(most, record.rate)
        if most > longer / _S * record.rate:
            return None
    longer = min(longer, limits.longest_ns)
    return longer if longer > record.hold_ns else None
