"""A mock that faults are put on and taken off while it is served."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Self

from mocks.faults import Fault, FaultPlan
from mocks.faults.schedule import FaultSchedule
from tests.mocks.running import Running


class Faulting(Running):
    """A mock with a fault at a time: ``with faulty.on(plan(...)) as fault``."""

    @property
    def schedule(self) -> FaultSchedule:
        assert self.service.schedule is not None
        return self.service.schedule

    @contextlib.contextmanager
    def on(self, plan: FaultPlan) -> Iterator[Fault]:
        """The fault, from its start to its stop."""
        self.thread.call(lambda: self.schedule.add(plan))
        try:
            yield self.thread.call(lambda: next(f for f in self.schedule.active if f.plan == plan))
        finally:
            self.off(plan)

    def off(self, plan: FaultPlan) -> None:
        """Stop it, unless it is off already."""
        with contextlib.suppress(KeyError):
            self.thread.call(lambda: self.schedule.clear(plan.id))

    def forget(self) -> None:
        """Everything as at the start: no payment, no record."""
        self.thread.call(self.service.reset)
        self.thread.call(self.writer.records.clear)

    def as_new(self) -> Iterator[Self]:
        """For a fixture: as at the start, and free of faults again when the test is over."""
        self.forget()
        yield self
        left = self.thread.call(self.schedule.listed)
        self.thread.call(self.schedule.clear)
        assert left == ()
