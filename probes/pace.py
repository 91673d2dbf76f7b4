"""Pacing: a host outside this machine is never called more often than was allowed."""

from __future__ import annotations

import math

from journal.clock import SECOND


class Pace:
    """Turns at a fixed rate, each one ``1 / rate`` after the one before it, or later."""

    def __init__(self, rate: float) -> None:
        """``rate`` is in requests per second.

        Raises:
            ValueError: It is not a positive number.
        """
        if not (rate > 0 and math.isfinite(rate)):
            raise ValueError(f"a rate must be more than 0/s, not {rate}")
        self._gap_ns = math.ceil(SECOND / rate)
        self._free_ns: int | None = None

    def turn(self, now_ns: int) -> int:
        """Takes the next turn and says how long to wait for it, in nanoseconds from ``now_ns``."""
        at_ns = now_ns if self._free_ns is None else max(now_ns, self._free_ns)
        self._free_ns = at_ns + self._gap_ns
        return at_ns - now_ns
