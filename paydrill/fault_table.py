"""The faults of running servers as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenarios.quantities import format_duration

_COLUMNS = ("id", "on", "fault", "touches", "time left", "hits")
_NUMBERS = ("time left", "hits")


def show_faults(console: Console, faults: Iterable[Mapping[str, Any]]) -> None:
    """Print faults as the admin interface lists them."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in _COLUMNS:
        justify = "right" if column in _NUMBERS else "left"
        table.add_column(column, header_style="dim", overflow="fold", justify=justify)  # type: ignore[arg-type]
    for fault in faults:
        left = time_left(fault) if fault["active"] else f"{time_left(fault)}, off now"
        cells = (fault["id"], fault["on"], fault["fault"], touches(fault), left, f"{fault['hits']:,}")
        table.add_row(*map(Text, cells))
    console.print(table)


def touches(words: Mapping[str, Any]) -> str:
    """Which requests a fault touches, in what rhythm, and with what parameters; all in one line."""
    scope = [str(words["endpoint"])] if "endpoint" in words else []
    for trait, value in words.get("match", {}).items():
        scope.append(f"{trait}={value if isinstance(value, str) else ','.join(value)}")
    requests = " ".join(scope) or "all requests"
    parts = [f"{words['share']} of {requests}" if "share" in words else requests]
    parts += [f"{name}={value}" for name, value in words.get("params", {}).items()]
    if "flap" in words:
        parts.append(f"{words['flap']['on']} on and {words['flap']['off']} off by turns")
    if "ramp" in words:
        parts.append(f"growing for {words['ramp']}")
    if "repeat" in words:
        parts.append(f"{words['repeat']['times']} times, one every {words['repeat']['every']}")
    return ", ".join(parts)


def time_left(fault: Mapping[str, Any]) -> str:
    """Until a fault ends by itself; to a tenth of a second, from a minute on to a second."""
    left_ns = float(fault["left_s"]) * 1e9
    step = 100_000_000 if left_ns < 60e9 else 1_000_000_000
    ns = round(left_ns / step) * step
    minutes, rest = divmod(ns, 60_000_000_000)
    return f"{minutes}min {format_duration(rest)}" if minutes and rest else format_duration(ns)
