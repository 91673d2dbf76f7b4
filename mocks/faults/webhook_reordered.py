"""Webhooks arrive in another order."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.draws import Draws
from mocks.faults.fault import FaultPlan, Parameter, Target, Value
from mocks.faults.webhook import WebhookFault

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery

_SECOND = 1_000_000_000


class WebhookReordered(WebhookFault):
    """Webhooks are held back for a window, and then sent one after the other, each when the one before has
    been answered, in an order that the seed settles. Two or more never go in the order in which they
    happened. When the fault ends, what is held is sent at once.

    Stands for: a gateway that delivers over many workers and promises no order: ``succeeded`` before
    ``created``, a refund before its payment.

    Hits are the attempts that were held back.
    """

    name = "webhook_reordered"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "window": Parameter("duration", _SECOND, "how long they are collected, from the first one on")
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._order = Draws(seed, f"fault/{plan.id}/order")
        self._held: list[WebhookDelivery] = []
        self._going: deque[WebhookDelivery] = deque()
        self._under_way: WebhookDelivery | None = None

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if not params["window"]:
            raise ValueError("fault webhook_reordered: window must be longer than 0, or nothing is reordered")

    def stop(self) -> None:
        super().stop()
        self._close_window(self._held)
        going = tuple(self._going)
        self._going.clear()
        self._under_way = None
        for delivery in going:
            delivery.go()

    def delivering(self, delivery: WebhookDelivery) -> None:
        self.hit(delivery)
        delivery.keep(self._keep)

    def attempted(self, delivery: WebhookDelivery, status: int) -> None:
        if delivery is self._under_way:
            # Not from here: one that is dropped would drop the next, and so on.
            self.outbox.after(0, lambda: self._next(delivery))

    def _keep(self, delivery: WebhookDelivery) -> None:
        if not self.on:
            delivery.go()
            return
        self._held.append(delivery)
        if len(self._held) == 1:
            held = self._held
            self.outbox.after(int(self.params["window"]), lambda: self._close_window(held))

    def _close_window(self, held: list[WebhookDelivery]) -> None:
        if held is not self._held:
            return
        self._held = []
        self._going.extend(self.shuffled(held))
        self._next(None)

    def _next(self, done: WebhookDelivery | None) -> None:
        """Send the next one, if ``done`` is the one that it waits for."""
        if self._under_way is not done:
            return
        self._under_way = self._going.popleft() if self._going else None
        if self._under_way is not None:
            self._under_way.go()

    def shuffled(self, held: list[WebhookDelivery]) -> list[WebhookDelivery]:
        """Another order of what is held: the same for the same seed and events."""
        order = sorted(held, key=lambda delivery: self._order.uniform(delivery.event.number))
        if len(held) > 1 and all(one is other for one, other in zip(order, held, strict=True)):
            order.reverse()
        return order
