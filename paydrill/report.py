"""``paydrill report``: rebuild the reports of a run, or of a search, from its folder alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from paydrill.console import console as open_console
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.run_folder import latest
from paydrill.verdict_table import show_verdict


def report(
    run: Annotated[Path | None, typer.Argument(help="The folder of a run or a search.")] = None,
    newest: Annotated[bool, typer.Option("--latest", help="Take the newest run of --out.")] = False,
    out: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing; the exit code is the verdict's.")
    ] = False,
) -> None:
    """Rebuild the reports of a run, or of a search for the peak; the exit code is that of its verdict."""
    if run is None:
        run = latest(out) if newest else None
        if run is None:
            leave(USAGE, f"no run in {out}" if newest else "name a run's folder, or say --latest")
    from reports.run_folder import NotARunError
    from reports.search_folder import is_search

    console = open_console()
    try:
        with nullcontext() if quiet else console.status("building the report ..."):
            show, code = _search(run) if is_search(run) else _drill(run)
    except NotARunError as error:
        leave(USAGE, str(error))
    except OSError as error:
        leave(
            ABORTED, f"the report could not be written: {error.strerror or error} ({error.filename or run})"
        )
    if not quiet:
        show(console)
    leave(code)


def _drill(run: Path) -> tuple[Callable[[Console], None], int]:
    """What shows the verdict of a run whose report has been written, and its exit code."""
    from reports.write import write_report

    findings = write_report(run)
    return lambda console: show_verdict(console, findings, run), findings.verdict.exit_code


def _search(folder: Path) -> tuple[Callable[[Console], None], int]:
    """The same for a search for the peak."""
    from paydrill.search_table import show_search
    from reports.peak import judge_search
    from reports.write_search import write_search

    found = judge_search(folder)
    write_search(folder, found)
    return lambda console: show_search(console, found, folder), found.exit_code
