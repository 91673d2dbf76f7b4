"""What a user of the closed loop does: one task after the other, with thoughts in between.

As far as it does not depend on answers, it is a pure function of the seed and the user's number: its tasks,
its payments and how long it thinks are the same on any worker, and however many users there are.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from scenarios.load import Users


@dataclass(frozen=True, slots=True)
class Step:
    """A task of a user, and how long it thinks afterwards. ``which`` in [0, 1) picks one of its payments."""

    task: str
    think_ns: int
    which: float


class UserPlan:
    """The steps of one user, one after the other.

    Args:
        users: What users do.
        seed: The scenario's.
        number: The user's.
    """

    def __init__(self, users: Users, seed: int, number: int) -> None:
        self._draw = random.Random(f"{seed}/user/{number}").random
        weights = users.tasks.model_dump()
        self._tasks = [task for task, weight in weights.items() for _ in range(weight)]
        self._think = users.think_time

    def step(self) -> Step:
        """The next step."""
        task, think, which = self._draw(), self._draw(), self._draw()
        span = self._think.high - self._think.low
        return Step(self._tasks[int(task * len(self._tasks))], self._think.low + round(think * span), which)
