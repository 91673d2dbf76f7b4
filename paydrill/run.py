"""``paydrill run``: play a drill, judge it, report it."""

from __future__ import annotations

import datetime
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from paydrill.check import ProcessesOption, ScenarioArgument, SeedOption, SetOption, refuse, settings
from paydrill.conductor import AbortedError, InterruptedDrillError, Interrupts
from paydrill.console import console as open_console
from paydrill.drill import UnreportedError, listen, play
from paydrill.exits import ABORTED, INTERRUPTED, USAGE, leave
from paydrill.live import view_for
from paydrill.peak_options import PeakOptions
from paydrill.plans import key_problems
from paydrill.run_folder import RunFolderError, create
from paydrill.verdict_table import show_verdict
from paydrill.workers import BindOption, ExpectWorkersOption, MaxWaitOption, WorkersError, awaited
from scenarios.document import ScenarioError
from scenarios.reading import load_scenario


def run(
    scenario: ScenarioArgument,
    out: Annotated[Path, typer.Option(help="Folder in which the run gets a folder of its own.")] = Path(
        "runs"
    ),
    seed: SeedOption = None,
    set_: SetOption = None,
    target: Annotated[
        str | None, typer.Option(metavar="URL", help="Drill a platform that runs already.")
    ] = None,
    processes: ProcessesOption = 1,
    expect_workers: ExpectWorkersOption = None,
    bind: BindOption = None,
    max_wait: MaxWaitOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the verdict only.")] = False,
    find_peak: Annotated[
        bool,
        typer.Option(
            "--find-peak",
            help="Search the highest arrival rate at which the objectives hold; without faults.",
        ),
    ] = False,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="RATE", help="Where the search starts. Default: the mean rate."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="RATE", help="Its highest rate. Default: 10000/s.")
    ] = None,
    step: Annotated[
        str | None, typer.Option("--step", metavar="DURATION", help="How long a rate is held. Default: 20s.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", metavar="SHARE", help="How narrow the interval is to be. Default: 5%."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, max=100, help="Most steps. Default: 14.")
    ] = None,
) -> None:
    """Play a drill, and say the verdict.

    Exit codes: 0 PASS, 1 FAIL, 2 bad scenario or usage, 3 INCONCLUSIVE, 4 aborted, 130 interrupted.
    With --find-peak: 0 it is known which rate holds, 1 not even the lowest one does.
    """
    try:
        loaded = load_scenario(scenario, settings(seed, set_, target))
    except ScenarioError as error:
        refuse(error)
    unusable = key_problems(loaded)
    if unusable:
        leave(USAGE, "\n".join([*unusable, "nothing was started"]))
    try:
        workers = awaited(expect_workers, bind, max_wait, processes)
    except WorkersError as error:
        leave(USAGE, str(error))
    if workers is not None and find_peak:
        leave(USAGE, "--find-peak starts load workers for each step: give --processes, not --expect-workers")
    console = open_console()
    wish = PeakOptions(from_, to, step, precision, steps)
    if find_peak:
        # The reports are needed from the first step on; without a search their import can wait.
        from paydrill.find_peak import find_peak as search

        search(
            loaded, wish, out=out, processes=processes, console=console, quiet=quiet, command=command_line()
        )
    if wish.given():
        leave(USAGE, f"{', '.join(wish.given())}: only with --find-peak")
    try:
        folder = create(out, loaded, datetime.datetime.now(datetime.UTC))
    except RunFolderError as error:
        leave(ABORTED, str(error))
    interrupts = Interrupts()
    listen(interrupts)
    with view_for(console, loaded, quiet) as view:
        try:
            judgement = play(
                loaded,
                folder,
                processes=processes if workers is None else workers.workers,
                view=view,
                interrupts=interrupts,
                command=command_line(),
                awaited=workers,
            )
        except AbortedError as error:
            leave(ABORTED, f"aborted before the load began: {error}")
        except RunFolderError as error:
            leave(ABORTED, f"aborted: {error}")
        except UnreportedError as error:
            leave(ABORTED, str(error))
        except InterruptedDrillError:
            leave(
                INTERRUPTED,
                "interrupted before the load began; nothing was sent, so there is nothing to report",
            )
    findings = judgement.findings
    show_verdict(console, findings, folder.path)
    code = findings.verdict.exit_code
    leave(INTERRUPTED if interrupts.count and code != ABORTED else code)


def command_line() -> str:
    """The command as it was typed, for the record."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
