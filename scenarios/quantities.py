"""Values with units, as they stand in a scenario: durations, rates, shares, and bounds on them.

A bare number where a unit is needed is an error: ``timeout: 5`` could be seconds or milliseconds, and a
drill that guesses judges something else than its author meant. Every parser raises ``ValueError`` with a
message that says what to write; every ``format_*`` gives text that parses back to the same value.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, PlainSerializer

from mocks.units import NUMBER, plain
from mocks.units import format_duration as format_duration
from mocks.units import format_share as format_share
from mocks.units import parse_duration as parse_duration
from mocks.units import parse_share as parse_share

_PER = {"s": 1, "min": 60, "m": 60, "h": 3600}
_RATE = re.compile(rf"{NUMBER}\s*/\s*(s|min|m|h)")
_MONTHLY = re.compile(rf"{NUMBER}\s*/\s*(month|year)")
_BOUND = re.compile(r"(>=|<=|>|<|==|=)?\s*(.+)")


def parse_rate(value: object) -> float:
    """``400/s``, ``24000/min`` -> events per second."""
    text = str(value).strip()
    match = _RATE.fullmatch(text)
    if not match:
        if re.fullmatch(NUMBER, text):
            raise ValueError(f"{text} has no unit; write {text}/s")
        raise ValueError(f"{value!r} is not a rate; write one like 400/s or 24000/min")
    return float(Fraction(match[1]) / _PER[match[2]])


def format_rate(per_second: float) -> str:
    return f"{plain(per_second)}/s"


@dataclass(frozen=True, slots=True)
class RateRange:
    """A rate that goes linearly from ``start`` to ``end`` (per second); constant when they are equal."""

    start: float
    end: float


def parse_rate_range(value: object) -> RateRange:
    """``400/s`` or ``50/s..400/s``."""
    if isinstance(value, RateRange):
        return value
    first, dots, last = str(value).partition("..")
    start = parse_rate(first)
    return RateRange(start, parse_rate(last) if dots else start)


def format_rate_range(rate: RateRange) -> str:
    if rate.start == rate.end:
        return format_rate(rate.start)
    return f"{format_rate(rate.start)}..{format_rate(rate.end)}"


@dataclass(frozen=True, slots=True)
class DurationRange:
    """From ``low`` to ``high``, in ns; always the same when they are equal."""

    low: int
    high: int


def parse_duration_range(value: object) -> DurationRange:
    """``2s`` or ``1s..3s``."""
    if isinstance(value, DurationRange):
        return value
    first, dots, last = str(value).partition("..")
    low = parse_duration(first)
    high = parse_duration(last) if dots else low
    if high < low:
        raise ValueError(f"{value} runs backwards; write the shorter one first")
    return DurationRange(low, high)


def format_duration_range(duration: DurationRange) -> str:
    if duration.low == duration.high:
        return format_duration(duration.low)
    return f"{format_duration(duration.low)}..{format_duration(duration.high)}"


def parse_monthly(value: object) -> float:
    """``10/month``, ``6/year`` -> events per month of 30 days."""
    text = str(value).strip()
    match = _MONTHLY.fullmatch(text)
    if not match:
        raise ValueError(f"{value!r} is not a number of incidents; write one like 10/month")
    return float(Fraction(match[1]) / (12 if match[2] == "year" else 1))


def format_monthly(per_month: float) -> str:
    return f"{plain(per_month)}/month"


Comparison = Literal[">=", ">", "<=", "<"]
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Bound:
    """An objective's bound: ``comparison`` and ``value``; the unit is the objective's own (a share of 1,
    nanoseconds, or a count)."""

    comparison: Comparison
    value: float
    text: str

    def holds(self, value: float) -> bool:
        return _OPERATORS[self.comparison](value, self.value)

    def __str__(self) -> str:
        return self.text


def _bound(parse: Callable[[object], float], floor: bool, example: str) -> Callable[[object], Bound]:
    wanted = (">=", ">") if floor else ("<=", "<")

    def parse_bound(value: object) -> Bound:
        if isinstance(value, Bound):
            return value
        match = _BOUND.fullmatch(str(value).strip())
        if not match:
            raise ValueError(f"nothing to compare with; write one like {example!r}")
        comparison, rest = match[1], match[2]
        number = parse(rest)
        if comparison not in wanted:
            said = f"{comparison} cannot be meant here" if comparison else "how to compare is not said"
            raise ValueError(f"{said}; write {wanted[0]} or {wanted[1]}, e.g. {example!r}")
        return Bound(cast(Comparison, comparison), number, f"{comparison} {rest}")

    return parse_bound


_SECOND = 1_000_000_000
_ABORT = re.compile(r"success_rate\s*(<=?)\s*(\S+)\s+for\s+(\S+)")


@dataclass(frozen=True, slots=True)
class AbortCondition:
    """When a drill ends early: in each second of ``for_ns`` in a row, the success rate is below ``bound``.

    Attributes:
        bound: On a share of 1; it *holds* where things are bad.
        for_ns: At least a second.
    """

    bound: Bound
    for_ns: int

    def __str__(self) -> str:
        return f"success_rate {self.bound} for {format_duration(self.for_ns)}"


def parse_abort(value: object) -> AbortCondition:
    """``success_rate < 50% for 30s``."""
    if isinstance(value, AbortCondition):
        return value
    match = _ABORT.fullmatch(str(value).strip())
    if not match:
        raise ValueError("not a condition; write one like 'success_rate < 50% for 30s'")
    share, for_ns = parse_share(match[2]), parse_duration(match[3])
    if for_ns < _SECOND or for_ns % _SECOND:
        raise ValueError(
            f"{match[3]} is not a number of whole seconds; the success rate is watched by the second"
        )
    if share <= 0:
        raise ValueError("no success rate is below 0%")
    return AbortCondition(Bound(cast(Comparison, match[1]), share, f"{match[1]} {match[2]}"), for_ns)


def parse_count_bound(value: object) -> Bound:
    """``0`` or ``<= 3``: at most that many."""
    if isinstance(value, Bound):
        return value
    match = re.fullmatch(r"(<=|<|=|==)?\s*(\d+)", str(value).strip())
    if not match:
        raise ValueError(f"{value!r} is not a count; write 0, or one like '<= 3'")
    most = int(match[2]) - (match[1] == "<")
    if most < 0:
        raise ValueError("no count is below zero")
    return Bound("<=", float(most), f"<= {most}")


Duration = Annotated[int, BeforeValidator(parse_duration), PlainSerializer(format_duration)]
"""Nanoseconds."""

Rate = Annotated[float, BeforeValidator(parse_rate), PlainSerializer(format_rate)]
"""Events per second."""

ThinkTime = Annotated[
    DurationRange, BeforeValidator(parse_duration_range), PlainSerializer(format_duration_range)
]
Arrivals = Annotated[RateRange, BeforeValidator(parse_rate_range), PlainSerializer(format_rate_range)]
Share = Annotated[float, BeforeValidator(parse_share), PlainSerializer(format_share)]
"""A part of 1."""

Monthly = Annotated[float, BeforeValidator(parse_monthly), PlainSerializer(format_monthly)]
ShareFloor = Annotated[Bound, BeforeValidator(_bound(parse_share, True, ">= 98%")), PlainSerializer(str)]
DurationCeiling = Annotated[
    Bound, BeforeValidator(_bound(parse_duration, False, "< 800ms")), PlainSerializer(str)
]
Abort = Annotated[AbortCondition, BeforeValidator(parse_abort), PlainSerializer(str)]
CountCeiling = Annotated[Bound, BeforeValidator(parse_count_bound), PlainSerializer(str)]
