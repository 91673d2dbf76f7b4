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
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, PlainSerializer

_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_PER = {"s": 1, "min": 60, "m": 60, "h": 3600}
_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION = re.compile(rf"\s*{_NUMBER}\s*(ns|us|µs|ms|s|min|m|h|d)")
_RATE = re.compile(rf"{_NUMBER}\s*/\s*(s|min|m|h)")
_SHARE = re.compile(rf"{_NUMBER}\s*%")
_MONTHLY = re.compile(rf"{_NUMBER}\s*/\s*(month|year)")
_BOUND = re.compile(r"(>=|<=|>|<|==|=)?\s*(.+)")


def parse_duration(value: object) -> int:
    """``120ms``, ``20s``, ``1m30s`` -> nanoseconds."""
    text = str(value).strip()
    if re.fullmatch(_NUMBER, text):
        raise ValueError(f"{text} has no unit; write {text}s or {text}ms")
    total = Fraction(0)
    at = 0
    while match := _DURATION.match(text, at):
        total += Fraction(match[1]) * _NS[match[2]]
        at = match.end()
    if at != len(text) or not text:
        raise ValueError(f"{value!r} is not a duration; write one like 120ms, 20s or 1m30s")
    return round(total)


def format_duration(ns: int) -> str:
    """The shortest text of a duration in one unit: 1500000000 -> ``1.5s``."""
    for unit in ("d", "h", "min", "s", "ms", "us"):
        finest = _NS[unit] if unit in ("d", "h", "min") else _NS[unit] // 1000
        if ns >= _NS[unit] and ns % finest == 0:
            return f"{Decimal(ns) / _NS[unit]:f}{unit}"
    return f"{ns}ns" if ns else "0s"


def parse_rate(value: object) -> float:
    """``400/s``, ``24000/min`` -> events per second."""
    text = str(value).strip()
    match = _RATE.fullmatch(text)
    if not match:
        if re.fullmatch(_NUMBER, text):
            raise ValueError(f"{text} has no unit; write {text}/s")
        raise ValueError(f"{value!r} is not a rate; write one like 400/s or 24000/min")
    return float(Fraction(match[1]) / _PER[match[2]])


def format_rate(per_second: float) -> str:
    return f"{_plain(per_second)}/s"


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


def parse_share(value: object) -> float:
    """``98%`` -> 0.98."""
    text = str(value).strip()
    match = _SHARE.fullmatch(text)
    if not match:
        if re.fullmatch(_NUMBER, text):
            raise ValueError(f"{text} has no unit; write {text}%")
        raise ValueError(f"{value!r} is not a share; write one like 98%")
    share = float(Fraction(match[1]) / 100)
    if share > 1:
        raise ValueError(f"{text} is more than all of them; a share is at most 100%")
    return share


def format_share(share: float) -> str:
    return f"{_plain(float(Fraction(str(share)) * 100))}%"


def parse_monthly(value: object) -> float:
    """``10/month``, ``6/year`` -> events per month of 30 days."""
    text = str(value).strip()
    match = _MONTHLY.fullmatch(text)
    if not match:
        raise ValueError(f"{value!r} is not a number of incidents; write one like 10/month")
    return float(Fraction(match[1]) / (12 if match[2] == "year" else 1))


def format_monthly(per_month: float) -> str:
    return f"{_plain(per_month)}/month"


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

Arrivals = Annotated[RateRange, BeforeValidator(parse_rate_range), PlainSerializer(format_rate_range)]
Share = Annotated[float, BeforeValidator(parse_share), PlainSerializer(format_share)]
"""A part of 1."""

Monthly = Annotated[float, BeforeValidator(parse_monthly), PlainSerializer(format_monthly)]
ShareFloor = Annotated[Bound, BeforeValidator(_bound(parse_share, True, ">= 98%")), PlainSerializer(str)]
DurationCeiling = Annotated[
    Bound, BeforeValidator(_bound(parse_duration, False, "< 800ms")), PlainSerializer(str)
]
CountCeiling = Annotated[Bound, BeforeValidator(parse_count_bound), PlainSerializer(str)]


def _plain(number: float) -> str:
    text = f"{Decimal(repr(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
