"""Percentiles as order statistics, with intervals that assume nothing about the distribution.

Everything works on ranks of a sorted array, so that payments without an answer can take part as
``NEVER``: they are slower than everything.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from reports.findings import Percentile
from reports.payments import NEVER

CONFIDENCE = 0.95


def rank(q: float, n: int) -> int:
    """The index, in a sorted array of ``n`` values, of the smallest value that at least ``q`` of them do not
    exceed."""
    return max(0, math.ceil(q * n - 1e-9) - 1)


def lower_rank(q: float, n: int, confidence: float = CONFIDENCE) -> int | None:
    """The index of the order statistic that is a one-sided lower bound of the q-quantile; ``None`` if ``n``
    is too small for one. The same as ``scipy.stats.quantile_test(...).confidence_interval()``."""
    index = int(binom.ppf(1 - confidence, n, q)) - 1
    return index if index >= 0 else None


def upper_rank(q: float, n: int, confidence: float = CONFIDENCE) -> int | None:
    """The index of the order statistic that is a one-sided upper bound of the q-quantile, or ``None``."""
    index = int(binom.isf(1 - confidence, n, q))
    return index if index < n else None


def enough(q: float, confidence: float = CONFIDENCE) -> int:
    """How many samples an upper bound of the q-quantile needs at least: the smallest n with
    q^n <= 1 - confidence. 59 for p95, 299 for p99, 2,995 for p99.9."""
    return math.ceil(math.log(1 - confidence) / math.log(q) - 1e-9)


def percentile(ordered: NDArray[np.int64], q: float) -> Percentile:
    """The percentile ``q`` of sorted latencies with its two-sided 95% interval."""
    n = len(ordered)
    if not n:
        return Percentile(q, "not measurable", None, None, None)
    side = 1 - (1 - CONFIDENCE) / 2
    value = _value(ordered, rank(q, n))
    return Percentile(
        q=q,
        state="never" if value is None else "measured",
        value_ns=value,
        low_ns=_value(ordered, lower_rank(q, n, side)),
        high_ns=_value(ordered, upper_rank(q, n, side)),
    )


def _value(ordered: NDArray[np.int64], index: int | None) -> int | None:
    if index is None or ordered[index] == NEVER:
        return None
    return int(ordered[index])
