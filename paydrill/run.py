"""``paydrill run``: play a drill, judge it, report it."""

from __future__ import annotations

import datetime
import os
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from paydrill.check import ScenarioArgument, SeedOption, SetOption, refuse, settings
from paydrill.conductor import AbortedError, Conductor, InterruptedDrillError, Interrupts
from paydrill.console import console as open_console
from paydrill.exits import ABORTED, INTERRUPTED, USAGE, leave
from paydrill.live import view_for
from paydrill.plans import key_problems
from paydrill.run_folder import RunFolder, RunFolderError, check_room, create
from paydrill.verdict_table import show_verdict
from scenarios.checkout import plan, summarise
from scenarios.document import ScenarioError
from scenarios.reading import load_scenario

_MOST_PROCESSES = 64


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
    processes: Annotated[int, typer.Option(min=1, max=_MOST_PROCESSES, help="Load worker processes.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the verdict only.")] = False,
) -> None:
    """Play a drill, and say the verdict.

    Exit codes: 0 PASS, 1 FAIL, 2 bad scenario or usage, 3 INCONCLUSIVE, 4 aborted, 130 interrupted.
    """
    try:
        loaded = load_scenario(scenario, settings(seed, set_, target))
    except ScenarioError as error:
        refuse(error)
    unusable = key_problems(loaded)
    if unusable:
        leave(USAGE, "\n".join([*unusable, "nothing was started"]))
    console = open_console()
    try:
        folder = create(out, loaded, datetime.datetime.now(datetime.UTC))
    except RunFolderError as error:
        leave(ABORTED, str(error))
    interrupts = Interrupts()
    _listen(interrupts)
    interrupted = 0
    with view_for(console, loaded, quiet) as view:
        view.step(f"planning {loaded.name} ...")
        summary = summarise(plan(loaded))
        try:
            check_room(folder, summary.payments)
        except RunFolderError as error:
            leave(ABORTED, str(error))
        conductor = Conductor(
            scenario=loaded,
            summary=summary,
            folder=folder,
            processes=processes,
            view=view,
            interrupts=interrupts,
            command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        )
        interrupts.on_second = lambda: _stop_now(conductor, folder)
        try:
            conductor.run()
        except AbortedError as error:
            leave(ABORTED, f"aborted before the load began: {error}")
        except RunFolderError as error:
            leave(ABORTED, f"aborted: {error}")
        except InterruptedDrillError:
            leave(
                INTERRUPTED,
                "interrupted before the load began; nothing was sent, so there is nothing to report",
            )
        interrupted = interrupts.count
        view.step("building the report ...")
        # matplotlib and scipy are only needed from here on, and importing them takes a second.
        from reports.write import write_report

        try:
            findings = write_report(folder.path)
        except OSError as error:
            leave(ABORTED, _unreported(folder, error))
    show_verdict(console, findings, folder.path)
    code = findings.verdict.exit_code
    leave(INTERRUPTED if interrupts.count > interrupted else code)


def _unreported(folder: RunFolder, error: OSError) -> str:
    return (
        f"the report could not be written: {error.strerror or error}\n"
        f"the journal is kept; when there is room: paydrill report {folder.path}"
    )


def _listen(interrupts: Interrupts) -> None:
    def pressed(number: int, frame: FrameType | None) -> None:
        interrupts.press()

    signal.signal(signal.SIGINT, pressed)
    signal.signal(signal.SIGTERM, pressed)


def _stop_now(conductor: Conductor, folder: RunFolder) -> None:
    conductor.kill_children()
    sys.stderr.write(f"\nstopped; the journal is kept: paydrill report {folder.path}\n")
    sys.stderr.flush()
    # Nothing that is still running may hold up the end that was asked for twice.
    os._exit(INTERRUPTED)
