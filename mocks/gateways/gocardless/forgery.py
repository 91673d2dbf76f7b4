"""GoCardless' webhooks as somebody else would write them."""

from __future__ import annotations

from typing import Any

import orjson

from mocks.draws import UPPER_ALPHANUMERIC, Draws
from mocks.gateways.gocardless.collection import timestamp
from mocks.gateways.gocardless.webhooks import signature
from mocks.webhook_delivery import Forgery
from mocks.webhooks import Event, Forge

WRONG_SECRET = "the-secret-of-somebody-else"  # noqa: S105
"""What forged webhooks are signed with; no receiver has it."""

_UNPAID = frozenset({"failed", "cancelled", "customer_approval_denied", "charged_back"})


def forger(name: str, seed: int) -> Forge:
    """Makes ``payments.confirmed`` of an event about a payment: of the same one if it has failed or was
    cancelled, else of another with the same metadata."""
    names = Draws(seed, f"{name}/forgeries")

    def forge(event: Event, payload: bytes, at: int, signed: bool) -> Forgery | None:
        if not event.kind.startswith("payments."):
            return None
        body: dict[str, Any] = orjson.loads(payload)
        told = body["events"][0]
        if told["action"] not in _UNPAID:
            told["links"]["payment"] = "PM" + names.text(2 * event.number, 12, UPPER_ALPHANUMERIC)
        told |= {
            "id": "EV" + names.text(2 * event.number + 1, 13, UPPER_ALPHANUMERIC),
            "created_at": timestamp(at),
            "action": "confirmed",
            "details": {"origin": "gocardless", "cause": "payment_confirmed", "description": ""},
        }
        body["meta"]["webhook_id"] = "WB" + told["id"][2:]
        forged = orjson.dumps(body)
        headers = (("Webhook-Signature", signature(WRONG_SECRET, forged)),) if signed else ()
        return Forgery(told["id"], "payments.confirmed", forged, headers)

    return forge
