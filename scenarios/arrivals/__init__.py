"""Open-loop arrivals: pure iterators of due times. No clock, no sleep.

A load's shape (``scenarios.arrivals.shapes``) knows the integral of its rate, the expected number of arrivals
so far; the spacing (``scenarios.arrivals.spacing``) says at which values of it an arrival is due. Each piece
of the shape inverts its integral.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.arrivals.shapes import Recorded, Sequence, shape_of
from scenarios.arrivals.spacing import Spacing, marks

if TYPE_CHECKING:
    from scenarios.load import Load
    from scenarios.stage import Stage

__all__ = [
    "Spacing",
    "Stretch",
    "due_times",
    "of_load",
    "peak_rate",
    "rate_at",
    "shape_of",
    "shard",
    "stretches",
]


def due_times(stages: Iterable[Stage], spacing: Spacing, seed: int) -> Iterator[int]:
    """Due times in nanoseconds since the first stage's start, in order, all before the last stage's end.

    The same arguments give the same times on every machine of one Python version. Recorded arrivals are
    played as recorded, whatever the spacing is.
    """
    to_come = marks(spacing, seed)
    begin = 0
    for piece in shape_of(tuple(stages)).pieces():
        if isinstance(piece, Recorded):
            for offset in piece.offsets.tolist():
                yield begin + offset
        else:
            for block in to_come.below(piece.expected):
                for offset in piece.offsets(block):
                    yield begin + offset
        begin += piece.length_ns


def of_load(load: Load, seed: int) -> Iterator[int]:
    """The due times of a scenario's load."""
    return due_times(load.arrivals, load.spacing, seed)


def shard(times: Iterable[int], index: int, workers: int) -> Iterator[tuple[int, int]]:
    """The arrivals of one worker out of ``workers``: pairs of (number of the arrival, due time)."""
    for number, due in enumerate(times):
        if number % workers == index:
            yield number, due


def rate_at(stages: Iterable[Stage], at_ns: int) -> float:
    """The planned arrival rate, per second, at a time; 0 outside the load."""
    shape = shape_of(tuple(stages))
    return shape.rate(at_ns) if 0 <= at_ns < shape.length_ns else 0.0


def peak_rate(stages: Iterable[Stage]) -> float:
    """The greatest planned arrival rate, per second."""
    return shape_of(tuple(stages)).peak


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stage as it is played: one that is repeated is played as many times."""

    name: str
    begin_ns: int
    end_ns: int


def stretches(stages: Iterable[Stage]) -> tuple[Stretch, ...]:
    """What is played when, by name. A stage without one is named by its place: ``stage 2``, or ``stage 2.1``
    for the first of those that the second repeats; then the round is told, too."""
    return _all_stretches(tuple(stages))


@lru_cache(maxsize=8)
def _all_stretches(stages: tuple[Stage, ...]) -> tuple[Stretch, ...]:
    return tuple(_stretches(stages, "", "", 0))


def _stretches(stages: tuple[Stage, ...], place: str, round_: str, begin: int) -> Iterator[Stretch]:
    shape: Sequence = shape_of(stages)
    for number, (stage, part) in enumerate(zip(stages, shape.shapes, strict=True), start=1):
        if stage.repeat is None:
            name = stage.name or f"stage {place}{number}"
            yield Stretch(name + round_, begin, begin + part.length_ns)
        else:
            inner = stage.arrivals or ()
            each = part.length_ns // stage.repeat
            for turn in range(stage.repeat):
                told = f" ({turn + 1} of {stage.repeat})"
                yield from _stretches(inner, f"{place}{number}.", round_ + told, begin + turn * each)
        begin += part.length_ns
