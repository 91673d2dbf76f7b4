"""The Stripe mock behind respx, through Stripe's own SDK and its httpx client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import stripe

from mocks.inprocess import gateways


def client() -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_1", http_client=stripe.HTTPXClient(allow_sync_methods=True))


def payment(order: str, card: str = "pm_card_visa") -> dict[str, Any]:
    return {
        "amount": 1290,
        "currency": "eur",
        "confirm": True,
        "payment_method": card,
        "metadata": {"order_id": order},
    }


def test_pay_and_refund() -> None:
    with gateways("stripe") as g:
        sdk = client()
        intent = sdk.v1.payment_intents.create(payment("o1"), {"idempotency_key": "k1"})  # type: ignore[arg-type]
        again = sdk.v1.payment_intents.create(payment("o1"), {"idempotency_key": "k1"})  # type: ignore[arg-type]
        assert intent.id == again.id and intent.status == "succeeded"
        refund = sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 290})
        assert refund.status == "succeeded"
        assert [(m.kind, m.amount_minor) for m in g.stripe.ledger] == [("capture", 1290), ("refund", 290)]


def test_a_decline_is_the_sdks_own_exception() -> None:
    with gateways("stripe") as g:
        with pytest.raises(stripe.CardError) as caught:
            client().v1.payment_intents.create(payment("o1", "pm_card_chargeDeclinedInsufficientFunds"))  # type: ignore[arg-type]
        assert caught.value.code == "card_declined"
        assert caught.value.error is not None and caught.value.error.decline_code == "insufficient_funds"
        assert len(g.stripe.ledger) == 0


def test_the_async_half_of_the_sdk() -> None:
    async def pay() -> list[str]:
        sdk = client()
        made = await asyncio.gather(
            *(sdk.v1.payment_intents.create_async(payment(f"o{n}")) for n in range(5))  # type: ignore[arg-type]
        )
        return [intent.id for intent in made]

    with gateways("stripe") as g:
        ids = asyncio.run(pay())
        assert sorted(ids) == sorted(movement.reference for movement in g.stripe.ledger)
