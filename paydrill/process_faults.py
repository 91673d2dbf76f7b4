"""The faults that end a process: carried out by the conductor, on the same clock as all others."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

from journal.clock import Clock
from journal.records import FaultEvent
from mocks.faults import PROCESS_FAULTS
from paydrill.child import ChildError
from paydrill.crew import Crew, CrewError
from scenarios.schema import Fault, Scenario


class ProcessFaults:
    """Ends processes at their due times and starts them again, each fault in a thread of its own: the live
    view must not hold one up, nor one the other.

    The recorded start is read just before the process is ended, the recorded stop when the new one listens. A
    process is the only thing that such a fault hits, so it has one hit each time.

    Args:
        scenario: Says which faults there are.
        crew: Has the processes.
        clock: Of the run.

    Attributes:
        failure: What went wrong, once a process could not be ended or started again; empty until then.
    """

    def __init__(self, scenario: Scenario, crew: Crew, clock: Clock) -> None:
        self.failure = ""
        self._crew = crew
        self._clock = clock
        self._cleared = threading.Event()
        self._events: queue.SimpleQueue[FaultEvent] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        for identity, fault in scenario.identified_faults():
            if fault.fault in PROCESS_FAULTS:
                self._tell(identity, fault, "armed", fault.at, clock.now_ns(), 0)
                # A conductor that ends does not wait for them: their processes end by their tethers.
                self._threads.append(
                    threading.Thread(target=self._carry_out, args=(identity, fault), daemon=True)
                )

    def start(self) -> None:
        """Wait for their times, from here on."""
        for thread in self._threads:
            thread.start()

    def clear(self) -> None:
        """End no further process, and start again at once those that are down."""
        self._cleared.set()

    @property
    def over(self) -> bool:
        """Whether nothing is to come any more, and everything is up again, or has failed to."""
        return not any(thread.is_alive() for thread in self._threads)

    def events(self) -> Iterator[FaultEvent]:
        """What has happened since the last call, for the journal."""
        while True:
            try:
                yield self._events.get_nowait()
            except queue.Empty:
                return

    def _carry_out(self, identity: str, fault: Fault) -> None:
        try:
            for hits, phase in enumerate(fault.timing.phases(), start=1):
                if self._wait_until(phase.start_ns):
                    return
                at_ns = self._clock.now_ns()
                self._crew.end_process(fault.on, orderly=PROCESS_FAULTS[fault.fault].orderly)
                self._tell(identity, fault, "started", phase.start_ns, at_ns, hits)
                self._crew.replace(fault.on)
                self._wait_until(phase.stop_ns)
                self._crew.resume(fault.on, self._clock)
                self._tell(identity, fault, "stopped", phase.stop_ns, self._clock.now_ns(), hits)
        except (ChildError, CrewError, OSError) as error:
            self.failure = self.failure or f"{fault.on} could not be started again: {error}"

    def _wait_until(self, due_ns: int) -> bool:
        """True when all was cleared before."""
        left_ns = self._clock.epoch_ns + due_ns - time.monotonic_ns()
        return self._cleared.wait(max(0.0, left_ns / 1e9))

    def _tell(self, identity: str, fault: Fault, phase: str, due_ns: int, at_ns: int, hits: int) -> None:
        self._events.put(FaultEvent(identity, fault.fault, fault.on, phase, due_ns, at_ns, hits))
