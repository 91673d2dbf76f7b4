"""A call at an absolute time, punctual to a fraction of a millisecond."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_COARSE_NS = 2_000_000


class Alarm:
    """Calls ``ring`` once ``time.monotonic_ns()`` has reached ``due_ns``, never before,
    and always from the loop.

    The loop's own timers have whole milliseconds and count from the time at which the loop last looked at
    the clock, so they may come early or late by some. This one wakes up 2 ms ahead and then yields to the
    loop step by step until the time has come.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, due_ns: int, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._due_ns = due_ns
        self._ring = ring
        self._handle: asyncio.Handle | None = None
        self._wait()

    def cancel(self) -> None:
        """Don't ring; does nothing after it has rung."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wait(self) -> None:
        left = self._due_ns - time.monotonic_ns()
        if left > _COARSE_NS:
            self._handle = self._loop.call_later((left - _COARSE_NS) / 1e9, self._wait)
        else:
            self._handle = self._loop.call_soon(self._look)

    def _look(self) -> None:
        if time.monotonic_ns() >= self._due_ns:
            self._handle = None
            self._ring()
        else:
            self._handle = self._loop.call_soon(self._look)
