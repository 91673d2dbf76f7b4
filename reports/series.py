"""Time series for the plots: the payments of a run folded into bins of their due time.

Every figure has the due time on its axis, so a slow answer shows where the payment was asked for, and the
plots are drawn from some hundred bins, whatever the number of payments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.observed import unobserved
from reports.payments import NEVER, Bools, Coded, Ints, Payments

Floats = npt.NDArray[np.float64]

SECOND = 1_000_000_000
MOST_BINS = 400
FULL = 10
"""Payments that a bin should hold on average, or its percentiles are noise."""
FEW_BINS = 30
"""With no more bins than this, they are not made wider for lack of payments."""
WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""Widths of a bin in seconds; the first that is wide enough is taken."""


@dataclass(frozen=True, slots=True)
class Series:
    """Payments per bin; every array has one element per bin.

    Attributes:
        edges: Edges of the bins in seconds; one more than there are bins. The last bin ends with the load,
            so it may be shorter.
        due: Payments due in the bin, those never sent included.
        sent: Payments due in the bin that the generator sent, and saw the end of.
        left: Payments that were sent within the bin, whenever they were due.
        good: Payments due in the bin that were client successes.
        p50: Median latency in seconds of the bin's sent payments, of the open loop if there is one; infinite
            where that payment had no answer, NaN where nothing was sent.
        p99: The 99th percentile likewise.
        late_p50: Median lateness in seconds (sent - due) of all that were due in the bin and sent, NaN
            without any.
        late_p99: The 99th percentile likewise.
        late_max: The greatest lateness.
        by_gateway: Gateway -> payments answered with its name; ``""`` for answers that name none.
    """

    edges: Floats
    due: Ints
    sent: Ints
    left: Ints
    good: Ints
    p50: Floats
    p99: Floats
    late_p50: Floats
    late_p99: Floats
    late_max: Floats
    by_gateway: dict[str, Ints]

    @property
    def lengths(self) -> Floats:
        """Seconds in each bin."""
        return np.diff(self.edges)

    @property
    def every(self) -> str:
        """How long a bin is, for a caption: ``second``, ``5 s``."""
        width = float(self.edges[1] - self.edges[0])
        return "second" if width == 1 else f"{width:.3g} s"

    @property
    def middles(self) -> Floats:
        return (self.edges[:-1] + self.edges[1:]) / 2

    @property
    def success(self) -> Floats:
        """Successes / payments sent, NaN where nothing was sent."""
        return _ratio(self.good, self.sent)

    @property
    def shares(self) -> dict[str, Floats]:
        """Gateway -> its part of the bin's answers; zero in a bin without any."""
        total = sum(self.by_gateway.values(), np.zeros(len(self.due), np.int64))
        return {name: np.nan_to_num(_ratio(n, total)) for name, n in self.by_gateway.items()}


def _ratio(part: Ints, whole: Ints) -> Floats:
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def bin_edges(end_ns: int, payments: int) -> Floats:
    """Edges in seconds from 0 to ``end_ns``; a rest shorter than half a bin joins the bin before it."""
    end = max(end_ns / SECOND, 1e-3)

    def wide_enough(width: int) -> bool:
        bins = end / width
        return bins <= MOST_BINS and (payments / bins >= FULL or bins <= FEW_BINS)

    width = next(filter(wide_enough, WIDTHS), WIDTHS[-1])
    edges = np.arange(0.0, end, width)
    if len(edges) > 1 and end - edges[-1] < width / 2:
        edges = edges[:-1]
    return np.append(edges, end)


def series_from(payments: Payments, end_ns: int, timeout_ns: int) -> Series:
    """The series of a run whose load ended at ``end_ns``; ``timeout_ns`` is when a customer gives up."""
    return series_of(
        due_ns=payments.due_ns,
        sent=~unobserved(payments, timeout_ns),
        good=payments.success,
        latency_ns=payments.latency_ns,
        lateness_ns=payments.lateness_ns,
        gateway=payments.gateway,
        end_ns=end_ns,
        timed=payments.open_loop if payments.open_loop.any() else None,
    )


def series_of(
    due_ns: Ints,
    sent: Bools,
    good: Bools,
    latency_ns: Ints,
    lateness_ns: Ints,
    gateway: Coded,
    end_ns: int,
    timed: Bools | None = None,
) -> Series:
    """Fold payments, in any order, into bins.

    Args:
        due_ns: Due times; what is due after ``end_ns`` counts into the last bin.
        sent: Whether the generator sent it, and saw its end.
        good: Whether it was a client success.
        latency_ns: Answered minus due; ``NEVER`` without an answer.
        lateness_ns: Sent minus due; ``NEVER`` if it was not sent.
        gateway: The gateway that the answer names, empty if none.
        end_ns: End of the load, or of what ran of it.
        timed: Whose latencies count; all by default.
    """
    edges = bin_edges(end_ns, len(due_ns))
    bins = len(edges) - 1

    def placed(at_ns: Ints) -> Ints:
        return np.clip(np.searchsorted(edges, at_ns / SECOND, side="right") - 1, 0, bins - 1)

    place = placed(due_ns)

    def counted(which: Bools) -> Ints:
        return np.bincount(place[which], minlength=bins).astype(np.int64)

    answered = latency_ns != NEVER
    shown = sent if timed is None else sent & timed
    p50, p99 = _percentiles(place[shown], seconds(latency_ns[shown]), bins, (0.5, 0.99))
    left = lateness_ns != NEVER
    late_p50, late_p99, late_max = _percentiles(
        place[left], seconds(lateness_ns[left]), bins, (0.5, 0.99, 1.0)
    )
    named = {name: counted(answered & gateway.equal(name)) for name in gateway.names}
    return Series(
        edges=edges,
        due=counted(np.ones(len(due_ns), np.bool_)),
        sent=counted(sent),
        left=np.bincount(placed(due_ns[left] + lateness_ns[left]), minlength=bins).astype(np.int64),
        good=counted(good),
        p50=p50,
        p99=p99,
        late_p50=late_p50,
        late_p99=late_p99,
        late_max=late_max,
        by_gateway={name: counts for name, counts in named.items() if counts.any()},
    )


def seconds(times_ns: Ints) -> Floats:
    """Nanoseconds -> seconds, ``NEVER`` -> infinite."""
    return np.where(times_ns == NEVER, np.inf, times_ns / SECOND)


def _percentiles(place: Ints, values_s: Floats, bins: int, levels: tuple[float, ...]) -> list[Floats]:
    """Nearest-rank percentiles of every bin, in one sort."""
    order = np.lexsort((values_s, place))
    ranked = values_s[order]
    sizes = np.bincount(place, minlength=bins)
    firsts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    out = []
    for level in levels:
        values = np.full(bins, np.nan)
        some = sizes > 0
        rank = np.maximum(np.ceil(level * sizes[some]).astype(np.int64), 1) - 1
        values[some] = ranked[firsts[some] + rank]
        out.append(values)
    return out
