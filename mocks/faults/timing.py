"""When a fault is on: a window, switched on and off within it, come back again and again, growing.

All times are ints in nanoseconds, counted from where the window's own ``at_ns`` is counted from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Flap:
    """On for ``on_ns``, off for ``off_ns``, and so on for as long as the window lasts. Both are above 0."""

    on_ns: int
    off_ns: int

    def __post_init__(self) -> None:
        if self.on_ns <= 0 or self.off_ns <= 0:
            raise ValueError("flap: on and off must be longer than 0")


@dataclass(frozen=True, slots=True)
class Repeat:
    """The window comes ``times`` times in all, from start to start ``every_ns`` apart."""

    every_ns: int
    times: int

    def __post_init__(self) -> None:
        if self.times < 2:
            raise ValueError(
                f"repeat: times is the number of windows in all, so at least 2, not {self.times}"
            )


class Phase(NamedTuple):
    """A stretch of time in which a fault is on."""

    start_ns: int
    stop_ns: int


@dataclass(frozen=True, slots=True)
class Timing:
    """The whole timing of a fault.

    Attributes:
        at_ns: Start of the first window.
        for_ns: Length of a window.
        flap: None: on for the whole window.
        ramp_ns: How long each window takes to come to its full strength; see ``intensity``.
        repeat: None: one window.

    Raises:
        ValueError: A window is empty, shorter than its ramp, or not over when the next one begins.
    """

    at_ns: int
    for_ns: int
    flap: Flap | None = None
    ramp_ns: int = 0
    repeat: Repeat | None = None

    def __post_init__(self) -> None:
        if self.for_ns <= 0:
            raise ValueError(f"it must last longer than {self.for_ns} ns")
        if not 0 <= self.ramp_ns <= self.for_ns:
            raise ValueError(
                "ramp must be no longer than the fault lasts, or it never comes to full strength"
            )
        if self.repeat is not None and self.repeat.every_ns <= self.for_ns:
            raise ValueError("repeat: every must be longer than the fault lasts")

    @property
    def end_ns(self) -> int:
        """When the last window ends."""
        again = (self.repeat.times - 1) * self.repeat.every_ns if self.repeat is not None else 0
        return self.at_ns + again + self.for_ns

    def phases(self) -> Iterator[Phase]:
        """The stretches in which it is on, in order, none of them empty, none touching another."""
        for start, stop in self.windows():
            if self.flap is None:
                yield Phase(start, stop)
                continue
            for on in count(start, self.flap.on_ns + self.flap.off_ns):
                if on >= stop:
                    break
                yield Phase(on, min(on + self.flap.on_ns, stop))

    def intensity(self, now_ns: int) -> float:
        """How strong it is, from 0 to 1: without a ramp 1; with one it grows linearly from the start of the
        window, ``min(1, (now - start) / ramp)``, whether it flaps or not."""
        if not self.ramp_ns:
            return 1.0
        since = now_ns - self.at_ns
        if self.repeat is not None and since > 0:
            since -= min(since // self.repeat.every_ns, self.repeat.times - 1) * self.repeat.every_ns
        return min(max(since / self.ramp_ns, 0.0), 1.0)

    def windows(self) -> Iterator[Phase]:
        """The windows, in order: the first, and its repetitions."""
        every_ns, times = (self.repeat.every_ns, self.repeat.times) if self.repeat is not None else (0, 1)
        for number in range(times):
            start = self.at_ns + number * every_ns
            yield Phase(start, start + self.for_ns)


def flap_of(message: Mapping[str, Any] | None) -> Flap | None:
    """``{"on_ns", "off_ns"}`` of a message. Raises TypeError, ValueError."""
    return None if message is None else Flap(**message)


def repeat_of(message: Mapping[str, Any] | None) -> Repeat | None:
    """``{"every_ns", "times"}`` of a message. Raises TypeError, ValueError."""
    return None if message is None else Repeat(**message)
