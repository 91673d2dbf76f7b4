"""The scenario's objectives, judged: PASS, FAIL or INCONCLUSIVE, each with its reason.

What is an estimate (rates, percentiles) is gated on its one-sided 95% bound; what is a census (uptime of the
drill, counts of wrong money) is judged as counted; times of faults are compared with their bound.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reports import percentile, proportion
from reports.findings import (
    Availability,
    Budget,
    Ended,
    FaultFindings,
    Figure,
    Generator,
    Money,
    MoneyCount,
    ObjectiveFinding,
    Rate,
    State,
    Status,
    SuccessRow,
    Unit,
)
from reports.latency import QUANTILES
from reports.payments import NEVER, Ints
from reports.render.units import count, duration, plural, share
from scenarios.quantities import Bound
from scenarios.schema import MONEY_OBJECTIVES, Objectives

TIMES = ("detection_time", "failover_time", "recovery_time", "failback_time")
NEEDS_SETTLING = frozenset(MONEY_OBJECTIVES[2:]) - {"amount_mismatches"}
"""Counts that are right only after the platform had its time to resolve what was open."""

Side = Literal["pass", "fail", "open"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the objectives are judged by."""

    objectives: Objectives
    ended: Ended
    ended_why: str
    generator: Generator
    success: SuccessRow | None
    latencies_ns: Ints
    """Sorted latencies of the payments sent, ``NEVER`` where no answer came."""
    availability: Availability
    budget: Budget | None
    faults: tuple[FaultFindings, ...]
    money: Money


def judge_objectives(
    judged: Judged, best: Callable[[], Judged] | None = None, worst: Callable[[], Judged] | None = None
) -> tuple[ObjectiveFinding, ...]:
    """Every objective that the scenario names, in the schema's order.

    Args:
        judged: As measured.
        best: As if everything had gone well whose failure the generator may have caused; asked for where an
            objective fails.
        worst: As if everything had failed that the generator left unseen; asked for where one passes;
            ``None`` where nothing was left unseen.
    """
    at_best = functools.cache(best) if best else None
    at_worst = functools.cache(worst) if worst else None
    found = []
    for name in Objectives.model_fields:
        wanted = getattr(judged.objectives, name)
        if wanted is None:
            continue
        bound: Bound = wanted.target if name == "monthly_uptime" else wanted
        finding = _judge(name)(judged, name, bound)
        if name not in MONEY_OBJECTIVES:
            if name != "detection_time":
                finding = _whatever_the_generator_did(finding, bound, at_best, at_worst)
            finding = _if_it_can_be_judged(judged, name, finding)
        found.append(finding)
    return tuple(found)


def _whatever_the_generator_did(
    finding: ObjectiveFinding,
    bound: Bound,
    best: Callable[[], Judged] | None,
    worst: Callable[[], Judged] | None,
) -> ObjectiveFinding:
    """Take back a judgement that what the generator failed to do could have turned."""
    name, why = finding.name, ""
    if finding.status == "FAIL" and best is not None and _judge(name)(best(), name, bound).status != "FAIL":
        why = "it might hold, had the load generator sent every payment when it was due"
    if finding.status == "PASS" and worst is not None and _judge(name)(worst(), name, bound).status != "PASS":
        why = "it might not hold, had the load generator sent every payment and seen what became of it"
    if not why:
        return finding
    return replace(finding, status="INCONCLUSIVE", why=f"{finding.why}; but {why}", enough=None)


def _judge(name: str) -> Callable[[Judged, str, Bound], ObjectiveFinding]:
    if name in MONEY_OBJECTIVES:
        return _count
    if name in TIMES:
        return _time
    if name.startswith("latency_"):
        return _latency
    return {
        "uptime": _uptime,
        "monthly_uptime": _monthly_uptime,
        "success_rate": _rate,
        "approval_rate": _rate,
    }[name]


def untested(faults: tuple[FaultFindings, ...]) -> str:
    """Which faults never hit anything, as a sentence; empty if all did."""
    idle = [
        f"{fault.name} on {fault.on} " + ("never started" if fault.true_start_ns is None else "hit nothing")
        for fault in faults
        if not fault.hits or fault.true_start_ns is None
    ]
    return f"{'; '.join(idle)}: it tested nothing" if idle else ""


def _if_it_can_be_judged(judged: Judged, name: str, finding: ObjectiveFinding) -> ObjectiveFinding:
    """Take back a judgement that rests on a load that was not the one asked for, on a drill that was cut
    short, or on a fault that hit nothing.

    A drill that was stopped because things were as bad as its scenario allows has shown what it has shown: an
    objective that is broken by then stays broken. One that was not might have been later, and what had not
    come back might have come back.
    """
    obstacle = ""
    broken = finding.status == "FAIL" and finding.state == "measured"
    if judged.ended != "complete" and not (judged.ended == "stopped" and broken):
        obstacle = f"the drill was {judged.ended}: {judged.ended_why}"
    elif _spoiled(judged, name, finding):
        obstacle = judged.generator.why
    elif name in (*TIMES, "monthly_uptime"):
        obstacle = untested(judged.faults)
    return replace(finding, status="INCONCLUSIVE", why=obstacle, enough=None) if obstacle else finding


def _spoiled(judged: Judged, name: str, finding: ObjectiveFinding) -> bool:
    """Whether the generator takes the judgement back. A failure that stands in the best case stays one,
    unless payments are missing altogether: what is not on record is in no case."""
    if name == "detection_time" or judged.generator.sound:
        return False
    return finding.status != "FAIL" or judged.generator.missing > 0


def _finding(
    name: str,
    bound: Bound,
    unit: Unit,
    status: Status,
    why: str,
    *,
    state: State = "measured",
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    n: int | None = None,
    enough: int | None = None,
    fault: str = "",
) -> ObjectiveFinding:
    return ObjectiveFinding(
        name, bound.text, bound.value, unit, status, state, value, low, high, n, enough, fault, why
    )


def _rate(judged: Judged, name: str, bound: Bound) -> ObjectiveFinding:
    row = judged.success
    rate = (row.success if name == "success_rate" else row.approval) if row else None
    if rate is None or rate.value is None:
        return _finding(
            name, bound, "share", "INCONCLUSIVE", "no payment was sent", state="not measurable", n=0
        )
    gate = proportion.gate(rate.successes, rate.n, rate.dispersion)
    status, why, enough = _rate_status(rate, gate, bound)
    missed = f"{count(rate.n - rate.successes)} of {plural(rate.n, 'payment')} did not"
    why = f"{missed} {'succeed' if name == 'success_rate' else 'get approved'}; {why}"
    return _finding(
        name,
        bound,
        "share",
        status,
        why,
        value=rate.value,
        low=gate.low,
        high=gate.high,
        n=rate.n,
        enough=enough,
    )


def _rate_status(rate: Rate, gate: proportion.Gate, bound: Bound) -> tuple[Status, str, int | None]:
    assert rate.value is not None
    if bound.holds(gate.low):
        return "PASS", f"with 95% confidence the rate is at least {share(gate.low, bound.value)}", None
    if not bound.holds(gate.high):
        return "FAIL", f"with 95% confidence the rate is at most {share(gate.high, bound.value)}", None
    failures = (rate.n - rate.successes) / rate.dispersion
    size = proportion.enough(failures, rate.n / rate.dispersion, bound.value)
    if size is None:
        why = (
            f"the rate measured, {share(rate.value, bound.value)}, is not above the objective, but not surely"
        )
        return "INCONCLUSIVE", f"{why} below it either: no number of payments at this rate would pass", None
    enough = int(np.ceil(size * rate.dispersion))
    if bound.holds(gate.plain_low):
        why = (
            f"the failures came in bursts (they vary {rate.dispersion:.3g} times as much as independent "
            f"ones), so these payments tell as much as {plural(gate.effective_n, 'independent one')}: "
            f"at least {share(gate.low, bound.value)}"
        )
    else:
        why = f"too few payments: with 95% confidence the rate is at least {share(gate.low, bound.value)}"
    return "INCONCLUSIVE", f"{why}; {plural(enough, 'payment')} at this rate would be enough", enough


def _latency(judged: Judged, name: str, bound: Bound) -> ObjectiveFinding:
    short = name.removeprefix("latency_")
    q, ordered = QUANTILES[short], judged.latencies_ns
    n = len(ordered)
    if not n:
        return _finding(name, bound, "ns", "INCONCLUSIVE", "no payment was sent", state="not measurable", n=0)
    value = int(ordered[percentile.rank(q, n)])
    lower, upper = percentile.lower_rank(q, n), percentile.upper_rank(q, n)
    low = int(ordered[lower]) if lower is not None else None
    high = int(ordered[upper]) if upper is not None else None
    never = "later than any answer (too many payments had none)"
    enough: int | None = None
    if high is not None and high != NEVER and bound.holds(high):
        status: Status = "PASS"
        why = f"with 95% confidence it is at most {duration(high)}"
    elif low is not None and not bound.holds(low):
        status = "FAIL"
        why = f"with 95% confidence it is at least {duration(low) if low != NEVER else never}"
    else:
        status = "INCONCLUSIVE"
        late = n - int(np.count_nonzero(_within(ordered, bound)))
        size = proportion.enough(late, n, q)
        if size is None:
            why = "what was measured is not below the bound, but not surely above it either"
        else:
            enough = max(size, percentile.enough(q))
            reached = "has no upper bound" if high is None else "may be above the bound"
            why = f"{plural(n, 'payment')} are too few: the percentile {reached}; "
            why += f"{count(enough)} would be enough"
    return _finding(
        name,
        bound,
        "ns",
        status,
        why,
        state="never" if value == NEVER else "measured",
        value=_finite(value),
        low=_finite(low),
        high=_finite(high),
        n=n,
        enough=enough,
    )


def _within(ordered: Ints, bound: Bound) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    within: np.ndarray[tuple[int], np.dtype[np.bool_]]
    within = ordered < bound.value if bound.comparison == "<" else ordered <= bound.value
    return within


def _finite(ns: int | None) -> float | None:
    return None if ns is None or ns == NEVER else float(ns)


def _uptime(judged: Judged, name: str, bound: Bound) -> ObjectiveFinding:
    up = judged.availability.measured
    if up.net is None:
        why = "there is no time to judge: no payment was sent, or all of it was announced maintenance"
        return _finding(name, bound, "share", "INCONCLUSIVE", why, state="not measurable", n=0)
    why = f"{duration(up.net_bad_ns)} of {duration(up.net_good_ns + up.net_bad_ns)} were bad"
    if up.excluded_ns:
        why += f" ({duration(up.excluded_ns)} of announced maintenance left out)"
    if up.unobserved_ns:
        why += f" ({duration(up.unobserved_ns)} not observed, for the load generator failed in it)"
    return _finding(
        name,
        bound,
        "share",
        "PASS" if bound.holds(up.net) else "FAIL",
        why,
        value=up.net,
        n=sum(part.due for part in judged.availability.slices),
    )


def _monthly_uptime(judged: Judged, name: str, bound: Bound) -> ObjectiveFinding:
    spent = judged.budget
    if spent is None or spent.monthly_uptime is None or spent.incidents_per_month is None:
        why = "the drill had no incident to measure"
        return _finding(name, bound, "share", "INCONCLUSIVE", why, state="not measurable")
    if judged.availability.measured.net is None:
        why = "there is no time to judge"
        return _finding(name, bound, "share", "INCONCLUSIVE", why, state="not measurable")
    why = (
        f"{duration(spent.downtime_per_incident_ns)} down per incident, {spent.incidents_per_month:g} "
        f"incidents a month: {duration(spent.downtime_per_incident_ns * spent.incidents_per_month)} of "
        f"{duration(spent.budget_ns)}"
    )
    status: Status = "PASS" if bound.holds(spent.monthly_uptime) else "FAIL"
    return _finding(name, bound, "share", status, why, value=spent.monthly_uptime)


def _time(judged: Judged, name: str, bound: Bound) -> ObjectiveFinding:
    """The worst fault decides: a failed one before an undecided one, and the longest time among equals."""
    kind = name.removesuffix("_time")
    judgements = []
    for fault in judged.faults:
        figure: Figure = getattr(fault, kind)
        status, why = _time_status(figure, bound)
        about = f"{fault.name} on {fault.on}: {why}"
        value = None if figure.measured_ns is None else float(figure.measured_ns)
        judgements.append(
            _finding(name, bound, "ns", status, about, state=figure.state, value=value, n=1, fault=fault.id)
        )
    if not judgements:
        why = "the scenario has no faults"
        return _finding(name, bound, "ns", "INCONCLUSIVE", why, state="not measurable", n=0)
    order = {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2}
    worst = min(
        judgements,
        key=lambda finding: (
            order[finding.status],
            -(finding.value if finding.value is not None else float("inf")),
            finding.fault,
        ),
    )
    return replace(worst, n=len(judgements))


def _time_status(figure: Figure, bound: Bound) -> tuple[Status, str]:
    if figure.state == "never":
        return "FAIL", f"never: {figure.why}"
    if figure.measured_ns is None:
        return "INCONCLUSIVE", f"not measurable: {figure.why}"
    said = duration(figure.measured_ns) + (f" ({figure.why})" if figure.why else "")
    if not bound.holds(figure.measured_ns):
        return "FAIL", said
    if figure.resolution_ns is not None and not bound.holds(figure.measured_ns + figure.resolution_ns):
        return "INCONCLUSIVE", f"{said}, known only to within {duration(figure.resolution_ns)}"
    return "PASS", said


def _count(judged: Judged, name: str, bound: Bound) -> ObjectiveFinding:
    counted: MoneyCount = getattr(judged.money, name)
    orders = judged.money.orders + judged.money.probe_orders
    cut_short = judged.ended not in ("complete", "stopped") and name in NEEDS_SETTLING
    if cut_short:
        status: Status = "INCONCLUSIVE"
        why = f"{count(counted.count)} so far; the drill was {judged.ended} before open outcomes could settle"
    elif not bound.holds(counted.count):
        status, why = "FAIL", f"{plural(counted.count, 'order')}: {counted.what}"
    elif not counted.complete:
        status = "INCONCLUSIVE"
        why = f"{count(counted.count)} found, but the evidence is incomplete: {counted.why}"
    else:
        status, why = "PASS", f"{count(counted.count)} in {plural(orders, 'order')}"
    return _finding(name, bound, "count", status, why, value=float(counted.count), n=orders)
