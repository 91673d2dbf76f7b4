"""A user of the closed loop: one of Locust's users, whose task set follows the user's plan."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from locust import TaskSet, User
from locust.env import Environment
from locust.exception import StopUser

from journal.clock import SECOND
from scenarios.task_result import OwnPayment
from scenarios.user_plan import Step, UserPlan

if TYPE_CHECKING:
    from scenarios.closed_loop import ClosedLoop


class Shopping(TaskSet):
    """What a user does: Locust's task set, with the next task and the time to think taken from the plan."""

    user: Shopper

    def get_next_task(self) -> Callable[[Shopping], None]:
        self.user.step = self.user.plan.step()
        return TASKS[self.user.step.task]

    def wait_time(self) -> float:
        return self.user.step.think_ns / SECOND

    def _sleep(self, seconds: float) -> None:
        self.user.think(round(seconds * SECOND))


class Shopper(User):
    """One user.

    Args:
        environment: Locust's.
        loop: The users of this process.
        number: Its number among all users of the load.
        start_ns: When it wants its first task, in ns since the epoch.
    """

    # Locust spawns none by itself: how many there are, and when they start, is the scenario's.
    abstract = True
    tasks = [Shopping]  # noqa: RUF012 - Locust declares it as what it is not

    def __init__(self, environment: Environment, loop: ClosedLoop, number: int, start_ns: int) -> None:
        untyped_init: Any = super().__init__
        untyped_init(environment)
        self.loop = loop
        self.number = number
        self.plan = UserPlan(loop.users, loop.seed, number)
        self.step = Step("pay", 0, 0.0)
        self.due_ns = start_ns
        self.paid = 0
        self.payments: list[OwnPayment] = []

    def think(self, think_ns: int) -> None:
        """Think; then it is time for the next task.

        Raises:
            StopUser: By then the load is over.
        """
        self.due_ns = monotonic_ns() - self.loop.clock.epoch_ns + think_ns
        if not self.loop.sleep_until(self.due_ns):
            raise StopUser

    def choose(self, payments: list[OwnPayment]) -> OwnPayment | None:
        """One of these, by the step's draw."""
        return payments[int(self.step.which * len(payments))] if payments else None


def pay(shopping: Shopping) -> None:
    """Make a payment of the load's mix."""
    shopping.user.loop.pay(shopping.user)


def look_up(shopping: Shopping) -> None:
    """Ask for an earlier payment; pay, as long as there is none."""
    user = shopping.user
    payment = user.choose(user.payments)
    if payment is None:
        user.loop.pay(user)
    else:
        user.loop.look_up(user, payment)


def refund(shopping: Shopping) -> None:
    """Have an earlier payment refunded; pay, as long as there is none that could be."""
    user = shopping.user
    payment = user.choose([one for one in user.payments if one.outcome == "succeeded" and not one.refunded])
    if payment is None:
        user.loop.pay(user)
    else:
        user.loop.refund(user, payment)


TASKS: dict[str, Callable[[Shopping], None]] = {"pay": pay, "look_up": look_up, "refund": refund}
"""The tasks by their names in a scenario."""
