"""Stripe's events as somebody else would write them."""

from __future__ import annotations

from typing import Any

import orjson

from mocks.draws import ALPHANUMERIC, Draws
from mocks.gateways.stripe.events import signature
from mocks.webhook_delivery import Forgery
from mocks.webhooks import Event, Forge

WRONG_SECRET = "whsec_of_somebody_else"  # noqa: S105
"""What forged webhooks are signed with; no receiver has it."""

_UNPAID = frozenset({"payment_intent.payment_failed", "payment_intent.canceled"})


def forger(name: str, seed: int) -> Forge:
    """Makes ``payment_intent.succeeded`` of an event about a PaymentIntent: of the same one if it has failed
    or was canceled, else of another with the same metadata."""
    names = Draws(seed, f"{name}/forgeries")

    def forge(event: Event, payload: bytes, at: int, signed: bool) -> Forgery | None:
        if not event.kind.startswith("payment_intent."):
            return None
        body: dict[str, Any] = orjson.loads(payload)
        intent = body["data"]["object"]
        if event.kind not in _UNPAID:
            intent["id"] = "pi_" + names.text(3 * event.number, 24, ALPHANUMERIC)
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "amount_capturable": 0,
            "last_payment_error": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "next_action": None,
            "latest_charge": "ch_" + names.text(3 * event.number + 1, 24, ALPHANUMERIC),
        }
        body |= {
            "id": "evt_" + names.text(3 * event.number + 2, 24, ALPHANUMERIC),
            "type": "payment_intent.succeeded",
            "created": at,
        }
        forged = orjson.dumps(body)
        headers = signature(forged, at, WRONG_SECRET) if signed else ()
        return Forgery(body["id"], body["type"], forged, headers)

    return forge
