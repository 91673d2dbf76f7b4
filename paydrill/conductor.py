"""The conductor: runs one drill from its first child process to its last.

It starts the gateways, the platform, the probes and the load, hands each its plan ahead of time, says go,
watches, lets the platform settle, collects its ledger, and ends every process. It judges nothing.
"""

from __future__ import annotations

import datetime
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from journal.clock import SECOND, Clock
from journal.reader import Tail
from journal.records import Mark
from journal.writer import Writer
from mocks.sandboxes.records import UNREAD
from paydrill.abort_condition import AbortWatch
from paydrill.crew import Crew, CrewError
from paydrill.drilled_platform import DrilledPlatform, PlatformError
from paydrill.live import View
from paydrill.live_state import LAG_NS, LiveState
from paydrill.process_faults import ProcessFaults
from paydrill.run_folder import RunFolder, is_full
from paydrill.workers import Awaited
from scenarios.arrivals import stretches
from scenarios.checkout import PlanSummary
from scenarios.quantities import format_duration
from scenarios.schema import Scenario

_TICK = 0.1
_GRACE = 8.0
"""Seconds that all children together may take to flush and end."""

_RECORDS = 60.0
"""Seconds that the records of sandboxes may take to be read, and besides one for so many payments:"""
_RECORDS_RATE = 5
_RECORDS_HURRIED = 10.0
"""The same of a drill that was stopped."""

_LOAD = 3.0
_ALL_WORKERS = 10.0
"""Seconds that a load which is ended may take besides what is in flight; and one of several workers, whose
journals have to come in."""

_OVERTIME = 20.0
"""Seconds that the load may take after the last customer gave up, before it is taken for dead."""

Ended = Literal["complete", "stopped", "aborted", "interrupted"]


class AbortedError(Exception):
    """The environment broke; the text says what and where to look."""


class StoppedError(Exception):
    """The scenario's own condition for an early end was met; the text says how."""


class InterruptedDrillError(Exception):
    """Somebody pressed Ctrl-C."""


@dataclass(slots=True)
class Interrupts:
    """Counts Ctrl-C. The first asks for an orderly end; what the second does, ``on_second`` says."""

    count: int = 0
    on_second: Callable[[], None] = lambda: None

    def press(self) -> None:
        self.count += 1
        if self.count > 1:
            self.on_second()


@dataclass(slots=True)
class Conductor:
    """Runs one drill.

    Args:
        scenario: What is played.
        summary: Its plan's size and digest.
        folder: Where everything is written.
        processes: Load workers; 1 is a single Locust process.
        view: Shows the drill.
        interrupts: Asked at every tick.
        command: The command line, for the record.
        awaited: Load workers that somebody else starts; ``None``: none.
    """

    scenario: Scenario
    summary: PlanSummary
    folder: RunFolder
    processes: int
    view: View
    interrupts: Interrupts
    command: str
    awaited: Awaited | None = None
    _crew: Crew = field(init=False)
    _clock: Clock = field(default_factory=Clock.starting_now)
    _writer: Writer | None = None
    _process_faults: ProcessFaults | None = None
    _load_done: bool = False
    _stages_told: int = 0

    def __post_init__(self) -> None:
        self._crew = Crew(
            self.scenario,
            self.folder,
            self.processes,
            self.awaited,
            tell=self.view.step,
            checkpoint=self._checkpoint,
        )

    def run(self) -> Ended:
        """Run the drill.

        Returns:
            How it ended. The reason of an abort is in the journal, as a mark.

        Raises:
            AbortedError: A child could not be started: nothing was played, and there is nothing to judge.
            InterruptedDrillError: Ctrl-C before the load began: the same.
        """
        self._writer = Writer(self.folder.journal, "conductor")
        try:
            try:
                url = self._start()
            except CrewError as error:
                self._crew.dismiss_workers()
                raise AbortedError(str(error)) from error
            except InterruptedDrillError:
                self._crew.dismiss_workers()
                raise
            return self._play(url)
        finally:
            self._crew.kill()
            shutil.rmtree(self.folder.state, ignore_errors=True)
            try:
                self._writer.close()
            except OSError as error:
                self.view.step(f"the end of the conductor's journal could not be written: {error.strerror}")

    def kill_children(self) -> None:
        """End every child at once."""
        self._crew.kill()

    def _start(self) -> str:
        """Start all children and say go; returns the platform's URL."""
        self._describe(0, "")  # the load reads the resolved scenario from the run folder
        url = self._crew.start()
        head_start = 2.5 if self._distributed else 1.0
        self._clock = Clock(time.monotonic_ns() + int(head_start * SECOND))
        start = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=head_start)
        self._describe(self._clock.epoch_ns, start.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        self._crew.go(self._clock.epoch_ns)
        self._process_faults = ProcessFaults(self.scenario, self._crew, self._clock)
        self._process_faults.start()
        return url

    @property
    def _distributed(self) -> bool:
        return self.processes > 1 or self.awaited is not None

    def _checkpoint(self) -> None:
        if self.interrupts.count:
            raise InterruptedDrillError

    def _play(self, url: str) -> Ended:
        ended: Ended = "complete"
        state = LiveState(self.scenario)
        tail = Tail(self.folder.journal)
        try:
            self._watch(state, tail)
        except InterruptedDrillError:
            ended = "interrupted"
            self._mark("interrupted", "stopped by Ctrl-C")
            self.view.step("interrupted: letting what is in flight end ...")
        except StoppedError as stop:
            ended = "stopped"
            self._mark("stopped", str(stop))
            self.view.step(f"stopped: {stop}")
        except AbortedError as error:
            ended = "aborted"
            self._mark("aborted", str(error))
            self.view.step(f"aborted: {error}")
        if ended != "complete":
            self._clear_faults()
        load = self._crew.load
        if load is not None and load.alive():
            load.terminate()
            load.wait(self.scenario.load.timeout / SECOND + (_ALL_WORKERS if self._distributed else _LOAD))
        ended = self._wait_for_processes(ended)
        platform = DrilledPlatform(url)
        try:
            self._settle(platform, ended)
            self._read_records(ended)
            self._export(platform)
        finally:
            platform.close()
        if ended == "complete" and self.interrupts.count:
            ended = "interrupted"
            self._mark("interrupted", "stopped by Ctrl-C after the load had ended")
        self._flush()
        self.view.step("ending the processes ...")
        self._crew.end(_GRACE)
        return ended

    def _watch(self, state: LiveState, tail: Tail) -> None:
        """Watch until the load has ended.

        Raises:
            InterruptedDrillError: Ctrl-C.
            StoppedError: The scenario's condition for it was met.
            AbortedError: A child died, or the load did not end.
        """
        limit = self.scenario.duration_ns + self.scenario.load.timeout + int(_OVERTIME * SECOND)
        load = self._crew.load
        assert load is not None
        condition = self.scenario.abort_when
        abort = None if condition is None else AbortWatch(condition)
        while True:
            now = self._clock.now_ns()
            self._tell_stages(now)
            self._tell_process_faults()
            self._flush()
            seen = state.take(tail.new())
            state.forget(now)
            self.view.show(state, now)
            if abort is not None and (met := abort.take(seen, now - LAG_NS)):
                raise StoppedError(met)
            if self.interrupts.count:
                raise InterruptedDrillError
            if not self._load_done and (message := load.said()) is not None:
                self._load_done = "done" in message
            dead = [child for child in self._crew.died() if not (child is load and self._load_done)]
            for child in dead:
                self._mark("died", child.death_notice(), child.name)
            if dead:
                raise AbortedError("; ".join(child.death_notice() for child in dead))
            if self._process_faults is not None and (failure := self._process_faults.failure):
                self._mark("died", failure)
                raise AbortedError(failure)
            if is_full(self.folder):
                raise AbortedError(f"the disk is full, nothing more can be recorded in {self.folder.path}")
            if self._load_done and now >= self.scenario.duration_ns:
                return
            if now > limit:
                raise AbortedError(
                    f"the load did not end within {format_duration(limit - self.scenario.duration_ns)} "
                    f"of its last payment; a load worker may have been killed (see {load.log})"
                )
            time.sleep(_TICK)

    def _clear_faults(self) -> None:
        """Whatever comes now shall find everything in health."""
        self._crew.clear_faults()
        if self._process_faults is not None:
            self._process_faults.clear()

    def _wait_for_processes(self, ended: Ended) -> Ended:
        """Wait until who was ended by a fault is up again, or has failed to be: then the drill is aborted."""
        faults = self._process_faults
        if faults is None:
            return ended
        while not faults.over:
            self.view.step("waiting for the processes that were ended to come up again ...")
            time.sleep(_TICK)
        self._tell_process_faults()
        if faults.failure and ended != "aborted":
            ended = "aborted"
            self._mark("aborted", faults.failure)
            self.view.step(f"aborted: {faults.failure}")
        return ended

    def _tell_process_faults(self) -> None:
        assert self._writer is not None
        if self._process_faults is not None:
            for event in self._process_faults.events():
                self._writer.write(event)

    def _settle(self, platform: DrilledPlatform, ended: Ended) -> None:
        """Wait until the platform knows the outcome of every payment, as long as the scenario allows. Debits
        that are still collected then are no unknowns, and leave it settled."""
        allowed = (
            self.scenario.settle / SECOND
            if ended in ("complete", "stopped")
            else min(3.0, self.scenario.settle / SECOND)
        )
        deadline = time.monotonic() + allowed
        began = time.monotonic()
        while True:
            try:
                left = platform.unresolved()
                collected = platform.unsettled()
            except PlatformError as error:
                self._mark("unsettled", f"the platform does not say whether outcomes are unresolved: {error}")
                return
            over = time.monotonic() >= deadline or (ended == "complete" and self.interrupts.count > 0)
            if left == 0 and (collected == 0 or over):
                but = f", but for {collected} payments that are still collected" if collected else ""
                self._mark(
                    "settled", f"every outcome was known{but} {time.monotonic() - began:.1f} s after the load"
                )
                return
            if over:
                self._mark(
                    "unsettled",
                    f"{left} outcomes were unresolved {time.monotonic() - began:.1f} s after the load",
                )
                return
            self.view.step(
                f"settling: the platform has {left} unresolved and {collected} unsettled payments ..."
            )
            time.sleep(_TICK)

    def _read_records(self, ended: Ended) -> None:
        """Have the sandboxes' own records read, which say what truly happened."""
        limit_s = (
            _RECORDS + self.summary.payments / _RECORDS_RATE if ended == "complete" else _RECORDS_HURRIED
        )
        for name in self._crew.read_records(limit_s):
            self._mark("note", f"{UNREAD}: they did not come within {limit_s:.0f} s", name)

    def _export(self, platform: DrilledPlatform) -> None:
        assert self._writer is not None
        try:
            # Whole or not at all: half an export would make the other half look lost.
            entries = list(
                platform.ledger(
                    lambda count: self.view.step(f"collecting the ledger: {count:,} payments ...")
                )
            )
        except PlatformError as error:
            self._mark("note", f"the platform's ledger could not be exported: {error}")
            return
        for entry in entries:
            self._writer.write(entry)

    def _describe(self, epoch_ns: int, started_at: str) -> None:
        self.folder.describe(
            self.scenario,
            self.summary,
            epoch_ns=epoch_ns,
            started_at=started_at,
            processes=self.processes,
            command=self.command,
        )

    def _tell_stages(self, now_ns: int) -> None:
        stages = stretches(self.scenario.load.arrivals)
        while self._stages_told < len(stages) and now_ns >= stages[self._stages_told].begin_ns:
            self._mark("stage", stages[self._stages_told].name, at_ns=stages[self._stages_told].begin_ns)
            self._stages_told += 1

    def _mark(self, kind: str, text: str, source: str = "conductor", at_ns: int | None = None) -> None:
        assert self._writer is not None
        at = self._clock.now_ns() if at_ns is None else at_ns
        self._writer.write(Mark(at_ns=at, kind=kind, source=source, text=text))
        self._flush()

    def _flush(self) -> None:
        assert self._writer is not None
        try:
            self._writer.flush()
        except OSError as error:
            self.view.step(f"the journal cannot be written: {error.strerror}; still trying")
