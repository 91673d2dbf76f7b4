"""The whole distribution of latency, tail first: the points of the percentile plot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from reports.payments import Ints
from reports.series import Floats, seconds

POINTS = 240


@dataclass(frozen=True, slots=True)
class Tail:
    """Latency against percentile of one part of the payments; all arrays have one length.

    Attributes:
        name: Which part.
        n: Payments, those without an answer included.
        unanswered: Those without an answer; they are slower than everything.
        q: Percentiles as parts of 1, ascending, evenly spaced in log10(1 / (1 - q)), up to 1 - 1/(2n).
        value: Latency in seconds; infinite where the percentile falls on a payment without an answer.
        low: Lower end of the two-sided 95% order-statistic interval; NaN where there is none.
        high: Upper end; infinite where it falls on no answer, NaN where the sample is too small to have one.
    """

    name: str
    n: int
    unanswered: int
    q: Floats
    value: Floats
    low: Floats
    high: Floats


def tail_of(name: str, latency_ns: Ints) -> Tail:
    """The percentiles of latencies in any order; ``NEVER`` is no answer.

    The interval of the q-th percentile runs between the order statistics whose ranks are the 2.5% and 97.5%
    points of Binomial(n, q) (David and Nagaraja, Order Statistics, 2003, section 7.1).
    """
    n = len(latency_ns)
    ranked = np.sort(seconds(latency_ns))
    if not n:
        nothing: Floats = np.zeros(0)
        return Tail(name, 0, 0, nothing, nothing, nothing, nothing)
    q = 1 - 10 ** -np.linspace(0, np.log10(2 * n), POINTS)
    value = ranked[np.clip(np.ceil(q * n).astype(np.int64), 1, n) - 1]
    first = stats.binom.ppf(0.025, n, q).astype(np.int64)
    last = stats.binom.ppf(0.975, n, q).astype(np.int64) + 1
    low = np.where(first >= 1, ranked[np.clip(first, 1, n) - 1], np.nan)
    high = np.where(last <= n, ranked[np.clip(last, 1, n) - 1], np.nan)
    return Tail(name, n, int(np.isinf(ranked).sum()), q, value, low, high)
