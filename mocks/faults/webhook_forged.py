"""Webhooks that the gateway never sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.faults.fault import FaultPlan, Parameter, Target
from mocks.faults.webhook import WebhookFault

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery


class WebhookForged(WebhookFault):
    """Besides the gateway's own webhooks come forged ones, which claim that a payment was made that never
    was: one that was declined or canceled, or another payment of an order that has been paid. Each has the
    gateway's own shape and is made from a webhook about a payment; it comes once, whatever the answer.

    Stands for: somebody who knows the URL of the receiver, which is no secret, and posts to it what a
    gateway would: goods for nothing at every merchant that does not check signatures.

    Hits are the forged webhooks that were sent.
    """

    name = "webhook_forged"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "signature": Parameter(
            "text",
            "wrong",
            "wrong: made with a secret that is not the receiver's (at PayPal: made for another webhook); "
            "none: there is none",
            ("wrong", "none"),
        )
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        if self.outbox.rules.forge is None:
            raise ValueError(f"fault {plan.id}: {self.outbox.gateway} sends nothing that could be forged")

    def delivering(self, delivery: WebhookDelivery) -> None:
        forge = self.outbox.rules.forge
        if delivery.attempt > 1 or forge is None:
            return
        signed = self.params["signature"] == "wrong"
        forgery = forge(delivery.event, delivery.event.payload(), self.outbox.clock.unix(), signed)
        if forgery is not None:
            self.hits += 1
            delivery.forge(forgery, self.name)
