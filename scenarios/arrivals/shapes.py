"""Shapes of a load: immutable values that know their rate, its integral, and the integral's inverse.

Simple shapes (``Ramp``, ``Sine``, ``Recorded``) are the pieces that a load is played from; a ``Sequence``
and a ``Repeated`` hold others. ``shape_of`` makes them of a scenario's stages. Lengths are nanoseconds, rates
are arrivals per second.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from scenarios.arrivals.recording import Offsets, unpacked
from scenarios.quantities import parse_duration, parse_rate

if TYPE_CHECKING:
    from scenarios.stage import Sine as SineStage
    from scenarios.stage import Spike, Stage, Steps

_S = 1_000_000_000

Floats = NDArray[np.float64]

_COSINE = [(-1) ** n / math.factorial(2 * n) for n in range(13)]
"""Of its power series."""

_GRID = 64
"""Cells of a cycle between which a root is looked up before it is approached."""

_CLOSE = 1e-10
"""Seconds: the last step of an approach is no longer than this."""
_MOST_STEPS = 80


class Shape(Protocol):
    """Attributes:
    length_ns: How long it lasts.
    expected: The integral of the rate; of recorded arrivals, their number.
    peak: The greatest rate.
    size: Simple shapes in it.
    """

    @property
    def length_ns(self) -> int: ...

    @property
    def expected(self) -> Fraction: ...

    @property
    def peak(self) -> float: ...

    @property
    def size(self) -> int: ...

    def rate(self, at_ns: int) -> float:
        """The rate at a time within it, counted from its start."""

    def pieces(self) -> Iterator[Piece]:
        """The simple shapes in it, one after the other."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """A rate that goes linearly from ``start`` to ``end``; constant when they are equal."""

    start: float
    end: float
    length_ns: int
    size = 1

    @property
    def expected(self) -> Fraction:
        return (Fraction(self.start) + Fraction(self.end)) * self.length_ns / (2 * _S)

    @property
    def peak(self) -> float:
        return max(self.start, self.end)

    def rate(self, at_ns: int) -> float:
        return self.start + (self.end - self.start) * (at_ns / self.length_ns)

    def pieces(self) -> Iterator[Piece]:
        yield self

    def offsets(self, marks: list[float]) -> list[int]:
        """When the integral of the rate reaches each mark: the root of ``start*t + (end-start)/(2*length)*t^2
        = mark``, in the form that does not cancel."""
        wanted = np.array(marks)
        if self.start == self.end:
            times = wanted * _S / self.start
        else:
            slope = (self.end - self.start) * _S / self.length_ns
            root = np.sqrt(np.maximum(self.start * self.start + 2 * slope * wanted, 0.0))
            below = self.start + root
            times = np.divide(2 * wanted * _S, below, out=np.zeros_like(wanted), where=below > 0)
        within: list[int] = np.clip(times, 0, self.length_ns - 1).astype(np.int64).tolist()
        return within


@dataclass(frozen=True, slots=True)
class Cycle:
    """``mean + amplitude * sin(2 pi t / period)``, for one period at most."""

    mean: float
    amplitude: float
    period_ns: int
    length_ns: int
    size = 1

    @property
    def expected(self) -> Fraction:
        if self.length_ns == self.period_ns:
            return Fraction(self.mean) * self.length_ns / _S
        return Fraction(float(self.integral(np.array([self.length_ns / _S]))[0]))

    @property
    def peak(self) -> float:
        crest = self.length_ns * 4 >= self.period_ns
        return self.mean + self.amplitude if crest else self.rate(self.length_ns)

    def rate(self, at_ns: int) -> float:
        return self.mean + self.amplitude * math.sin(math.tau * at_ns / self.period_ns)

    def integral(self, at_s: Floats) -> Floats:
        """Expected arrivals until some times, in seconds since the start:
        ``mean * t + amplitude * period / pi * sin(pi t / period)^2``."""
        return self._integral_and_rate(at_s)[0]

    def _integral_and_rate(self, at_s: Floats) -> tuple[Floats, Floats]:
        period = self.period_ns / _S
        half_turn = at_s / period - 0.5
        sine = _cos_pi(half_turn)
        cosine = -np.copysign(np.sqrt(np.maximum(1.0 - sine * sine, 0.0)), half_turn)
        integral = self.mean * at_s + self.amplitude * period / math.pi * (sine * sine)
        return integral, self.mean + 2 * self.amplitude * (sine * cosine)

    def pieces(self) -> Iterator[Piece]:
        yield self

    def offsets(self, marks: list[float]) -> list[int]:
        """When the integral of the rate reaches each mark: Newton's method, which falls back to halving the
        bracket around the root, to less than 1 ns."""
        wanted = np.array(marks)
        grid = np.linspace(0.0, self.length_ns / _S, _GRID + 1)
        reached = self.integral(grid)
        cell = np.clip(np.searchsorted(reached, wanted, side="right") - 1, 0, _GRID - 1)
        low, high = grid[cell], grid[cell + 1]
        at = np.interp(wanted, reached, grid)
        for _ in range(_MOST_STEPS):
            integral, rate = self._integral_and_rate(at)
            over = integral - wanted
            low, high = np.where(over > 0, low, at), np.where(over > 0, at, high)
            after = at - np.divide(over, rate, out=np.full_like(at, np.inf), where=rate > 0)
            after = np.where((low <= after) & (after <= high), after, (low + high) / 2)
            step = np.abs(after - at).max()
            at = after
            if step < _CLOSE:
                break
        within: list[int] = np.clip(at * _S, 0, self.length_ns - 1).astype(np.int64).tolist()
        return within


def _cos_pi(part: Floats) -> Floats:
    """``cos(pi * part)`` for -0.5 to 0.5, to 2e-16. Of sums and products only: numpy's own cosine is another
    one on another processor, and all workers must find the same due times."""
    square = (math.pi * part) ** 2
    total = np.full_like(square, _COSINE[-1])
    for factor in _COSINE[-2::-1]:
        total = total * square + factor
    return total


@dataclass(frozen=True, slots=True)
class Recorded:
    """Arrivals at recorded offsets, played as they are but for the speed; ``length_ns`` cuts them."""

    text: str
    speed: float
    length_ns: int
    size = 1

    @property
    def offsets(self) -> Offsets:
        """Nanoseconds since its start, in order, all below its length."""
        return _played(self.text, self.speed, self.length_ns)

    @property
    def expected(self) -> Fraction:
        return Fraction(len(self.offsets))

    @property
    def peak(self) -> float:
        """The most arrivals in a second, counted from the start."""
        return float(np.bincount(self.offsets // _S).max())

    def rate(self, at_ns: int) -> float:
        """Arrivals within the same second, counted from the start."""
        begin = at_ns // _S * _S
        first, end = np.searchsorted(self.offsets, (begin, begin + _S))
        return float(end - first) / (min(_S, self.length_ns - begin) / _S)

    def pieces(self) -> Iterator[Piece]:
        yield self


Piece = Ramp | Cycle | Recorded


@dataclass(frozen=True, slots=True)
class Wave:
    """A sine of any length: its cycles, one after the other."""

    mean: float
    amplitude: float
    period_ns: int
    length_ns: int

    @property
    def expected(self) -> Fraction:
        whole, rest = divmod(self.length_ns, self.period_ns)
        return whole * self._cycle(self.period_ns).expected + (self._cycle(rest).expected if rest else 0)

    @property
    def peak(self) -> float:
        return self._cycle(min(self.length_ns, self.period_ns)).peak

    @property
    def size(self) -> int:
        return -(-self.length_ns // self.period_ns)

    def rate(self, at_ns: int) -> float:
        return self._cycle(self.period_ns).rate(at_ns % self.period_ns)

    def pieces(self) -> Iterator[Piece]:
        for begin in range(0, self.length_ns, self.period_ns):
            yield self._cycle(min(self.period_ns, self.length_ns - begin))

    def _cycle(self, length_ns: int) -> Cycle:
        return Cycle(self.mean, self.amplitude, self.period_ns, length_ns)


class Sequence:
    """Shapes one after the other."""

    def __init__(self, shapes: tuple[Shape, ...]) -> None:
        self.shapes = shapes
        self.begins_ns = tuple(accumulate((shape.length_ns for shape in shapes), initial=0))
        self.length_ns = self.begins_ns[-1]
        self.size = sum(shape.size for shape in shapes)

    @property
    def expected(self) -> Fraction:
        return sum((shape.expected for shape in self.shapes), Fraction(0))

    @property
    def peak(self) -> float:
        return max((shape.peak for shape in self.shapes), default=0.0)

    def rate(self, at_ns: int) -> float:
        place = bisect_right(self.begins_ns, at_ns) - 1
        return self.shapes[place].rate(at_ns - self.begins_ns[place])

    def pieces(self) -> Iterator[Piece]:
        for shape in self.shapes:
            yield from shape.pieces()


@dataclass(frozen=True, slots=True)
class Repeated:
    """A shape several times."""

    shape: Shape
    times: int

    @property
    def length_ns(self) -> int:
        return self.shape.length_ns * self.times

    @property
    def expected(self) -> Fraction:
        return self.shape.expected * self.times

    @property
    def peak(self) -> float:
        return self.shape.peak

    @property
    def size(self) -> int:
        return self.shape.size * self.times

    def rate(self, at_ns: int) -> float:
        return self.shape.rate(at_ns % self.shape.length_ns)

    def pieces(self) -> Iterator[Piece]:
        for _ in range(self.times):
            yield from self.shape.pieces()


@lru_cache(maxsize=64)
def shape_of(stages: tuple[Stage, ...]) -> Sequence:
    """The shape of a load's stages."""
    return Sequence(tuple(_of_stage(stage) for stage in stages))


def _of_stage(stage: Stage) -> Shape:
    if stage.repeat is not None:
        return Repeated(shape_of(stage.arrivals or ()), stage.repeat)
    if stage.offsets is not None:
        return _of_recording(stage.offsets, stage.speed or 1.0, stage.duration)
    if stage.rates is not None:
        return _of_rates(stage.rates, stage.speed or 1.0, stage.duration)
    assert stage.duration is not None
    if stage.steps is not None:
        return _of_steps(stage.steps, stage.duration)
    if stage.sine is not None:
        return _of_sine(stage.sine, stage.duration)
    assert stage.rate is not None
    if stage.spike is not None:
        return _of_spike(stage.rate.start, stage.spike, stage.duration)
    return Ramp(stage.rate.start, stage.rate.end, stage.duration)


def _of_steps(steps: Steps, length_ns: int) -> Shape:
    count = length_ns // steps.every
    rise = (steps.to - steps.from_) / (count - 1)
    rates = [*(steps.from_ + rise * number for number in range(count - 1)), steps.to]
    return Sequence(tuple(Ramp(rate, rate, steps.every) for rate in rates))


def _of_spike(base: float, spike: Spike, length_ns: int) -> Shape:
    after = length_ns - spike.at - spike.rise - spike.hold - spike.fall
    parts = (
        Ramp(base, base, spike.at),
        Ramp(base, spike.to, spike.rise),
        Ramp(spike.to, spike.to, spike.hold),
        Ramp(spike.to, base, spike.fall),
        Ramp(base, base, after),
    )
    return Sequence(tuple(part for part in parts if part.length_ns))


def _of_sine(sine: SineStage, length_ns: int) -> Shape:
    return Wave(sine.mean, sine.amplitude, sine.period, length_ns)


def _of_recording(text: str, speed: float, cut_ns: int | None) -> Shape:
    """A trace ends a mean gap after its last arrival, so that it keeps its rate when it is repeated; one
    arrival alone lasts a second."""
    offsets = unpacked(text)
    last, gaps = int(offsets[-1]), len(offsets) - 1
    whole = max(int((last + (last / gaps if gaps else _S)) / speed), 1)
    return Recorded(text, speed, whole if cut_ns is None else min(cut_ns, whole))


def _of_rates(text: str, speed: float, cut_ns: int | None) -> Shape:
    steps = [(int(at / speed), rate * speed) for at, rate in recorded_rates(text)]
    if cut_ns is not None:
        steps = [(min(at, cut_ns), rate) for at, rate in steps]
    return Sequence(
        tuple(Ramp(rate, rate, stop - start) for (start, rate), (stop, _) in pairwise(steps) if stop > start)
    )


@lru_cache(maxsize=8)
def recorded_rates(text: str) -> tuple[tuple[int, float], ...]:
    """When each rate of ``0s:50/s 1s:52/s 2s`` begins in ns, and the rate; the last is the end, with rate 0.

    Raises:
        ValueError: Something in it is no duration or no rate.
    """
    *parts, end = text.split()
    steps = [part.partition(":") for part in parts]
    return (*((parse_duration(at), parse_rate(rate)) for at, _, rate in steps), (parse_duration(end), 0.0))


@lru_cache(maxsize=8)
def _played(text: str, speed: float, length_ns: int) -> Offsets:
    offsets = unpacked(text)
    if speed != 1.0:
        offsets = (offsets / speed).astype(np.int64)
    return offsets[: int(np.searchsorted(offsets, length_ns))]
