"""Failover, recovery and failback: when payments succeeded again after a fault, and on their old way.

The time axis is the due time of a payment: a payment asked for at t. A payment in flight when a fault
strikes was due before it, so it does not count towards these times; the report names it apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.findings import State
from reports.payments import Bools, Ints
from scenarios.quantities import Bound

RUN_LENGTH = 20
"""Consecutive successes that make a failover, and the fewest payments that make a rate."""

HELD_NS = 5_000_000_000
WINDOW_NS = 1_000_000_000
SHARE_BEFORE_NS = 10_000_000_000
SHARE_WINDOW_NS = 2_000_000_000
SHARE_NEAR_PAYMENTS = 50
NORMAL_99 = 2.326
"""The 99th percentile of the standard normal distribution."""
SHARE_TOLERANCE = 0.10


@dataclass(frozen=True, slots=True)
class Edge:
    """One side (measured or true) of a figure: the time since the fault's edge, and how fine it is known."""

    state: State
    ns: int | None
    resolution_ns: int | None
    why: str


def _not_measurable(why: str) -> Edge:
    return Edge("not measurable", None, None, why)


def failover(due_ns: Ints, success: Bools, start_ns: int, stop_ns: int) -> Edge:
    """Fault started -> the first of 20 consecutive successes, in due order, while the fault is still on.

    Args:
        due_ns: Due times, ascending.
        success: Whether each payment succeeded.
        start_ns: The fault's start.
        stop_ns: Its stop; the run may end after it, but must begin before.
    """
    first, end = (int(index) for index in np.searchsorted(due_ns, (start_ns, stop_ns)))
    if end - first < RUN_LENGTH:
        return _not_measurable(f"fewer than {RUN_LENGTH} payments were due while the fault was on")
    passed = np.concatenate(([0], np.cumsum(success[first:])))
    whole = np.flatnonzero(passed[RUN_LENGTH:] - passed[:-RUN_LENGTH] == RUN_LENGTH)
    whole = whole[whole < end - first]
    if len(whole):
        at = first + int(whole[0])
        why = "no payment that was due while it was on failed" if success[first:end].all() else ""
        return Edge("measured", int(due_ns[at]) - start_ns, _gap(due_ns, at, start_ns), why)
    if len(due_ns) - end < RUN_LENGTH - 1 and bool(success[max(end - 1, first) :].all()):
        return _not_measurable(f"the load ended before {RUN_LENGTH} payments in a row could succeed")
    return Edge("never", None, None, f"no {RUN_LENGTH} payments in a row succeeded while the fault was on")


def recovery(due_ns: Ints, success: Bools, window: tuple[int, int], load_end_ns: int, target: Bound) -> Edge:
    """Fault started -> the success rate is back at its objective, and holds it for 5 s and for as long as the
    fault is on.

    The smallest due time t, not before the start, of a payment that succeeded, such that every window that
    begins with a payment due in [t, t + 4 s], or in [t, stop - 1 s], holds the objective. A window takes in
    the payments due within 1 s of its first one, and at least 20 payments. Without the second, a platform
    whose refuge breaks down ten seconds into an outage would have recovered at once.

    Args:
        due_ns: Due times, ascending.
        success: Whether each payment succeeded.
        window: Start and stop of the fault.
        load_end_ns: Until when payments were asked for.
        target: The objective on the success rate.
    """
    start_ns, stop_ns = window
    first = int(np.searchsorted(due_ns, start_ns))
    due, good = due_ns[first:], success[first:]
    if len(due) < RUN_LENGTH:
        return _not_measurable(f"fewer than {RUN_LENGTH} payments were due after the fault had started")
    index = np.arange(len(due))
    end = np.maximum(np.searchsorted(due, due + WINDOW_NS), index + RUN_LENGTH)
    passed = np.concatenate(([0], np.cumsum(good)))
    whole = index + RUN_LENGTH <= len(due)
    size = np.minimum(end, len(due)) - index
    share = (passed[np.minimum(end, len(due))] - passed[index]) / size
    bad = whole & ~(share >= target.value if target.comparison == ">=" else share > target.value)
    next_bad = np.where(bad, due, np.iinfo(np.int64).max)
    next_bad = np.minimum.accumulate(next_bad[::-1])[::-1]
    held = good & (next_bad > np.maximum(due + HELD_NS, min(stop_ns, load_end_ns)) - WINDOW_NS)
    recovered = np.flatnonzero(held & (due + HELD_NS <= load_end_ns))
    if len(recovered):
        at = int(recovered[0])
        why = "the success rate of what was due after the start did not drop" if at == 0 else ""
        return Edge("measured", int(due[at]) - start_ns, _gap(due_ns, first + at, start_ns), why)
    if (held & whole).any():
        return _not_measurable("the success rate was not held for 5 s before the load ended")
    return Edge("never", None, None, "the success rate did not come back before the load ended")


def failback(
    times_ns: Ints, mine: Bools, window: tuple[int, int], load_end_ns: int, calm_ns: int | None = None
) -> Edge:
    """Fault stopped -> the gateway's share of the answered payments is back within 10% of what it was.

    Before: the share over the 10 s before the start (of the incident, if the fault is not the first of it),
    or as much of them as there is. After: the first t (the
    stop itself, or a payment's time after it) with the share over [t, t + 2 s) within 10%, relatively, and
    with no less of the first 50 payments from t on than a share as before gives in 99 of 100 draws. Without
    the second, a gateway that stays away for up to 10% of the window would seem to be back at once.

    Args:
        times_ns: A time for each answered payment, ascending.
        mine: Whether the gateway answered it.
        window: Start and stop of the fault.
        load_end_ns: Until when payments were asked for.
        calm_ns: Until when no fault of the incident was on; the start, if it is left out.
    """
    start, stop = window
    calm = start if calm_ns is None else min(calm_ns, start)
    reference = slice(*np.searchsorted(times_ns, (calm - SHARE_BEFORE_NS, calm)))
    if not mine[reference].any():
        return _not_measurable("the gateway had no traffic before the fault")
    before = mine[reference].mean()
    if load_end_ns < stop + SHARE_WINDOW_NS:
        return _not_measurable("the load ended within 2 s of the fault's stop")
    first = int(np.searchsorted(times_ns, stop))
    after = times_ns[first:]
    starts = np.concatenate(([stop], after[after > stop]))
    starts = starts[starts + SHARE_WINDOW_NS <= load_end_ns]
    total = np.concatenate(([0], np.cumsum(mine)))
    low, high = (np.searchsorted(times_ns, starts + shift) for shift in (0, SHARE_WINDOW_NS))
    share = (total[high] - total[low]) / np.maximum(high - low, 1)
    near = np.minimum(low + SHARE_NEAR_PAYMENTS, high)
    near_share = (total[near] - total[low]) / np.maximum(near - low, 1)
    chance = NORMAL_99 * np.sqrt(before * (1 - before) / np.maximum(near - low, 1))
    back = np.flatnonzero(
        (high > low)
        & (np.abs(share - before) <= SHARE_TOLERANCE * before)
        & (near_share >= before - np.maximum(chance, SHARE_TOLERANCE * before))
    )
    if not len(back):
        return Edge(
            "never", None, None, "the gateway's share of the traffic did not come back before the load ended"
        )
    at = int(starts[back[0]])
    return Edge("measured", at - stop, at - int(starts[max(int(back[0]) - 1, 0)]), "")


def _gap(due_ns: Ints, at: int, start_ns: int) -> int:
    """The time between a payment and the one before it (or the fault's start, if there is none)."""
    before = int(due_ns[at - 1]) if at else start_ns
    return int(due_ns[at]) - before
