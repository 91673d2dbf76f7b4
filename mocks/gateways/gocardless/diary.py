"""What is to be done on which day, for any number of payments with one timer."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from mocks.mock_clock import MockClock, Timer

PORTION = 500
"""How many subjects a step gets at once: what it does to them must not keep requests waiting for long."""

PAUSE_S = 0.01
"""Seconds of the mock's clock between two portions."""

Step = Callable[[float, list[Any]], None]
"""The time it was due, and the subjects."""


class Diary:
    """Steps that fall due on a clock, each for many subjects.

    Times are few (hours of working days) and subjects many: what is kept of a subject is its place in a list.
    At one time, steps are done in the order in which the first subject of each was entered.
    """

    def __init__(self, clock: MockClock) -> None:
        self._clock = clock
        self._pages: dict[float, dict[Step, deque[Any]]] = {}
        self._dues: list[float] = []
        self._timer: Timer | None = None

    def enter(self, due: float, step: Step, subject: Any) -> None:
        """Have a step done for a subject at ``due``, in Unix seconds."""
        page = self._pages.get(due)
        if page is None:
            page = self._pages[due] = {}
            heapq.heappush(self._dues, due)
            self._arm(due)
        subjects = page.get(step)
        if subjects is None:
            subjects = page[step] = deque()
        subjects.append(subject)

    def __len__(self) -> int:
        return sum(len(subjects) for page in self._pages.values() for subjects in page.values())

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            if self._timer.due <= due:
                return
            self._timer.cancel()
        self._timer = self._clock.call_at(due, self._work)

    def _work(self) -> None:
        self._timer = None
        due = self._dues[0]
        page = self._pages[due]
        step, subjects = next(iter(page.items()))
        portion = [subjects.popleft() for _ in range(min(PORTION, len(subjects)))]
        if not subjects:
            del page[step]
        if not page:
            del self._pages[due]
            heapq.heappop(self._dues)
        try:
            step(due, portion)
        finally:
            if self._dues:
                # The rest of a page comes a moment later, so that a request can come in between.
                again = self._clock.now() + PAUSE_S if self._dues[0] == due else self._dues[0]
                self._arm(again)
