"""How the clock of one host stands to the clock of another, from exchanges of messages.

A worker notes when it sends (t0) and when the answer comes (t3), the master when the message came (t1) and
when the answer left (t2). Then offset = ((t1 - t0) + (t2 - t3)) / 2 is the master's clock minus the worker's,
and it is wrong by half the time spent on the way at most: ((t3 - t0) - (t2 - t1)) / 2. Of many exchanges the
quickest is the best (F. Cristian, Probabilistic clock synchronization, 1989; RFC 5905, section 8).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from journal.clock import MILLISECOND, SECOND

WINDOW_NS = 30 * SECOND
"""The offset of now is that of the best exchange of so long. Clocks drift apart by up to 500 us a second
while they are corrected (adjtimex(2)), by a few us otherwise."""


CLOCK_ERROR_NS = 50 * MILLISECOND
"""Times of hosts whose clocks are known to no better than this do not compare."""


class Offset(NamedTuple):
    """The master's clock minus the worker's at ``at_ns`` of the worker's, give or take ``error_ns``."""

    at_ns: int
    offset_ns: int
    error_ns: int


def offset_of(sent_ns: int, received_ns: int, answered_ns: int, came_ns: int) -> Offset:
    """What one exchange says: t0 and t3 on the worker's clock, t1 and t2 on the master's.

    Raises:
        ValueError: The readings are out of order: no clock that goes forward reads like this.
    """
    way = (came_ns - sent_ns) - (answered_ns - received_ns)
    if way < 0 or answered_ns < received_ns:
        raise ValueError("an answer cannot come before it is sent")
    doubled = (received_ns - sent_ns) + (answered_ns - came_ns)
    return Offset(came_ns, doubled // 2, (way + 1) // 2 + 1)


@dataclass(frozen=True, slots=True)
class Drift:
    """How much two clocks came apart: ``change_ns`` (give or take ``error_ns``) in ``span_ns``."""

    change_ns: int
    error_ns: int
    span_ns: int

    @property
    def known(self) -> bool:
        """Whether it is told apart from none."""
        return abs(self.change_ns) > self.error_ns


def drift_between(first: Offset, last: Offset) -> Drift:
    """What became of an offset."""
    return Drift(last.offset_ns - first.offset_ns, first.error_ns + last.error_ns, last.at_ns - first.at_ns)


class ClockOffset:
    """Reckons one worker's offset from its exchanges, of which the newest count."""

    def __init__(self) -> None:
        self._exchanges: deque[Offset] = deque()

    def take(self, exchange: Offset) -> None:
        """Take an exchange, the newest one."""
        while self._exchanges and self._exchanges[0].at_ns < exchange.at_ns - WINDOW_NS:
            self._exchanges.popleft()
        # What is worse than a newer one will never be the best again.
        while self._exchanges and self._exchanges[-1].error_ns >= exchange.error_ns:
            self._exchanges.pop()
        self._exchanges.append(exchange)

    @property
    def best(self) -> Offset | None:
        """The best of the newest exchanges; ``None`` before the first."""
        return self._exchanges[0] if self._exchanges else None
