"""Webhooks arrive more than once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.faults.fault import Parameter, Value
from mocks.faults.webhook import WebhookFault

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery


class WebhookDuplicated(WebhookFault):
    """Webhooks are delivered several times, under one event identifier, although the first is answered with a
    2xx. Each copy is signed by itself, so that their signatures may differ; copies may overlap.

    Stands for: "at least once", which every gateway promises and few callers see until a queue is replayed
    after an incident.

    Hits are the events of which copies were made, once for each URL.
    """

    name = "webhook_duplicated"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "copies": Parameter("count", 2, "how often it arrives in all, 2 or more")
    }

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if not 2 <= float(params["copies"]) <= 100:
            raise ValueError("fault webhook_duplicated: copies counts all that arrive: from 2 to 100")

    def delivering(self, delivery: WebhookDelivery) -> None:
        if delivery.attempt > 1:
            return
        self.hit(delivery)
        delivery.double(int(self.params["copies"]) - 1)
