"""An answer that goes out in another way than whole and at once: in pieces, slowly, or not to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from asyncio import TimerHandle

DRAIN_LIMIT = 1.0
"""Seconds for which a reset waits until what was written before it has left. A client that doesn't read
must not put it off for ever."""

_LOOK_AGAIN = 0.001


class Act(Enum):
    """What happens to the connection between or after the pieces of an answer."""

    STOP_READING = "stop reading"
    """What the client sends from here on is no request."""

    CLOSE = "close"
    """Close once everything that was written has left; the last step."""

    RESET = "reset"
    """Send RST once everything that was written has left; the last step."""


Step = bytes | int | Act
"""Bytes to send, nanoseconds to wait, or something to do to the connection."""

Way = Callable[[bytes, bytes], Iterator[Step]]
"""From an answer's head (status line and headers, with the empty line) and its body to the steps in which it
is sent. The steps are asked for one by one, when it is their time. After the last, the connection serves on,
unless the step was one that ends it."""


class Outlet(Protocol):
    """A connection, as far as a transmission needs it."""

    @property
    def unsent(self) -> int:
        """Bytes that were written and that the client's system has not got yet."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def stop_reading(self) -> None:
        """What the client sends from here on is no request."""

    def close(self) -> None:
        """Close once everything that was written has left."""

    def reset(self) -> None:
        """Send RST; every request without an answer is lost."""

    def transmitted(self) -> None:
        """The answer that was next in order is out."""


class Transmission:
    """One answer on its way, once. It begins when the answers to earlier requests of its connection are out.

    Attributes:
        on_answered: Called once: with the ``time.monotonic_ns()`` at which the last byte of the whole answer
            was handed to the connection, or with None when that can't happen any more.
        on_end: Called once, when nothing of it is left to do: its steps are done, or its connection has gone.
    """

    __slots__ = (
        "_begun",
        "_drain_until_ns",
        "_due_ns",
        "_hurried",
        "_left",
        "_outlet",
        "_steps",
        "_timer",
        "_way",
        "on_answered",
        "on_end",
    )

    def __init__(self, way: Way) -> None:
        self.on_answered: Callable[[int | None], None] | None = None
        self.on_end: Callable[[], None] | None = None
        self._way = way
        self._begun = False
        self._outlet: Outlet | None = None
        self._steps: Iterator[Step] = iter(())
        self._left = 0
        self._due_ns = 0
        self._drain_until_ns = 0
        self._hurried = False
        self._timer: TimerHandle | None = None

    def load(self, head: bytes, body: bytes) -> None:
        """What to send; told by the exchange."""
        self._steps = self._way(head, body)
        self._left = len(head) + len(body)

    def begin(self, outlet: Outlet) -> None:
        """It is this answer's turn on its connection; told by the connection."""
        if not self._begun:
            self._begun = True
            self._outlet = outlet
            self._due_ns = time.monotonic_ns()
            self._go_on()

    def hurry(self) -> None:
        """Wait no more: what is left happens at once, or when its turn comes."""
        self._hurried = True
        if self._timer is not None:
            self._timer.cancel()
            self._go_on()

    def lose(self) -> None:
        """The connection has gone; told by the connection."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell(None)
        self._end()

    def _go_on(self) -> None:
        self._timer = None
        outlet = self._outlet
        assert outlet is not None
        if self._early():
            return
        for step in self._steps:
            if isinstance(step, bytes):
                outlet.write(step)
                self._left -= len(step)
                if self._left <= 0:
                    self._tell(time.monotonic_ns())
            elif isinstance(step, int):
                # From due time to due time: the loop's timers are off by up to a millisecond each.
                self._due_ns += step
                if self._early():
                    return
            elif step is Act.STOP_READING:
                outlet.stop_reading()
            elif step is Act.CLOSE:
                self._tell(None)
                self._end()
                outlet.close()
                return
            else:
                self._drain_until_ns = time.monotonic_ns() + int(DRAIN_LIMIT * 1e9)
                self._reset()
                return
        self._tell(None)
        self._end()
        outlet.transmitted()

    def _early(self) -> bool:
        left_ns = self._due_ns - time.monotonic_ns()
        if left_ns <= 0 or self._hurried:
            return False
        self._timer = _later(left_ns / 1e9, self._go_on)
        return True

    def _reset(self) -> None:
        self._timer = None
        outlet = self._outlet
        assert outlet is not None
        if outlet.unsent and time.monotonic_ns() < self._drain_until_ns:
            self._steps = iter((Act.RESET,))
            self._timer = _later(_LOOK_AGAIN, self._reset)
            return
        self._tell(None)
        self._end()
        outlet.reset()

    def _tell(self, answered_ns: int | None) -> None:
        tell, self.on_answered = self.on_answered, None
        if tell is not None:
            tell(answered_ns)

    def _end(self) -> None:
        # What it knows knows it: left in place, they would live until the collector comes by.
        self._steps = iter(())
        self._outlet = None
        end, self.on_end = self.on_end, None
        if end is not None:
            end()


def _later(seconds: float, what: Callable[[], None]) -> TimerHandle:
    # The faults import this file, and whoever only wants their names has no need of a loop.
    from asyncio import get_running_loop

    return get_running_loop().call_later(seconds, what)
