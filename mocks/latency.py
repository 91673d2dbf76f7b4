"""How long a gateway takes: a lognormal distribution given by its median and its 99th percentile, or the
distribution of one's own measurements."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Any

_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)

POINTS = 1001
"""Quantiles by which measurements are handed on: one for each 0.1%, the least and the greatest included."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Lognormal with ``mu = ln p50`` and ``sigma = ln(p99 / p50) / z(0.99)``, where z(0.99) = 2.3263.

    Both percentiles are in nanoseconds; zero for both answers at once.

    Raises:
        ValueError: A percentile is negative, p99 is below p50, or only p50 is zero.
    """

    p50_ns: int
    p99_ns: int

    def __post_init__(self) -> None:
        if self.p50_ns < 0 or self.p99_ns < self.p50_ns:
            raise ValueError(f"latency: 0 <= p50 <= p99 is needed, not {self.p50_ns} ns and {self.p99_ns} ns")
        if self.p50_ns == 0 and self.p99_ns > 0:
            raise ValueError("latency: a lognormal with a median of zero is zero, so p99 must be zero too")

    def quantile(self, share: float) -> int:
        """Nanoseconds within which this share of requests is answered; ``0 < share < 1``."""
        if self.p50_ns == 0:
            return 0
        sigma = math.log(self.p99_ns / self.p50_ns) / _Z99
        return round(self.p50_ns * math.exp(sigma * _NORMAL.inv_cdf(share)))


@dataclass(frozen=True, slots=True, init=False)
class MeasuredLatency(Latency):
    """A distribution of any shape, given by its quantiles at equal distances: the first is the least value,
    the last the greatest, and in between they are joined by straight lines.

    Attributes:
        quantiles_ns: Ascending, in nanoseconds; at least one.

    Raises:
        ValueError: There is no quantile, one is negative, or one is below the one before it.
    """

    quantiles_ns: tuple[int, ...]

    def __init__(self, quantiles_ns: Iterable[int]) -> None:
        points = tuple(quantiles_ns)
        if not points:
            raise ValueError("latency: at least one quantile is needed")
        if points[0] < 0 or any(later < earlier for earlier, later in pairwise(points)):
            raise ValueError("latency: quantiles are not negative, and none is below the one before it")
        object.__setattr__(self, "quantiles_ns", points)
        object.__setattr__(self, "p50_ns", interpolate(points, 0.5))
        object.__setattr__(self, "p99_ns", interpolate(points, 0.99))

    def quantile(self, share: float) -> int:
        """Nanoseconds within which this share of requests is answered; ``0 <= share <= 1``."""
        return interpolate(self.quantiles_ns, share)


def interpolate(ascending: Sequence[int], share: float) -> int:
    """A quantile by linear interpolation between the order statistics ``x[0] <= ... <= x[n-1]``:
    with ``h = (n - 1) * share``, it is ``x[floor h] + (h - floor h) * (x[floor h + 1] - x[floor h])``
    (type 7 of Hyndman and Fan: Sample Quantiles in Statistical Packages, 1996)."""
    place = (len(ascending) - 1) * share
    below = min(int(place), len(ascending) - 1)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + round((place - below) * (ascending[above] - ascending[below]))


def quantile_points(ascending: Sequence[int]) -> tuple[int, ...]:
    """The ``POINTS`` quantiles of sorted measurements; fewer measurements than that stand for themselves,
    which is the same distribution."""
    if len(ascending) <= POINTS:
        return tuple(ascending)
    return tuple(interpolate(ascending, number / (POINTS - 1)) for number in range(POINTS))


def from_message(message: Mapping[str, Any] | None) -> Latency:
    """The latency of a plan: ``{"p50_ns", "p99_ns"}`` or ``{"quantiles_ns": [...]}``; none answers at once.

    Raises:
        ValueError: A percentile is missing, or there is no such distribution.
    """
    if message is None:
        return Latency(0, 0)
    if "quantiles_ns" in message:
        return MeasuredLatency(int(point) for point in message["quantiles_ns"])
    try:
        return Latency(int(message["p50_ns"]), int(message["p99_ns"]))
    except KeyError as error:
        raise ValueError(f"latency: {error.args[0]} is missing") from error
