"""How long a gateway takes: a lognormal distribution given by its median and its 99th percentile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)


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
