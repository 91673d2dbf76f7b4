"""Where on the integral of the rate arrivals fall: evenly, or as a Poisson process.

The integral of the rate since the load's start, Lambda(t), is the expected number of arrivals so far.
Even spacing puts arrivals where it is 0.5, 1.5, 2.5, ...; a Poisson process where it is the sums of
independent exponential draws of mean 1 (time rescaling of an inhomogeneous Poisson process).

Both hand their marks out piece by piece of the load, counted from the piece's start, and keep what is
carried over from piece to piece as a fraction: no error adds up, however long the load is.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from typing import Literal, Protocol

Spacing = Literal["poisson", "even"]

BLOCK = 512
"""Marks that are made at a time."""


class Marks(Protocol):
    """The marks that are still to come."""

    def below(self, expected: Fraction) -> Iterator[list[float]]:
        """Blocks of the marks of the next piece, which expects so many arrivals, counted from its start."""


def marks(spacing: Spacing, seed: int) -> Marks:
    """The marks of a whole load. The seed decides the draws of a Poisson process."""
    return Even() if spacing == "even" else Poisson(seed)


class Even:
    """0.5, 1.5, 2.5, ..."""

    def __init__(self) -> None:
        self._next = Fraction(1, 2)

    def below(self, expected: Fraction) -> Iterator[list[float]]:
        count = max(0, math.ceil(expected - self._next))
        first = float(self._next)
        for begin in range(0, count, BLOCK):
            yield [first + number for number in range(begin, min(begin + BLOCK, count))]
        self._next += count - expected


class Poisson:
    """Sums of exponential draws of mean 1."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed).random
        self._base = Fraction(0)
        self._sums: list[float] = []
        self._at = 0

    def below(self, expected: Fraction) -> Iterator[list[float]]:
        while True:
            if self._at == len(self._sums):
                self._next_block()
            stop = bisect_left(self._sums, float(expected - self._base), self._at)
            if stop > self._at:
                base = float(self._base)
                yield [base + part for part in self._sums[self._at : stop]]
            self._at = stop
            if stop < len(self._sums):
                break
        self._base -= expected

    def _next_block(self) -> None:
        if self._sums:
            self._base += Fraction(self._sums[-1])
        draw, log = self._draw, math.log
        self._sums = list(accumulate(-log(1.0 - draw()) for _ in range(BLOCK)))
        self._at = 0
