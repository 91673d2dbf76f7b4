"""``paydrill list``: the scenarios that come with it, a line each."""

from __future__ import annotations

import typer

from scenarios.quantities import format_duration
from scenarios.reading import load_scenario, names


def list_scenarios() -> None:
    """The scenarios that come with it, a line each."""
    width = max(map(len, names()))
    for name in names():
        scenario = load_scenario(name)
        typer.echo(f"{name:<{width}}  {format_duration(scenario.duration_ns):>5}  {scenario.about}")
