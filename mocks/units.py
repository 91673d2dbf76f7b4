"""Values as people write them, with their units: durations (``20s``) and shares (``10%``).

A bare number where a unit is needed is an error. Every parser raises ``ValueError`` with a message that says
what to write. Scenarios and the admin interface take the same texts; what only a scenario has (rates, bounds)
is in ``scenarios.quantities``.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

NUMBER = r"(\d+(?:\.\d+)?)"
"""A pattern of one number, in a group."""

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
_DURATION = re.compile(rf"\s*{NUMBER}\s*(ns|us|µs|ms|s|min|m|h|d)")
_SHARE = re.compile(rf"{NUMBER}\s*%")


def parse_duration(value: object) -> int:
    """``120ms``, ``20s``, ``1m30s`` -> nanoseconds."""
    text = str(value).strip()
    if re.fullmatch(NUMBER, text):
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


def parse_share(value: object) -> float:
    """``98%`` -> 0.98."""
    text = str(value).strip()
    match = _SHARE.fullmatch(text)
    if not match:
        if re.fullmatch(NUMBER, text):
            raise ValueError(f"{text} has no unit; write {text}%")
        raise ValueError(f"{value!r} is not a share; write one like 98%")
    share = float(Fraction(match[1]) / 100)
    if share > 1:
        raise ValueError(f"{text} is more than all of them; a share is at most 100%")
    return share


def format_share(share: float) -> str:
    return f"{plain(float(Fraction(str(share)) * 100))}%"


def parameter_value(kind: str, value: object) -> Any:
    """A parameter as its fault or probe wants it: durations in ns, shares as parts of 1, the rest as it is.

    Raises:
        ValueError: It is not of that kind.
    """
    if kind == "duration":
        return parse_duration(value)
    if kind == "share":
        return parse_share(value)
    if kind == "status":
        if isinstance(value, bool) or not isinstance(value, int) or not 400 <= value <= 599:
            raise ValueError("must be an HTTP error status, 400 to 599")
        return value
    wanted: dict[str, tuple[type | tuple[type, ...], str]] = {
        "number": ((int, float), "a number"),
        "count": (int, "a whole number"),
        "text": (str, "a text"),
        "flag": (bool, "true or false"),
    }
    types, words = wanted[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "flag"):
        raise ValueError(f"must be {words}")
    if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
        raise ValueError("must be 0 or more")
    return value


def plain(number: float) -> str:
    """A number without an exponent and without trailing zeros."""
    text = f"{Decimal(repr(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
