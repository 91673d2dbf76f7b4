"""One drill from its plan to its report: what ``paydrill run`` does once, and a search again and again."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from paydrill.conductor import AbortedError, Conductor, Interrupts
from paydrill.exits import INTERRUPTED
from paydrill.live import View
from paydrill.machine import this_machine
from paydrill.open_files import problems
from paydrill.run_folder import RunFolder, check_room
from paydrill.workers import Awaited
from scenarios.checkout import plan, summarise
from scenarios.in_flight import most_waiting
from scenarios.schema import Scenario

if TYPE_CHECKING:
    from reports.judge import Judgement


class UnreportedError(Exception):
    """The drill was played, but its report could not be written; the text says why, and that the journal is
    kept."""


def play(
    scenario: Scenario,
    folder: RunFolder,
    *,
    processes: int,
    view: View,
    interrupts: Interrupts,
    command: str,
    awaited: Awaited | None = None,
) -> Judgement:
    """Play a drill and write its report.

    Args:
        scenario: What is played.
        folder: Where everything is written; still empty.
        processes: Load workers.
        view: Shows the drill.
        interrupts: The first Ctrl-C ends the drill in order, the second one this process.
        command: The command line, for the record.
        awaited: Load workers that somebody else starts; ``None``: none.

    Returns:
        What was found. A drill that was cut short says so in its verdict.

    Raises:
        AbortedError: Nothing was played, because the environment broke before the load began.
        InterruptedDrillError: The same, because of Ctrl-C.
        RunFolderError: There is no room, or the folder cannot be written.
        UnreportedError: The report could not be written.
    """
    view.step(f"planning {scenario.name} ...")
    summary = summarise(plan(scenario))
    check_room(folder, summary.payments + round(scenario.load.most_of_users()))
    waiting = most_waiting(scenario.load, scenario.seed)
    # What machines that are not known yet can carry is not known either.
    unfit = problems(scenario, waiting, processes, this_machine()) if awaited is None else []
    if unfit:
        shutil.rmtree(folder.path)  # it is still empty
        raise AbortedError("\n".join(unfit))
    conductor = Conductor(
        scenario=scenario,
        summary=summary,
        folder=folder,
        processes=processes,
        view=view,
        interrupts=interrupts,
        command=command,
        awaited=awaited,
    )
    interrupts.on_second = lambda: _stop_now(conductor, folder)
    conductor.run()
    view.step("building the report ...")
    # matplotlib and scipy are only needed from here on, and importing them takes a second.
    from reports.judge import judge_run
    from reports.run_folder import open_run
    from reports.write import write_judgement

    judgement = judge_run(open_run(folder.path))
    try:
        write_judgement(judgement)
    except OSError as error:
        raise UnreportedError(
            f"the report could not be written: {error.strerror or error}\n"
            f"the journal is kept; when there is room: paydrill report {folder.path}"
        ) from error
    return judgement


def listen(interrupts: Interrupts) -> None:
    """Count Ctrl-C, and SIGTERM like it."""

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
