"""What the tests of this folder do with Stripe's SDK and with the mock behind it."""

from __future__ import annotations

from typing import Any

import stripe

from tests.mocks.running import Running

DAY = 86_400


def pay(client: stripe.StripeClient, card: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    """A PaymentIntent over 12.90 EUR that is confirmed at once."""
    parameters: Any = {
        "amount": 1290,
        "currency": "eur",
        "confirm": True,
        "payment_method": card,
        "metadata": {"order_id": "o"},
        **more,
    }
    return client.v1.payment_intents.create(parameters)


def advance(running: Running, seconds: float) -> None:
    """Put the mock's clock forward."""
    running.thread.call(lambda: running.gateway.mock_clock.advance(seconds))


def moved(running: Running, kind: str = "") -> list[tuple[str, int]]:
    """Kind and amount of every movement, or of those of one kind."""
    return [(m.kind, m.amount_minor) for m in running.movements if kind in ("", m.kind)]


def kinds(client: stripe.StripeClient, *wanted: str) -> list[str]:
    """The types of all events, oldest first; of those that are asked for, if any are."""
    parameters: Any = {"types": list(wanted)} if wanted else {}
    return [str(event.type) for event in client.v1.events.list(parameters).auto_paging_iter()][::-1]
