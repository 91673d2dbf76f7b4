"""Webhooks don't arrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.faults.fault import Parameter
from mocks.faults.webhook import WebhookFault

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery


class WebhookLost(WebhookFault):
    """Webhooks don't arrive, and the gateway counts them as delivered: they never come again. With
    ``attempts`` the gateway notices, and only so many first attempts of each are lost while the fault is on;
    the next one arrives, by the gateway's own schedule of redelivery.

    Stands for: a proxy in front of the receiver that answers 200 and drops the request; an endpoint that a
    gateway has disabled; deliveries lost in an incident at the gateway itself.

    Hits are the attempts that were lost.
    """

    name = "webhook_lost"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "attempts": Parameter("count", 0, "first attempts that fail, and are made again; 0: lost for good")
    }

    def delivering(self, delivery: WebhookDelivery) -> None:
        attempts = int(self.params["attempts"])
        if attempts and delivery.attempt > attempts:
            return
        self.hit(delivery)
        delivery.lose(seen=attempts > 0)
