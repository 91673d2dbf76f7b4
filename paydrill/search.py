"""A search for the peak, step by step: a drill for each, judged before the next one is chosen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from journal.clock import SECOND
from paydrill.conductor import AbortedError, InterruptedDrillError, Interrupts
from paydrill.drill import UnreportedError, play
from paydrill.machine import this_machine
from paydrill.open_files import most_in_flight
from paydrill.run_folder import RunFolderError, create_at
from paydrill.search_view import SearchView
from reports.findings import Ended
from reports.peak import history_of, peak_of, step_of
from reports.peak_findings import PeakFindings, StepFindings
from reports.search_folder import RECORD, STEPS, SearchRecord, StepRecord, record_text
from reports.write import replace
from reports.write_search import write_search
from scenarios.peak_search import End, Step, next_step
from scenarios.peak_step import scenario_of
from scenarios.schema import Scenario

_TICK = 0.1


@dataclass(slots=True)
class Search:
    """One search.

    Args:
        scenario: The steady one (see ``scenarios.peak_step``).
        record: What is known of the search; grows with each step.
        path: Its folder.
        view: Shows the steps.
        interrupts: Asked between the steps; the first Ctrl-C ends the step, and the search with it.
    """

    scenario: Scenario
    record: SearchRecord
    path: Path
    view: SearchView
    interrupts: Interrupts
    _steps: list[StepFindings] = field(default_factory=list)

    def run(self) -> PeakFindings:
        """Play until nothing is left to be decided, and write the report.

        Returns:
            What was found. A search that was cut short says so, and what is known by then.

        Raises:
            RunFolderError: The folder cannot be written.
            UnreportedError: The report could not be written.
        """
        self._note()
        try:
            self._search()
        except InterruptedDrillError:
            self._end("interrupted", f"stopped by Ctrl-C in step {len(self._steps) + 1}")
        except (AbortedError, RunFolderError, UnreportedError) as error:
            self._end("aborted", f"step {len(self._steps) + 1} could not be played: {error}")
        else:
            self._end("complete", "")

        self.view.step("building the report ...")
        found = peak_of(self.record, self.scenario, self._steps)
        try:
            write_search(self.path, found)
        except OSError as error:
            raise UnreportedError(
                f"the report could not be written: {error.strerror or error}\n"
                f"the steps are kept; when there is room: paydrill report {self.path}"
            ) from error
        return found

    def _search(self) -> None:
        limits = self.record.limits
        while True:
            step = next_step(history_of(self._steps), limits)
            if isinstance(step, End):
                return
            if self.interrupts.count:
                raise InterruptedDrillError
            self._play(step)

    def _play(self, step: Step) -> None:
        """Play one step with processes of its own, and judge it."""

        limits = self.record.limits
        number = len(self._steps) + 1
        self._rest()
        began = time.monotonic_ns()
        carried = most_in_flight(self.scenario, self.record.processes, this_machine())
        scenario = scenario_of(self.scenario, step, number, limits, carried)
        folder = create_at(self.path / STEPS / f"{number:02d}-{step.rate:g}-per-s")
        self.view.begin(number, step, scenario)
        judgement = play(
            scenario,
            folder,
            processes=self.record.processes,
            view=self.view,
            interrupts=self.interrupts,
            command=self.record.command,
        )
        run = judgement.findings.run
        if run.ended == "interrupted":
            raise InterruptedDrillError
        if run.ended == "aborted":
            raise AbortedError(f"{run.ended_why} (see {folder.path})")
        one = StepRecord(
            folder=folder.path.name,
            rate=step.rate,
            hold_ns=step.hold_ns,
            why=step.why,
            took_ns=time.monotonic_ns() - began,
        )
        found = step_of(one, number, judgement, limits)
        self._steps.append(found)
        self.record = self.record.model_copy(update={"steps": (*self.record.steps, one)})
        self._note()
        self.view.end(found)

    def _rest(self) -> None:
        """A platform that goes on running gets the time to forget the customers who gave up on it: what one
        step left behind shall not be held against the next."""
        if not self._steps or self.scenario.platform.url is None or self._steps[-1].outcome == "held":
            return
        self.view.step("letting the platform rest ...")
        until = time.monotonic() + self.scenario.load.timeout / SECOND
        while time.monotonic() < until:
            if self.interrupts.count:
                raise InterruptedDrillError
            time.sleep(_TICK)

    def _end(self, ended: Ended, why: str) -> None:
        self.record = self.record.model_copy(update={"ended": ended, "ended_why": why})
        self._note()

    def _note(self) -> None:
        """Write the record, as a whole or not at all."""

        try:
            replace(self.path / RECORD, record_text(self.record, self.scenario).encode())
        except OSError as error:
            raise RunFolderError(
                f"{self.path / RECORD} cannot be written: {error.strerror or error}"
            ) from error
