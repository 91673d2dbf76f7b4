"""The opposite of what Stripe's answer says of a payment."""

from __future__ import annotations

from typing import Any

import orjson

from mocks.reply import Reply

_DECLINED = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}


def contradiction_of(reply: Reply) -> Reply | None:
    """HTTP 200 with a PaymentIntent that failed in place of one that succeeded, and the other way round; None
    for an answer that tells of neither."""
    try:
        body: dict[str, Any] = orjson.loads(reply.body)
        intent = body if reply.status == 200 else body["error"]["payment_intent"]
        if intent["object"] != "payment_intent":
            return None
    except (ValueError, KeyError, TypeError):
        return None
    if reply.status == 200 and intent["status"] == "succeeded":
        intent |= {
            "status": "requires_payment_method",
            "amount_received": 0,
            "last_payment_error": _DECLINED,
            "payment_method": None,
        }
    elif reply.status == 402:
        charge = body["error"].get("charge")
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "last_payment_error": None,
            "latest_charge": charge,
        }
    else:
        return None
    return Reply(200, orjson.dumps(intent), reply.result)
