"""A measured figure, and what it is held against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was measured.
        value, unit: The figure.
        against: What it is compared with in the same run; empty if with nothing.
        ratio: value / the other's value; ``None`` without one.
        goal: The goal in words; empty if there is none.
        met: Whether the goal was met; ``None`` without one.
        command: How to measure it again.
    """

    name: str
    value: float
    unit: str
    against: str
    ratio: float | None
    goal: str
    met: bool | None
    command: str

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def below(name: str, value: float, unit: str, limit: float, command: str) -> Row:
    """A figure whose goal is to stay under a limit."""
    return Row(name, value, unit, "", None, f"< {limit:g} {unit}", value < limit, command)


def at_least(name: str, value: float, unit: str, limit: float, command: str) -> Row:
    """A figure whose goal is to reach a limit."""
    return Row(name, value, unit, "", None, f">= {limit:g} {unit}", value >= limit, command)
