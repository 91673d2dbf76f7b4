"""Numbers as text: every figure of a report is written by a function of this file.

Rounding never crosses a line that matters: a share below 1 is not written as 100%, and a value that misses
its bound is not written as the bound.
"""

from __future__ import annotations

import math
import re

_S = 1_000_000_000
_MS = 1_000_000
_US = 1_000

_NO_DECIMALS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "XOF", "PYG", "RWF"})
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def duration(ns: float | None) -> str:
    """A length of time in the unit a person would choose, to two or three digits:
    ``0.4 ms``, ``312 ms``,
    ``1.21 s``, ``19.6 s``, ``2 min 5 s``. ``None`` is ``-``; infinite is ``no answer``."""
    if ns is None or math.isnan(ns):
        return "-"
    if math.isinf(ns):
        return "no answer"
    if ns < 0:
        return "-" + duration(-ns)
    if ns < _US / 2:
        return "0 s"
    for unit, name, most in ((_MS, "ms", 1000), (_S, "s", 60)):
        value = ns / unit
        digits = _decimals(value, unit)
        if round(value, digits) < most:
            return f"{value:.{digits}f} {name}"
    minutes, seconds = divmod(round(ns / _S), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _decimals(value: float, unit: int) -> int:
    if unit == _S:
        return 1 if value >= 9.995 else 2
    return 0 if value >= 9.95 else 1 if value >= 0.95 else 2 if value >= 0.095 else 3


def signed(ns: float | None) -> str:
    """A difference of two times with its sign: ``+15 ms``, ``-1.20 s``."""
    if ns is None or math.isnan(ns):
        return "-"
    return ("+" if ns > 0 else "") + duration(ns)


def moment(ns: float | None) -> str:
    """A point of the run's time axis, to the millisecond: ``40.013 s``."""
    return "-" if ns is None else f"{ns / _S:.3f} s"


def clock(seconds: float) -> str:
    """A tick of a long time axis: 95 -> ``1:35``."""
    whole = round(seconds)
    return f"{'-' if whole < 0 else ''}{abs(whole) // 60}:{abs(whole) % 60:02d}"


def share(value: float | None, against: float | None = None) -> str:
    """A part of 1 in per cent: ``99.85%``. Takes as many decimals (two to six) as it needs to have two digits
    that say how far it is from 0% or 100% (``99.977%``), and to differ from the bound ``against``."""
    if value is None or math.isnan(value):
        return "-"
    apart = [limit for limit in (0.0, 1.0, against) if limit is not None and limit != value]
    edge = min(abs(value), abs(1 - value))
    least = max(2, 1 - math.floor(math.log10(100 * edge))) if edge > 0 else 2
    for digits in range(min(least, 6), 7):
        text = f"{100 * value:.{digits}f}"
        if all(float(text) != float(f"{100 * limit:.{digits}f}") for limit in apart):
            break
    if "." in text and float(text) == int(float(text)) and value in (0.0, 1.0):
        text = str(int(float(text)))
    return f"{text}%"


def glued(text: str) -> str:
    """The same with no-break spaces between a number and its unit, so that no line ends between them."""
    return re.sub(r"(?<=\d) (?=(?:ms|s|min|h)\b)", "\u00a0", text)


def spaced(bound: str) -> str:
    """A bound as it stands in a scenario, set for reading: ``>= 99.9%`` -> ``≥ 99.9%``, ``< 800ms`` ->
    ``< 800 ms``."""
    return re.sub(r"(\d)([a-zµ]+)", r"\1 \2", bound.replace(">=", "≥").replace("<=", "≤"))


def target_share(value: float) -> str:
    """An objective's share as it is spoken of: 0.999 -> ``99.9%``."""
    return f"{round(100 * value, 6):g}%"


def count(number: float | None) -> str:
    """``27,013``."""
    if number is None:
        return "-"
    return "unlimited" if math.isinf(number) else f"{number:,.0f}"


def rate(per_second: float) -> str:
    """``401/s``, ``3.2/s``."""
    return f"{per_second:,.0f}/s" if per_second >= 10 else f"{per_second:.1f}/s"


def minutes(value: float | None) -> str:
    """Minutes of an error budget: ``43.2 min``, ``0.033 min``."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0:
        return "0 min"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} min"


def money(minor: int, currency: str) -> str:
    """An amount in its currency's own decimals (ISO 4217): (1290, EUR) -> ``12.90 EUR``."""
    decimals = 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
    return f"{minor / 10**decimals:,.{decimals}f} {currency}"


def plural(number: int, one: str, many: str = "") -> str:
    """``1 payment``, ``31 payments``, ``0 payments``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listing(items: list[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return (
        items[0] if len(items) == 1 else f" {last} ".join([", ".join(items[:-1]), items[-1]]) if items else ""
    )
