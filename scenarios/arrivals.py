"""Open-loop arrivals: pure iterators of due times. No clock, no sleep.

A stage's rate r(t) is constant or linear. Its integral, the expected number of arrivals so far,
Lambda(t), turns every kind of spacing into the same question: at which t does Lambda reach a given
value? Even spacing asks for 0.5, 1.5, 2.5, ...; a Poisson process asks for the sums of independent
exponential draws of mean 1 (time rescaling of an inhomogeneous Poisson process).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Literal

from scenarios.schema import Load, Stage

_S = 1_000_000_000

Spacing = Literal["poisson", "even"]


def due_times(stages: Iterable[Stage], spacing: Spacing, seed: int) -> Iterator[int]:
    """Due times in nanoseconds since the first stage's start, in order, all before the last stage's end.

    The same arguments give the same times on every machine of one Python version.
    """
    marks = _even() if spacing == "even" else _poisson(seed)
    mark = next(marks)
    begin = 0
    reached = 0.0
    for stage in stages:
        length = stage.duration / _S
        expected = (stage.rate.start + stage.rate.end) / 2 * length
        while mark < reached + expected:
            offset = _when(mark - reached, stage.rate.start, stage.rate.end, length)
            yield begin + min(int(offset * _S), stage.duration - 1)
            mark = next(marks)
        reached += expected
        begin += stage.duration


def shard(times: Iterable[int], index: int, workers: int) -> Iterator[tuple[int, int]]:
    """The arrivals of one worker out of ``workers``: pairs of (number of the arrival, due time)."""
    for number, due in enumerate(times):
        if number % workers == index:
            yield number, due


def of_load(load: Load, seed: int) -> Iterator[int]:
    """The due times of a scenario's load."""
    return due_times(load.arrivals, load.spacing, seed)


def rate_at(stages: Iterable[Stage], at_ns: int) -> float:
    """The planned arrival rate, per second, at a time; 0 outside the load."""
    begin = 0
    for stage in stages:
        if begin <= at_ns < begin + stage.duration:
            part = (at_ns - begin) / stage.duration
            return stage.rate.start + (stage.rate.end - stage.rate.start) * part
        begin += stage.duration
    return 0.0


def _even() -> Iterator[float]:
    return (number + 0.5 for number in count())


def _poisson(seed: int) -> Iterator[float]:
    draw = random.Random(seed).random
    total = 0.0
    while True:
        total -= math.log(1.0 - draw())
        yield total


def _when(arrivals: float, start: float, end: float, length: float) -> float:
    """Seconds into a stage at which ``arrivals`` are expected: the root of
    ``start*t + (end-start)/(2*length)*t^2 = arrivals``, in the form that does not cancel."""
    slope = (end - start) / length
    return 2 * arrivals / (start + math.sqrt(max(start * start + 2 * slope * arrivals, 0.0)))
