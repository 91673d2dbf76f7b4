"""Webhooks whose signature is too old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.faults.fault import FaultPlan, Parameter, Target, Value
from mocks.faults.webhook import WebhookFault

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery

_SECOND = 1_000_000_000


class WebhookOldTimestamp(WebhookFault):
    """Webhooks are signed as of a time that lies further back than a receiver should tolerate: at Stripe its
    libraries' 300 seconds, at PayPal the three days of its redelivery. The gateway delivers again what is
    refused, with the same age as long as the fault is on. Gateways that sign no time (Adyen, GoCardless)
    cannot have it.

    Stands for: a webhook that somebody recorded and sends again; a gateway or a receiver whose clock is
    wrong.

    Hits are the attempts that were signed so.
    """

    name = "webhook_old_timestamp"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "by": Parameter("duration", 60 * _SECOND, "how far beyond the tolerance the signature's time lies")
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        if self.outbox.rules.tolerance_s is None:
            raise ValueError(
                f"fault {plan.id}: {self.outbox.gateway} signs no time; no webhook of it can be too old"
            )

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if float(params["by"]) < _SECOND:
            raise ValueError(
                "fault webhook_old_timestamp: by must be 1s or more, signatures have whole seconds"
            )

    def delivering(self, delivery: WebhookDelivery) -> None:
        tolerance = self.outbox.rules.tolerance_s
        assert tolerance is not None
        self.hit(delivery)
        delivery.back_date(tolerance + float(self.params["by"]) / _SECOND)
