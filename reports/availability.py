"""Uptime over slices of a second (OpenSLO calls them Timeslices): a census of the drill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from reports.findings import Slice, Uptime
from reports.observed import doubtful, unobserved
from reports.payments import Payments
from scenarios.schema import GOOD_SHARE, LEAST_IN_SLICE

SLICE_NS = 1_000_000_000

Windows = Sequence[tuple[int, int]]


def slices(
    payments: Payments, timeout_ns: int, load_end_ns: int, maintenance: Windows, truth: bool
) -> tuple[Slice, ...]:
    """Cut [0, load_end_ns) into slices by due time.

    A slice lasts a second (the last one may be shorter). One with fewer than 20 payments due is joined with
    the next, the last with the one before it; if there are fewer than 20 in all, one slice is left. It is
    good when at least 98% of its payments succeed. A load without payments has no slices.

    Payments that the generator did not send as planned are counted both ways. Where that changes nothing, the
    slice is what it is; where they could have decided it, it was not observed.

    Args:
        payments: All of them, the never sent ones included.
        timeout_ns: When a customer gives up.
        load_end_ns: Until when payments were asked for.
        maintenance: Announced windows (start, stop).
        truth: Whether there are gateway records for ``true_successes``.
    """
    if load_end_ns <= 0 or not len(payments):
        return ()
    edges = [*range(0, load_end_ns, SLICE_NS), load_end_ns]
    at = np.searchsorted(payments.due_ns, edges)
    # What was sent a slice later says nothing about the platform in this one.
    elsewhere = payments.sent & (payments.lateness_ns > SLICE_NS)
    unseen = unobserved(payments, timeout_ns) | elsewhere
    seen = ~unseen
    so_far = {
        name: np.concatenate(([0], np.cumsum(mask)))
        for name, mask in {
            "unseen": unseen,
            "good": payments.success & seen,
            "at best": payments.success | unseen | doubtful(payments, timeout_ns),
            "true": payments.true_success & seen,
        }.items()
    }
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
        within = {name: int(sums[at[last]] - sums[at[first]]) for name, sums in so_far.items()}
        looked_at = due - within["unseen"]
        made.append(
            Slice(
                start_ns=edges[first],
                stop_ns=edges[last],
                due=due,
                successes=within["good"],
                good=is_good(within["good"], looked_at),
                true_successes=within["true"] if truth else None,
                true_good=is_good(within["true"], looked_at) if truth else None,
                excluded_ns=overlap(edges[first], edges[last], maintenance),
                unseen=within["unseen"],
                observed=is_good(within["good"], due) == is_good(within["at best"], due),
            )
        )
    return tuple(made)


def is_good(successes: int, due: int) -> bool:
    """At least 98% of the payments due; in whole numbers, so that 49 of 50 is 98%."""
    return 100 * successes >= round(100 * GOOD_SHARE) * due


def uptime(cut: Sequence[Slice], *, true: bool = False) -> Uptime:
    """Good and bad time of the observed slices; by the gateways' records if ``true``."""
    good = bad = net_good = net_bad = unobserved_ns = 0
    for part in cut:
        length = part.stop_ns - part.start_ns
        if not part.observed:
            unobserved_ns += length
        elif part.true_good if true else part.good:
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
        unobserved_ns=unobserved_ns,
    )


def as_if(cut: Sequence[Slice], good: bool) -> tuple[Slice, ...]:
    """The slices, those that were not observed as if they had been, and good or bad."""
    return tuple(part if part.observed else replace(part, observed=True, good=good) for part in cut)


def overlap(start_ns: int, stop_ns: int, windows: Windows) -> int:
    """The time within [start_ns, stop_ns) that lies in at least one window."""
    covered, reached = 0, start_ns
    for begin, end in sorted(windows):
        begin, end = max(begin, reached), min(end, stop_ns)
        if end > begin:
            covered += end - begin
            reached = end
    return covered
