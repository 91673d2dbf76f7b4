"""The faults of one server on the run's timeline: started and stopped at absolute times, and written down."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from journal.clock import Clock
from journal.records import FaultEvent
from mocks.faults import FAULTS, Fault, FaultPlan
from mocks.faults.alarm import Alarm
from mocks.faults.fault import Target


class _Step(NamedTuple):
    """The start or the stop of a fault; steps are sorted by time."""

    due_ns: int
    starts: bool
    place: int


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
        self._ahead: deque[_Step] = deque()
        self._alarm: Alarm | None = None
        self._clock = Clock(0)
        self._record: Callable[[FaultEvent], None] = lambda event: None

    def arm(self, clock: Clock, record: Callable[[FaultEvent], None]) -> None:
        """Set every fault's start and stop; what lies in the past happens at once."""
        self._clock = clock
        self._record = record
        steps = []
        for place, fault in enumerate(self._faults):
            plan = fault.plan
            self._write(fault, "armed", plan.at_ns, clock.now_ns())
            steps.append(_Step(plan.at_ns, True, place))
            steps.append(_Step(plan.at_ns + plan.for_ns, False, place))
        # One alarm for all: what is due in an order happens in that order, however late the process wakes up.
        # At the same time, what stops comes before what starts.
        self._ahead = deque(sorted(steps))
        self._proceed()

    def close(self) -> None:
        """Stop what is active, and let nothing start any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._ahead.clear()
        for fault in tuple(self.active):
            self._stop(fault)

    def _proceed(self) -> None:
        while self._ahead:
            step = self._ahead[0]
            if step.due_ns > self._clock.now_ns():
                due_ns = self._clock.epoch_ns + step.due_ns
                self._alarm = Alarm(asyncio.get_running_loop(), due_ns, self._proceed)
                return
            self._ahead.popleft()
            fault = self._faults[step.place]
            if step.starts:
                self._start(fault)
            else:
                self._stop(fault)

    def _start(self, fault: Fault) -> None:
        at_ns = self._clock.now_ns()
        self.active.append(fault)
        fault.start()
        self._write(fault, "started", fault.plan.at_ns, at_ns)

    def _stop(self, fault: Fault) -> None:
        fault.stop()
        self.active.remove(fault)
        self._write(fault, "stopped", fault.plan.at_ns + fault.plan.for_ns, self._clock.now_ns())

    def _write(self, fault: Fault, phase: str, due_ns: int, at_ns: int) -> None:
        self._record(FaultEvent(fault.plan.id, fault.name, self._on, phase, due_ns, at_ns, fault.hits))
