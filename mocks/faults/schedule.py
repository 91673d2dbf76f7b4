"""The faults of one server on the run's timeline: started and stopped at absolute times, and written down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from journal.clock import Clock
from journal.records import FaultEvent
from mocks.faults import FAULTS, Fault, FaultPlan
from mocks.faults.alarm import Alarm
from mocks.faults.fault import Target


class FaultSchedule:
    """Starts and stops faults, and tells what truly happened.

    The recorded start is read just before the fault acts, the recorded stop just after it has ceased to: no
    effect lies outside of the two.

    Args:
        plans: The faults, in any order; they may overlap.
        target: The server that they act on.
        seed: Of the run.
        on: The name of the server, for the journal.

    Raises:
        ValueError: A fault's name or parameters are wrong.
    """

    def __init__(self, plans: Sequence[FaultPlan], target: Target, seed: int, on: str) -> None:
        for plan in plans:
            if plan.fault not in FAULTS:
                raise ValueError(f"there is no fault {plan.fault!r}; the faults are {', '.join(FAULTS)}")
        self.active: list[Fault] = []
        self._faults = [FAULTS[plan.fault](plan, target, seed) for plan in plans]
        self._on = on
        self._alarms: list[Alarm] = []
        self._clock = Clock(0)
        self._record: Callable[[FaultEvent], None] = lambda event: None

    def arm(self, clock: Clock, record: Callable[[FaultEvent], None]) -> None:
        """Set every fault's start and stop; a start that lies in the past happens at once."""
        loop = asyncio.get_running_loop()
        self._clock = clock
        self._record = record
        for fault in self._faults:
            plan = fault.plan
            self._write(fault, "armed", plan.at_ns, clock.now_ns())
            at = clock.epoch_ns + plan.at_ns
            self._alarms.append(Alarm(loop, at, partial(self._start, fault)))

    def close(self) -> None:
        """Stop what is active, and let nothing start any more."""
        for alarm in self._alarms:
            alarm.cancel()
        for fault in tuple(self.active):
            self._stop(fault)

    def _start(self, fault: Fault) -> None:
        at_ns = self._clock.now_ns()
        self.active.append(fault)
        fault.start()
        self._write(fault, "started", fault.plan.at_ns, at_ns)
        end = self._clock.epoch_ns + fault.plan.at_ns + fault.plan.for_ns
        self._alarms.append(Alarm(asyncio.get_running_loop(), end, partial(self._stop, fault)))

    def _stop(self, fault: Fault) -> None:
        fault.stop()
        self.active.remove(fault)
        due_ns = fault.plan.at_ns + fault.plan.for_ns
        self._write(fault, "stopped", due_ns, self._clock.at(time.monotonic_ns()))

    def _write(self, fault: Fault, phase: str, due_ns: int, at_ns: int) -> None:
        self._record(FaultEvent(fault.plan.id, fault.name, self._on, phase, due_ns, at_ns, fault.hits))
