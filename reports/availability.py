"""Uptime over slices of a second (OpenSLO calls them Timeslices): a census of the drill."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from reports.findings import Slice, Uptime
from reports.payments import Payments
from scenarios.schema import GOOD_SHARE, LEAST_IN_SLICE

SLICE_NS = 1_000_000_000

Windows = Sequence[tuple[int, int]]


def slices(payments: Payments, load_end_ns: int, maintenance: Windows, truth: bool) -> tuple[Slice, ...]:
    """Cut [0, load_end_ns) into slices by due time.

    A slice lasts a second (the last one may be shorter). One with fewer than 20 payments due is joined with
    the next, the last with the one before it; if there are fewer than 20 in all, one slice is left. It is
    good when at least 98% of its payments succeed. A load without payments has no slices.

    Args:
        payments: Those that were sent.
        load_end_ns: Until when payments were asked for.
        maintenance: Announced windows (start, stop).
        truth: Whether there are gateway records for ``true_successes``.
    """
    if load_end_ns <= 0 or not len(payments):
        return ()
    edges = [*range(0, load_end_ns, SLICE_NS), load_end_ns]
    at = np.searchsorted(payments.due_ns, edges)
    successes = np.concatenate(([0], np.cumsum(payments.success)))
    true_successes = np.concatenate(([0], np.cumsum(payments.true_success)))
    cuts = [0]
    for number in range(1, len(edges)):
        if at[number] - at[cuts[-1]] >= LEAST_IN_SLICE:
            cuts.append(number)
    if cuts[-1] != len(edges) - 1:
        # The rest at the end is too small for a slice of its own.
        cuts[max(1, len(cuts) - 1) :] = [len(edges) - 1]
    made = []
    for first, last in pairwise(cuts):
        due = int(at[last] - at[first])
        seen = int(successes[at[last]] - successes[at[first]])
        true = int(true_successes[at[last]] - true_successes[at[first]])
        made.append(
            Slice(
                start_ns=edges[first],
                stop_ns=edges[last],
                due=due,
                successes=seen,
                good=is_good(seen, due),
                true_successes=true if truth else None,
                true_good=is_good(true, due) if truth else None,
                excluded_ns=overlap(edges[first], edges[last], maintenance),
            )
        )
    return tuple(made)


def is_good(successes: int, due: int) -> bool:
    """At least 98% of the payments due; in whole numbers, so that 49 of 50 is 98%."""
    return 100 * successes >= round(100 * GOOD_SHARE) * due


def uptime(cut: Sequence[Slice], *, true: bool = False) -> Uptime:
    """Good and bad time of the slices; by the gateways' records if ``true``."""
    good = bad = net_good = net_bad = 0
    for part in cut:
        length = part.stop_ns - part.start_ns
        if part.true_good if true else part.good:
            good += length
            net_good += length - part.excluded_ns
        else:
            bad += length
            net_bad += length - part.excluded_ns
    return Uptime(
        good_ns=good,
        bad_ns=bad,
        net_good_ns=net_good,
        net_bad_ns=net_bad,
        excluded_ns=good + bad - net_good - net_bad,
        gross=good / (good + bad) if good + bad else None,
        net=net_good / (net_good + net_bad) if net_good + net_bad else None,
    )


def overlap(start_ns: int, stop_ns: int, windows: Windows) -> int:
    """The time within [start_ns, stop_ns) that lies in at least one window."""
    covered, reached = 0, start_ns
    for begin, end in sorted(windows):
        begin, end = max(begin, reached), min(end, stop_ns)
        if end > begin:
            covered += end - begin
            reached = end
    return covered
