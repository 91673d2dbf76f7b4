"""The pace of requests to a sandbox: a token bucket that stays under the gateway's limit in every window."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from mocks.gateways.rate_limit import Limit

BURST_SHARE = 1 / 20
"""The part of a limit that may be used at once; the rest comes evenly. A bucket that holds the whole limit
would let through twice the limit in the period after a pause."""


def burst(limit: Limit) -> int:
    """How many requests may be made at once: at least one."""
    return max(1, int(limit.requests * BURST_SHARE))


def sustained(limit: Limit) -> float:
    """Requests per second that can be made for ever: what the limit leaves beside a burst, or half of a
    limit of one request."""
    return max(limit.requests - burst(limit), limit.requests / 2) / limit.period_s


def limit_of(rate: float) -> Limit:
    """A limit of so many requests per second, whose bursts are of one request."""
    return Limit(20, 20 / rate)


class Pace:
    """Turns, first come, first served. In no window of the limit's period are there more than
    ``burst + sustained x period`` of them, which is the limit itself.

    One ``Pace`` stands where all requests to a gateway pass, so that it holds for all workers and processes.

    Args:
        limit: So many requests in a period.
        most_waiting_s: How long a turn may lie ahead; beyond that none is given.
        now: Seconds, ``time.monotonic``.
    """

    def __init__(
        self, limit: Limit, *, most_waiting_s: float = 10.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        if limit.requests < 2:
            raise ValueError(
                "a pace of fewer than 2 requests in a period cannot be kept; name a longer period"
            )
        self.limit = limit
        self._gap = 1 / sustained(limit)
        self._slack = (burst(limit) - 1) * self._gap
        self._most = most_waiting_s
        self._now = now
        self._next = float("-inf")

    def turn(self, most_waiting_s: float | None = None) -> float | None:
        """Take the next turn: the seconds until it comes, 0 when it is now; None when the queue is too long,
        and no turn was taken. ``most_waiting_s`` stands instead of the pace's own."""
        now = self._now()
        free = max(self._next, now)
        wait = max(0.0, free - self._slack - now)
        if wait > (self._most if most_waiting_s is None else most_waiting_s):
            return None
        self._next = free + self._gap
        return wait

    async def wait(self, most_waiting_s: float | None = None) -> bool:
        """Wait for a turn, as ``turn`` gives it. False, at once, when the queue is too long."""
        wait = self.turn(most_waiting_s)
        if wait is None:
            return False
        if wait > 0:
            await asyncio.sleep(wait)
        return True
