"""``paydrill report``: rebuild the reports of a run from its folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paydrill.console import console as open_console
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.run_folder import latest
from paydrill.verdict_table import show_verdict


def report(
    run: Annotated[Path | None, typer.Argument(help="A run's folder.")] = None,
    newest: Annotated[bool, typer.Option("--latest", help="Take the newest run of --out.")] = False,
    out: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing; the exit code is the verdict's.")
    ] = False,
) -> None:
    """Rebuild the reports of a run; the exit code is that of its verdict."""
    if run is None:
        run = latest(out) if newest else None
        if run is None:
            leave(USAGE, f"no run in {out}" if newest else "name a run's folder, or say --latest")
    from reports.run_folder import NotARunError
    from reports.write import write_report

    console = open_console()
    try:
        if quiet:
            findings = write_report(run)
        else:
            with console.status("building the report ..."):
                findings = write_report(run)
    except NotARunError as error:
        leave(USAGE, str(error))
    except OSError as error:
        leave(
            ABORTED, f"the report could not be written: {error.strerror or error} ({error.filename or run})"
        )
    if not quiet:
        show_verdict(console, findings, run)
    leave(findings.verdict.exit_code)
