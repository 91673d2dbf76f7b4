"""The one clock of a run: nanoseconds since the epoch, on the host's monotonic clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """Reads time as the journal writes it.

    All processes of one host share ``CLOCK_MONOTONIC``, so clocks made from the same ``epoch_ns`` agree.

    Attributes:
        epoch_ns: The value of ``time.monotonic_ns()`` at the run's time zero.
    """

    epoch_ns: int

    @classmethod
    def starting_now(cls) -> Clock:
        return cls(time.monotonic_ns())

    def now_ns(self) -> int:
        """Nanoseconds since the epoch; negative before it."""
        return time.monotonic_ns() - self.epoch_ns

    def at(self, monotonic_ns: int) -> int:
        """The run's time of a reading of ``time.monotonic_ns()``."""
        return monotonic_ns - self.epoch_ns
