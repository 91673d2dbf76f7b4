"""What the faults on webhooks have in common: they act on a gateway's deliveries, not on its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from mocks.draws import Draws
from mocks.faults.fault import Call, Fault, FaultPlan, Target

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery
    from mocks.webhooks import Outbox


class Sender(Protocol):
    """A target that delivers webhooks."""

    outbox: Outbox


class WebhookFault(Fault):
    """A fault on webhooks. A subclass acts at one or both of two moments: on an attempt to deliver before it
    is made, and on what became of it.

    Its scope is the kinds of events (the trait ``event``), its share is drawn per event from the seed: of the
    attempts to deliver an event, at all URLs, all are touched or none.

    Attributes:
        on: Whether it has started and not stopped.

    Raises:
        ValueError: The plan's parameters are wrong, it is scoped to something that a webhook does not have,
            or the target delivers no webhooks.
    """

    inside: ClassVar[bool] = True

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        if not hasattr(target, "outbox"):
            raise ValueError(f"fault {plan.id}: {self.name} acts on webhooks, and none are delivered here")
        self.on = False
        self._check_scope()
        kinds = plan.match.get("event", ())
        self._kinds = frozenset(kind for kind in kinds if not kind.endswith("*"))
        self._beginnings = tuple(kind[:-1] for kind in kinds if kind.endswith("*"))
        self._events = Draws(seed, f"fault/{plan.id}/events")

    def _check_scope(self) -> None:
        for trait in (*(("endpoint",) if self.plan.endpoint is not None else ()), *self.plan.match):
            if trait != "event":
                raise ValueError(
                    f"fault {self.plan.id}: {self.name} acts on webhooks, which have no {trait}; "
                    "what it can be scoped by is their event"
                )

    @property
    def outbox(self) -> Outbox:
        """The target's; a reset of the gateway replaces it."""
        return cast(Sender, self.target).outbox

    def start(self) -> None:
        self.on = True
        faults = self.outbox.faults
        faults.append(self)
        faults.sort(key=lambda fault: (fault.plan.at_ns, len(fault.plan.id), fault.plan.id))

    def stop(self) -> None:
        self.on = False
        self.outbox.faults.remove(self)

    def concerns(self, call: Call) -> bool:
        """No request is concerned."""
        return False

    def concerns_event(self, kind: str) -> bool:
        """Whether events of this kind are within the scope."""
        return "event" not in self.plan.match or kind in self._kinds or kind.startswith(self._beginnings)

    def touches_delivery(self, delivery: WebhookDelivery) -> bool:
        """Whether this attempt is within the fault's scope and share; the same however often it is asked,
        unless there is a ramp."""
        if not self.concerns_event(delivery.event.kind):
            return False
        share = self.plan.share * self.intensity
        return share >= 1 or self._events.uniform(delivery.event.number) < share

    def hit(self, delivery: WebhookDelivery) -> None:
        """Count a hit, and have the journal tell of it with the attempt."""
        self.hits += 1
        delivery.touch(self.name)

    def delivering(self, delivery: WebhookDelivery) -> None:
        """Act on a touched attempt before it is made; ``hit`` is for the fault to call."""

    def attempted(self, delivery: WebhookDelivery, status: int) -> None:
        """An attempt, touched or not, is over. ``status``: of its answer, 0 without one."""
