"""What a search for the peak found, on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paydrill.search_view import STYLES
from reports import peak_wording
from reports.findings import Status
from reports.peak_findings import PeakFindings, StepFindings
from reports.render import units

_STATUSES: dict[Status, str] = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow"}


def show_search(console: Console, found: PeakFindings, folder: Path) -> None:
    """Print the steps by rate, the finding with its reasons, and where the report is."""
    if found.steps:
        console.print(_steps(found))
    style = _STATUSES[found.status] if found.ended == "complete" else "bold yellow"
    console.print(Text(f"{found.headline}.", style=style))
    for reason in found.reasons:
        console.print(Text(f"  - {reason}"))
    if said := peak_wording.sureness(found):
        console.print(Text(said, style="dim"))
    console.print(f"report  {folder / 'search.html'}", highlight=False, markup=False, soft_wrap=True)


def _steps(found: PeakFindings) -> Table:
    """By rate; below what was asked stands what was sent, below each figure its bound of 95%: the end that an
    objective has to fear."""
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    for column in ("asked\nsent", "success", "p95", "p99", "late p99"):
        table.add_column(column, header_style="dim", justify="right", no_wrap=True)
    table.add_column("came to", header_style="dim")
    for step in sorted(found.steps, key=lambda step: (step.rate, step.number)):
        table.add_row(
            _over(peak_wording.rate(step.rate), peak_wording.rate(step.achieved)),
            _over(units.share(step.success.value), _success_bound(step)),
            _over(peak_wording.percentile(step.p95), _ceiling(step.p95.high_ns)),
            _over(peak_wording.percentile(step.p99), _ceiling(step.p99.high_ns)),
            units.duration(step.lateness_p99_ns),
            _outcome(step),
        )
    return table


def _outcome(step: StepFindings) -> Text:
    word = Text(peak_wording.OUTCOMES[step.outcome], style=STYLES[step.outcome])
    word.append(f"  step {step.number}", style="not bold dim")
    if why := peak_wording.detail(step).replace("latency ", ""):
        word.append(f"\n{why}", style="not bold dim")
    return word


def _success_bound(step: StepFindings) -> str:
    return f"≥ {units.share(step.success.low)}" if step.success.low is not None else ""


def _ceiling(high_ns: int | None) -> str:
    return f"≤ {units.duration(high_ns)}" if high_ns is not None else "no bound"


def _over(figure: str, below: str) -> Text:
    return Text.assemble(figure, (f"\n{below}" if below else "", "dim"))
