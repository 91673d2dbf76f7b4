"""The verdict on the terminal, objective by objective."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.findings import Findings, ObjectiveFinding
from reports.render import units
from reports.render.wording import words

_STYLES = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow"}


def show_verdict(console: Console, findings: Findings, folder: Path) -> None:
    """Print the objectives, the verdict with its reasons, and where the report is."""
    if findings.objectives:
        table = Table(box=box.SIMPLE, pad_edge=False)
        for column in ("objective", "asked", "measured", "", "why"):
            table.add_column(column, header_style="dim", overflow="fold")
        for objective in findings.objectives:
            table.add_row(
                words(objective.name),
                objective.bound,
                measured(objective),
                Text(objective.status, style=_STYLES[objective.status]),
                Text(objective.why, style="dim"),
            )
        console.print(table)
    verdict = findings.verdict
    ended = "" if verdict.ended == "complete" else f" ({verdict.ended})"
    console.print(Text(f"{verdict.status}{ended}  ", style=_STYLES[verdict.status]), end="")
    console.print(verdict.reasons[0], highlight=False, markup=False, soft_wrap=True)
    for reason in verdict.reasons[1:]:
        console.print(f"  - {reason}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"report  {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)


def measured(objective: ObjectiveFinding) -> str:
    """The measured value in its unit, or why there is none."""
    if objective.value is None:
        return objective.state
    if objective.unit == "share":
        return units.share(objective.value, objective.target)
    if objective.unit == "ns":
        return units.duration(objective.value)
    return units.count(objective.value)
