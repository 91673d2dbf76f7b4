"""Run the benchmarks: print one table, write ``benchmarks/latest.json``.

Timings drift on shared machines, so they decide no test; they live here. A benchmark is a module of this
package with a function ``run(command)`` that yields rows.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.row import Row

BENCHMARKS = (
    "kernel",
    "proxy",
    "payment_memory",
    "report_speed",
    "failover_drill",
    "injection",
    "load_throughput",
    "load_cpu",
    "coordinated_omission",
    "load_workers",
    "whole_path",
)
LATEST = Path(__file__).with_name("latest.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, help="run one")
    only = parser.parse_args().only
    console = Console(width=None if sys.stdout.isatty() else 150)
    rows: list[Row] = []
    for name in [only] if only else BENCHMARKS:
        with console.status(f"{name} ...") if console.is_terminal else _Line(console, name):
            rows += importlib.import_module(f"benchmarks.{name}").run(f"make bench ONLY={name}")
    console.print(_table(rows))
    _keep(rows)
    console.print(f"written to {LATEST.parent.name}/{LATEST.name}")
    missed = sum(row.met is False for row in rows)
    if missed:
        console.print(f"{missed} goal{'s are' if missed > 1 else ' is'} not met")
    # A timing decides nothing on a shared machine: only a benchmark that could not be run is an error.
    return 0


class _Line:
    """Says what runs, where nothing can be drawn in place."""

    def __init__(self, console: Console, name: str) -> None:
        console.print(f"{name} ...")

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _table(rows: list[Row]) -> Table:
    table = Table(box=box.SIMPLE)
    for column in ("figure", "value", "unit", "against", "ratio", "goal", "met"):
        table.add_column(column, justify="right" if column in ("value", "ratio") else "left")
    for row in rows:
        met = "" if row.met is None else "yes" if row.met else "NO"
        table.add_row(
            row.name,
            f"{row.value:,.4g}" if abs(row.value) < 10_000 else f"{row.value:,.0f}",
            row.unit,
            row.against,
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.goal,
            Text(met, style="red" if row.met is False else "green"),
        )
    return table


def _keep(rows: list[Row]) -> None:
    """Replace the rows that were measured again; keep the others."""
    kept: list[dict[str, object]] = []
    if LATEST.is_file():
        measured = {row.command for row in rows}
        kept = [row for row in json.loads(LATEST.read_text())["rows"] if row["command"] not in measured]
    machine = f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, {platform.system()}"
    data = {"machine": machine, "rows": [*kept, *(row.plain() for row in rows)]}
    LATEST.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
