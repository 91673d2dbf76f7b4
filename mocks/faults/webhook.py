"""What the faults on webhooks have in common: they act on a gateway's deliveries, not on its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from mocks.draws import Draws
from mocks.faults.fault import Call, Fault, FaultPlan, Target

if TYPE_CHECKING:
    from mocks.webhook_endpoint import WebhookDelivery
    from mocks.webhooks import Outbox


class Sender(Protocol):
    """A target that delivers webhooks."""

    outbox: Outbox


class WebhookFault(Fault):
    """A fault on webhooks. A subclass acts at one or both of two moments: on an attempt to deliver before it
    is made, and on what became of it.

    Its scope is the kinds of events, its share is drawn per event from the seed: all attempts to deliver an
    event, and all URLs, are touched or none.

    Raises:
        ValueError: The plan's parameters are wrong, it is scoped to an endpoint, or the target delivers no
            webhooks.
    """

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        if not hasattr(target, "outbox"):
            raise ValueError(f"fault {plan.id}: {self.name} acts on webhooks, and none are delivered here")
        if plan.endpoint is not None:
            raise ValueError(f"fault {plan.id}: {self.name} acts on webhooks, which have no endpoint")
        self._events = Draws(seed, f"fault/{plan.id}/events")

    @property
    def outbox(self) -> Outbox:
        """The target's; a reset of the gateway replaces it."""
        return cast(Sender, self.target).outbox

    def start(self) -> None:
        self.outbox.faults.append(self)

    def stop(self) -> None:
        self.outbox.faults.remove(self)

    def touches(self, call: Call) -> bool:
        """No request is touched."""
        return False

    def touches_delivery(self, delivery: WebhookDelivery) -> bool:
        """Whether this attempt is within the fault's scope and share; asked as often as one likes."""
        return self.plan.share >= 1 or self._events.uniform(delivery.event.number) < self.plan.share

    def delivering(self, delivery: WebhookDelivery) -> None:
        """Act on a touched attempt before it is made."""

    def attempted(self, delivery: WebhookDelivery, status: int) -> None:
        """An attempt, touched or not, was made or lost. ``status``: of its answer, 0 without one."""
