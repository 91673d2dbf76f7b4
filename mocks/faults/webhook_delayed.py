"""Webhooks arrive late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.faults.fault import Parameter, Value
from mocks.faults.webhook import WebhookFault

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery

_SECOND = 1_000_000_000


class WebhookDelayed(WebhookFault):
    """Each attempt to deliver is made later by a time, which is real time however fast the gateway's clock
    runs. The delay outlasts the fault: what was delayed while it was on comes when its time has come.

    Stands for: a gateway's queue of webhooks that lags behind its API for minutes, as status pages tell of
    more often than of anything else about webhooks.

    Hits are the attempts that were delayed.
    """

    name = "webhook_delayed"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "by": Parameter("duration", 5 * _SECOND, "how much later each attempt is made")
    }

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if not params["by"]:
            raise ValueError("fault webhook_delayed: by must be longer than 0, or nothing is delayed")

    def delivering(self, delivery: WebhookDelivery) -> None:
        self.hit(delivery)
        delivery.slow(int(self.params["by"]))
