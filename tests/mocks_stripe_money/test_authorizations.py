"""Uncaptured authorizations expire in their order, with one timer for all."""

from __future__ import annotations

import stripe

from tests.mocks.running import Running
from tests.mocks_stripe_money.sdk import DAY, advance, moved, pay


def test_each_authorization_expires_at_its_own_time(client: stripe.StripeClient, running: Running) -> None:
    clock = running.gateway.mock_clock
    held = []
    for _ in range(4):
        held.append(pay(client, capture_method="manual").id)
        advance(running, 60)
    assert sum(not timer.canceled for _, _, timer in clock._timers) == 1
    client.v1.payment_intents.capture(held[1])
    client.v1.payment_intents.cancel(held[2])

    def statuses() -> list[str]:
        return [client.v1.payment_intents.retrieve(name).status for name in held]

    advance(running, 7 * DAY - 4 * 60 - 30)
    assert statuses() == ["requires_capture", "succeeded", "canceled", "requires_capture"]
    advance(running, 60)
    assert statuses() == ["canceled", "succeeded", "canceled", "requires_capture"]
    advance(running, 180)
    last = client.v1.payment_intents.retrieve(held[3])
    assert (last.status, last.cancellation_reason) == ("canceled", "automatic")
    assert client.v1.payment_intents.retrieve(held[2]).cancellation_reason is None
    assert moved(running, "capture") == [("capture", 1290)]
    late = pay(client, capture_method="manual").id
    advance(running, 7 * DAY)
    assert client.v1.payment_intents.retrieve(late).cancellation_reason == "automatic"
