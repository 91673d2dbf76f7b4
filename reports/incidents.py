"""Incidents, their downtime, and what they would leave of a month's error budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.findings import Budget, Incident, Slice
from scenarios.schema import Fault, Scenario

MONTH_NS = 30 * 24 * 3600 * 1_000_000_000
USUAL_TARGET = 0.999
"""Three nines, 43.2 minutes in 30 days, unless the scenario has an objective of its own."""


def incidents(
    faults: Sequence[tuple[str, Fault]], cut: Sequence[Slice], load_end_ns: int, timeout_ns: int
) -> tuple[Incident, ...]:
    """Faults that overlap or touch, as one incident each; faults after the end of the load are none. Each
    repetition of a fault is one of its own, a fault that flaps is one for all of its flaps.

    The bad time of an incident runs to the next incident. It begins one client time-out before the fault,
    because payments that were in flight when it struck were due before it.

    Args:
        faults: Pairs of id and fault.
        cut: The slices of the load.
        load_end_ns: Until when payments were asked for.
        timeout_ns: The client's time-out.
    """
    groups: list[tuple[int, int, list[str]]] = []
    windows = [(window.start_ns, window.stop_ns, name) for name, f in faults for window in f.timing.windows()]
    for begin, end, name in sorted(windows):
        if begin >= load_end_ns:
            continue
        if groups and begin <= groups[-1][1]:
            start, stop, names = groups[-1]
            groups[-1] = (start, max(stop, end), names if name in names else [*names, name])
        else:
            groups.append((begin, end, [name]))
    if not groups:
        return ()
    begins = [*(start - timeout_ns for start, _, _ in groups[1:]), load_end_ns]
    return tuple(
        Incident(start, stop, tuple(names), bad_time(cut, start - timeout_ns, until))
        for (start, stop, names), until in zip(groups, begins, strict=True)
    )


def bad_time(cut: Sequence[Slice], start_ns: int, stop_ns: int) -> int:
    """Bad time, net of maintenance, of the slices that begin in [start_ns, stop_ns)."""
    return sum(
        part.stop_ns - part.start_ns - part.excluded_ns
        for part in cut
        if part.bad and start_ns <= part.start_ns < stop_ns
    )


def budget(scenario: Scenario, found: Sequence[Incident], cut: Sequence[Slice]) -> Budget | None:
    """What the incidents would leave of a month; ``None`` without incidents.

    monthly uptime = 1 - downtime per incident x incidents per month / 30 days, and not below 0.
    """
    if not found:
        return None
    wanted = scenario.objectives.monthly_uptime
    floor = wanted.target if wanted else scenario.objectives.uptime
    target = floor.value if floor else USUAL_TARGET
    allowed = round((1 - target) * MONTH_NS)
    # Each incident's part is its own; bad time before the first incident counts as well.
    downtime = round(bad_time(cut, 0, MONTH_NS) / len(found))
    share = downtime / allowed if allowed else math.inf if downtime else 0.0
    return Budget(
        target=target,
        budget_ns=allowed,
        downtime_per_incident_ns=downtime,
        share_used=share if math.isfinite(share) else None,
        affordable=allowed // downtime if downtime else None,
        incidents_per_month=wanted.incidents if wanted else None,
        monthly_uptime=max(0.0, 1 - downtime * wanted.incidents / MONTH_NS) if wanted else None,
    )
