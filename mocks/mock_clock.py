"""The mock's own wall clock: it runs with real time or faster than it, and can be put forward."""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from typing import Protocol


def steady_wall_clock() -> Callable[[], float]:
    """Unix seconds that never step: the wall clock read once, and the monotonic clock from there on."""
    start = time.time() - time.monotonic()
    return lambda: start + time.monotonic()


class Timer:
    """Something to be done at a time; ``due`` is in Unix seconds of the mock's clock."""

    __slots__ = ("action", "canceled", "due")

    def __init__(self, due: float, action: Callable[[], None]) -> None:
        self.due = due
        self.action = action
        self.canceled = False

    def cancel(self) -> None:
        """It will not be done any more; does nothing when it has been done."""
        self.canceled = True


class Observer(Protocol):
    """Is told before what the clock brings about by itself, and after it."""

    def begin(self, what: str, value: float) -> bool:
        """``fire``: timers are due; ``advance``: by so many seconds; ``speed``: it is to run at this one.
        Returns whether to be told of the end."""

    def finish(self) -> None:
        """It is done."""


class MockClock:
    """Unix seconds as a mock sees them, and what is to be done at which of them.

    Timers fire in the order of their due times (of equal ones, as they were set): when real time reaches
    them, if there is a running event loop, and when ``advance`` or ``fire_due`` is called. While a timer
    fires in an ``advance``, the clock shows the timer's own due time.

    Args:
        real: Real time, in seconds. Tests pass one that stands still.
        speed: Seconds of this clock to a real one, above 0; ``run_at`` changes it.

    Attributes:
        observer: Whom to tell; None: nobody.
    """

    def __init__(self, real: Callable[[], float] | None = None, speed: float = 1.0) -> None:
        self._real = real if real is not None else steady_wall_clock()
        self.observer: Observer | None = None
        self._ahead = 0.0
        self._since = self._real()
        self._gain = 0.0
        self._second = 0
        self._timers: list[tuple[float, int, Timer]] = []
        self._set = 0
        self._wake: asyncio.TimerHandle | None = None
        self._wake_due = 0.0
        if speed != 1.0:
            self.run_at(speed)

    @property
    def real(self) -> Callable[[], float]:
        """Real time, in seconds."""
        return self._real

    def run_by(self, real: Callable[[], float]) -> None:
        """Take real time from this function from now on, and wait for the next timer by it."""
        self._real = real
        self._wait_anew()

    def now(self) -> float:
        """Unix seconds."""
        real = self._real()
        if self._gain == 0.0:
            return real + self._ahead
        return real + self._ahead + (real - self._since) * self._gain

    def unix(self) -> int:
        """Whole Unix seconds, as gateways stamp their objects."""
        now = int(self.now())
        if now != self._second:
            self._second = now
        return self._second  # one object for all that is stamped in a second: a load test keeps millions

    @property
    def ahead(self) -> float:
        """By how many seconds the clock is ahead of real time."""
        return self._ahead + (self._real() - self._since) * self._gain

    @property
    def speed(self) -> float:
        """Seconds of this clock to a real one."""
        return self._gain + 1.0

    def run_at(self, speed: float) -> None:
        """Run at this speed from now on; what the clock shows does not jump.

        Raises:
            ValueError: The speed is not above 0 or not finite.
        """
        if not 0 < speed < math.inf:
            raise ValueError(f"a clock runs at a speed above 0, not at {speed}")
        told = self.observer is not None and self.observer.begin("speed", speed)
        real = self._real()
        self._ahead += (real - self._since) * self._gain
        self._since, self._gain = real, speed - 1.0
        if told and self.observer is not None:
            self.observer.finish()
        self._wait_anew()

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Do something after so many seconds of this clock."""
        return self.call_at(self.now() + seconds, action)

    def call_at(self, due: float, action: Callable[[], None]) -> Timer:
        """Do something when this clock shows ``due``; at the next opportunity when that is past."""
        timer = Timer(due, action)
        self._set += 1
        heapq.heappush(self._timers, (due, self._set, timer))
        self._arm()
        return timer

    def advance(self, seconds: float) -> int:
        """Put the clock forward, and do what falls due on the way, in order.

        Returns:
            How many timers fired.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        if not seconds >= 0:
            raise ValueError(f"the clock goes forward only, not by {seconds} s")
        told = self.observer is not None and self.observer.begin("advance", seconds)
        start, ahead = self.now(), self._ahead
        target = start + seconds
        fired = 0
        try:
            while self._timers and self._timers[0][0] <= target:
                # Counted from the start, so that timers that do nothing leave no trace in the last bit.
                self._ahead = ahead + max(self._ahead - ahead, self._timers[0][0] - start)
                fired += self._fire_first()
        finally:
            self._ahead = ahead + seconds
            if told and self.observer is not None:
                self.observer.finish()
            self._arm()
        return fired

    def fire_due(self) -> int:
        """Do what is due by now. Returns how many timers fired."""
        fired = 0
        told = False
        # Looked at once. What falls due meanwhile has to wait: the observer would not know of it, and on a
        # fast clock, work that is done in portions would never let go.
        now = self.now()
        if self.observer is not None and self._timers and self._timers[0][0] <= now:
            told = self.observer.begin("fire", 0.0)
            now = self.now()  # the moment that it wrote down
        try:
            while self._timers and self._timers[0][0] <= now:
                fired += self._fire_first()
        finally:
            if told and self.observer is not None:
                self.observer.finish()
            self._arm()
        return fired

    def clear(self) -> None:
        """Forget every timer."""
        self._timers.clear()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def _wait_anew(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._arm()

    def _fire_first(self) -> int:
        timer = heapq.heappop(self._timers)[2]
        if timer.canceled:
            return 0
        timer.action()
        return 1

    def _arm(self) -> None:
        """Have the event loop wake the clock for the first timer; without a loop there is nobody to."""
        if not self._timers:
            return
        due = self._timers[0][0]
        if self._wake is not None:
            if self._wake_due == due and not self._wake.cancelled():
                return
            self._wake.cancel()
            self._wake = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._wake_due = due
        self._wake = loop.call_later(max(0.0, due - self.now()) / self.speed, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self.fire_due()
