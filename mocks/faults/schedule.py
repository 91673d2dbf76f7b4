"""The faults of one server on the run's timeline: started and stopped at absolute times, and written down."""

from __future__ import annotations

import asyncio
import heapq
import sys
import traceback
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from journal.clock import Clock
from journal.records import FaultEvent
from mocks.faults import FAULTS, Fault, FaultPlan
from mocks.faults.alarm import Alarm
from mocks.faults.fault import Target
from mocks.faults.timing import Phase


class Listed(NamedTuple):
    """A fault that is on or ahead."""

    plan: FaultPlan
    on: bool
    hits: int


class _Planned:
    """One fault and what is ahead of it."""

    __slots__ = ("fault", "phase", "phases")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.phases: Iterator[Phase] = fault.plan.timing.phases()
        self.phase = next(self.phases)


class _Step(NamedTuple):
    """The start or the stop of a fault; steps are sorted by time."""

    due_ns: int
    starts: bool
    place: int
    planned: _Planned


class FaultSchedule:
    """Starts and stops faults, and tells what truly happened.

    The recorded start is read just before the fault acts, the recorded stop just after it has ceased to: no
    effect lies outside of the two. A fault that flaps or repeats is written down each time.

    Faults may be added and cleared while the server runs. Every one ends by its own timing at the latest.

    Args:
        plans: The faults, in any order; they may overlap.
        target: The server that they act on.
        seed: Of the run.
        on: The name of the server, for the journal.
        not_inside: Why the target cannot have faults that are ``inside`` a gateway; empty when it can.

    Attributes:
        active: The faults that are on, in the order in which they act: by the start of their plans, then by
            id. The list is the same one for as long as the schedule lives.

    Raises:
        ValueError: A fault's name or parameters are wrong, or two have one id.
    """

    def __init__(
        self, plans: Sequence[FaultPlan], target: Target, seed: int, on: str, *, not_inside: str = ""
    ) -> None:
        self.active: list[Fault] = []
        self._target = target
        self._seed = seed
        self._on = on
        self._not_inside = not_inside
        self._planned: dict[str, _Planned] = {}
        self._ahead: list[_Step] = []
        self._places = 0
        self._alarm: Alarm | None = None
        self._armed = False
        self._clock = Clock(0)
        self._record: Callable[[FaultEvent], None] = lambda event: None
        for plan in plans:
            self._take(plan)

    def arm(self, clock: Clock, record: Callable[[FaultEvent], None]) -> None:
        """Set every fault's start and stop; what lies in the past happens at once."""
        self._clock = clock
        self._record = record
        self._armed = True
        for planned in self._planned.values():
            self._set(planned)
        self._proceed()

    @property
    def now_ns(self) -> int:
        """The time since the run's epoch, by which plans are dated; 0 until the schedule is armed."""
        return self._clock.now_ns() if self._armed else 0

    def add(self, plan: FaultPlan) -> None:
        """Plan one more fault. What of it lies in the past happens at once; before ``arm``, it waits for
        that.

        Raises:
            ValueError: Its name or parameters are wrong, there is a fault with its id, or it is over.
        """
        if self._armed and plan.timing.end_ns <= self._clock.now_ns():
            raise ValueError(f"fault {plan.id}: it is over before it begins")
        planned = self._take(plan)
        if self._armed:
            self._set(planned)
            self._proceed()

    def clear(self, id: str | None = None) -> tuple[str, ...]:
        """Stop a fault, or all of them, and let it never start again.

        Returns:
            The ids of those that were on or ahead.

        Raises:
            KeyError: No fault of this id is on or ahead.
        """
        gone = [self._planned[id]] if id is not None else list(self._planned.values())
        for planned in gone:
            del self._planned[planned.fault.plan.id]
        self._ahead = [step for step in self._ahead if step.planned not in gone]
        heapq.heapify(self._ahead)
        for planned in gone:
            if planned.fault.on:
                self._stop(planned)
        self._proceed()
        return tuple(planned.fault.plan.id for planned in gone)

    def listed(self) -> tuple[Listed, ...]:
        """The faults that are on or ahead, in the order in which they act."""
        rows = sorted(self._planned.values(), key=lambda planned: _order(planned.fault))
        return tuple(Listed(row.fault.plan, row.fault.on, row.fault.hits) for row in rows)

    def close(self) -> None:
        """Stop what is active, and let nothing start any more."""
        self.clear()

    def _take(self, plan: FaultPlan) -> _Planned:
        if plan.fault not in FAULTS:
            raise ValueError(f"there is no fault {plan.fault!r}; the faults are {', '.join(FAULTS)}")
        if self._not_inside and FAULTS[plan.fault].inside:
            raise ValueError(f"fault {plan.id}: {plan.fault} {self._not_inside}")
        if plan.id in self._planned:
            raise ValueError(f"there is a fault {plan.id} already")
        fault = FAULTS[plan.fault](plan, self._target, self._seed)
        fault.now_ns = lambda: self._clock.now_ns()
        planned = self._planned[plan.id] = _Planned(fault)
        return planned

    def _set(self, planned: _Planned) -> None:
        self._write(planned.fault, "armed", planned.phase.start_ns, self._clock.now_ns())
        self._push(planned.phase.start_ns, True, planned)

    def _push(self, due_ns: int, starts: bool, planned: _Planned) -> None:
        # At the same time, what stops comes before what starts, and each in the order of being planned.
        self._places += 1
        heapq.heappush(self._ahead, _Step(due_ns, starts, self._places, planned))

    def _proceed(self) -> None:
        # One alarm for all: what is due in an order happens in that order, however late the process wakes up.
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._ahead:
            step = self._ahead[0]
            if step.due_ns > self._clock.now_ns():
                due_ns = self._clock.epoch_ns + step.due_ns
                self._alarm = Alarm(asyncio.get_running_loop(), due_ns, self._proceed)
                return
            heapq.heappop(self._ahead)
            planned = step.planned
            if step.starts:
                self._start(planned)
                self._push(planned.phase.stop_ns, False, planned)
            else:
                self._stop(planned)
                following = next(planned.phases, None)
                if following is None:
                    del self._planned[planned.fault.plan.id]
                else:
                    planned.phase = following
                    self._push(following.start_ns, True, planned)

    def _start(self, planned: _Planned) -> None:
        fault = planned.fault
        at_ns = self._clock.now_ns()
        insort(self.active, fault, key=_order)
        fault.on = True
        self._do(fault, fault.start)
        self._write(fault, "started", planned.phase.start_ns, at_ns)

    def _stop(self, planned: _Planned) -> None:
        fault = planned.fault
        fault.on = False
        self._do(fault, fault.stop)
        self.active.remove(fault)
        self._write(fault, "stopped", planned.phase.stop_ns, self._clock.now_ns())

    def _do(self, fault: Fault, act: Callable[[], None]) -> None:
        # One fault that breaks must keep neither its own stop nor the others from happening.
        try:
            act()
        except Exception as error:
            trace = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{trace.filename}:{trace.lineno}"
            sys.stderr.write(f"{self._on}: fault {fault.plan.id}: {type(error).__name__} at {where}\n")

    def _write(self, fault: Fault, phase: str, due_ns: int, at_ns: int) -> None:
        self._record(FaultEvent(fault.plan.id, fault.name, self._on, phase, due_ns, at_ns, fault.hits))


def _order(fault: Fault) -> tuple[int, int, str]:
    """By start, then by id, f2 before f10."""
    return fault.plan.at_ns, len(fault.plan.id), fault.plan.id
