"""Shares of payments: exact bounds, and how far bursts of failures weaken them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from reports.findings import Rate

CONFIDENCE = 0.95
"""Of every bound: one-sided when it gates, two-sided when it is printed as an interval."""

BLOCKS_S = (1, 2, 5, 10)
"""Lengths of the blocks of time, in seconds, over which failures are compared."""

LEAST_IN_BLOCK = 20
LEAST_BLOCKS = 6
_S = 1_000_000_000
_MOST = 10**9


def lower_bound(successes: float, n: float, confidence: float = CONFIDENCE) -> float:
    """The one-sided lower bound of a share by Clopper and Pearson (Biometrika 26, 1934): the beta quantile
    B(1 - confidence; successes, n - successes + 1). Needs ``0 <= successes <= n``; 0 without successes."""
    if successes <= 0:
        return 0.0
    return float(betaincinv(successes, n - successes + 1, 1 - confidence))


def upper_bound(successes: float, n: float, confidence: float = CONFIDENCE) -> float:
    """The one-sided upper bound: B(confidence; successes + 1, n - successes); 1 without failures."""
    if successes >= n:
        return 1.0
    return float(betaincinv(successes + 1, n - successes, confidence))


def enough(failures: float, n: float, target: float) -> int | None:
    """The smallest number of payments at which the measured rate would assert ``target``.

    Failures are scaled pro rata, as a real number. 149 for no failures and 98%, 2,995 for 99.9%.

    Returns:
        ``None`` when no number is enough (the measured rate itself is not above the target), or none
        below a thousand million.
    """
    share = failures / n if n else 0.0
    if 1 - share <= target:
        return None

    def asserts(size: int) -> bool:
        return lower_bound(size * (1 - share), size) >= target

    high = 1
    while not asserts(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if asserts(middle) else (middle, high)
    return high


def dispersion(due_ns: NDArray[np.int64], failed: NDArray[np.bool_]) -> float:
    """How many times more failures vary between blocks of time than independent ones would.

    For each block length the Pearson statistic of failures per block against one common rate, over its
    degrees of freedom: sum((x_i - n_i p)^2 / (n_i p (1 - p))) / (k - 1), over the k blocks with at least 20
    payments, if there are at least 6. The greatest of them, and never below 1. It is the factor by which the
    variance of a rate is understated when bursts are taken for independent failures.
    """
    worst = 1.0
    for seconds in BLOCKS_S:
        worst = max(worst, _pearson(due_ns // (seconds * _S), failed))
    return worst


def _pearson(block: NDArray[np.int64], failed: NDArray[np.bool_]) -> float:
    if not len(block):
        return 1.0
    number = block - block.min()
    sizes = np.bincount(number)
    failures = np.bincount(number, weights=failed)
    used = sizes >= LEAST_IN_BLOCK
    sizes, failures = sizes[used], failures[used]
    total, k = sizes.sum(), len(sizes)
    if k < LEAST_BLOCKS or not 0 < failures.sum() < total:
        return 1.0
    p = failures.sum() / total
    statistic = ((failures - sizes * p) ** 2 / (sizes * p * (1 - p))).sum()
    return float(statistic / (k - 1))


@dataclass(frozen=True, slots=True)
class Gate:
    """The one-sided bounds of a rate that decide an objective.

    ``low`` is the smaller of the lower bounds at the counted and at the effective sample size; ``plain_low``
    is the one at the counted size; ``high`` is the upper bound at the counted size.
    """

    low: float
    plain_low: float
    high: float
    effective_n: int


def gate(successes: int, n: int, spread: float) -> Gate:
    """Bounds for a rate whose failures vary ``spread`` times more than independent ones.

    The effective sample has floor(n / spread) payments and ceil(failures / spread) failures.
    """
    if n == 0:
        return Gate(0.0, 0.0, 1.0, 0)
    plain = lower_bound(successes, n)
    effective_n = max(1, math.floor(n / spread))
    failures = min(effective_n, math.ceil((n - successes) / spread))
    effective = lower_bound(effective_n - failures, effective_n)
    return Gate(min(plain, effective), plain, upper_bound(successes, n), effective_n)


def rate(due_ns: NDArray[np.int64], success: NDArray[Any]) -> Rate:
    """A rate with its two-sided 95% interval and its dispersion."""
    n, successes = len(success), int(np.count_nonzero(success))
    if not n:
        return Rate(0, 0, None, None, None, 1.0, 0)
    spread = dispersion(due_ns, cast(NDArray[np.bool_], ~success))
    side = 1 - (1 - CONFIDENCE) / 2
    return Rate(
        successes=successes,
        n=n,
        value=successes / n,
        low=lower_bound(successes, n, side),
        high=upper_bound(successes, n, side),
        dispersion=spread,
        effective_n=math.floor(n / spread),
    )
