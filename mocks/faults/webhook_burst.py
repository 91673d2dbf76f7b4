"""Webhooks are dammed up, and come all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.faults.fault import Parameter
from mocks.faults.webhook import WebhookFault

if TYPE_CHECKING:
    from mocks.webhook_delivery import WebhookDelivery


class WebhookBurst(WebhookFault):
    """Webhooks are held back until the fault ends, and then come all at once, over as many connections as the
    gateway uses. With ``after`` they come whenever the first of those that are held has waited so long.

    Stands for: the flood after a gateway's webhook queue has been stuck; it meets the receiver at a time at
    which its own backlog is the longest.

    Hits are the attempts that were held back.
    """

    name = "webhook_burst"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "after": Parameter("duration", 0, "how long they are held; 0: until the fault ends")
    }
    _held: list[WebhookDelivery]

    def start(self) -> None:
        self._held = []
        super().start()

    def stop(self) -> None:
        super().stop()
        self._release()

    def delivering(self, delivery: WebhookDelivery) -> None:
        self.hit(delivery)
        delivery.keep(self._keep)

    def _keep(self, delivery: WebhookDelivery) -> None:
        if not self.on:
            delivery.go()
            return
        self._held.append(delivery)
        if len(self._held) == 1 and self.params["after"]:
            held = self._held
            # What is held by then may be another flood: each has its own list.
            self.outbox.after(int(self.params["after"]), lambda: self._release(held))

    def _release(self, held: list[WebhookDelivery] | None = None) -> None:
        if held is not None and held is not self._held:
            return
        held, self._held = self._held, []
        for delivery in held:
            delivery.go()
