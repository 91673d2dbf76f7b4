"""PayPal's webhooks as somebody else would write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from mocks.draws import UPPER_ALPHANUMERIC, Draws
from mocks.gateways.paypal.events import event_id
from mocks.gateways.paypal.payment import rfc3339
from mocks.gateways.paypal.signing import Signer
from mocks.webhook_delivery import Forgery
from mocks.webhooks import Event, Forge

_UNPAID = frozenset({"PAYMENT.CAPTURE.DECLINED", "PAYMENT.CAPTURE.DENIED"})
_CAPTURES = _UNPAID | {"PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING"}
_COMPLETED = "PAYMENT.CAPTURE.COMPLETED"


def forger(name: str, seed: int, signer: Callable[[], Signer]) -> Forge:
    """Makes PAYMENT.CAPTURE.COMPLETED of an event about a capture: of the same one if it was declined, else
    of another of the same order.

    Nobody but PayPal has its key: the signature is one that PayPal made for another webhook. ``signer`` is
    asked when it is needed.
    """
    draws = Draws(seed, f"{name}/forgeries")
    names = event_id(Draws(seed, f"{name}/forgeries/events"))

    def forge(event: Event, payload: bytes, at: int, signed: bool) -> Forgery | None:
        if event.kind not in _CAPTURES:
            return None
        body: dict[str, Any] = orjson.loads(payload)
        capture = body["resource"]
        if event.kind not in _UNPAID:
            old, capture["id"] = capture["id"], draws.text(event.number, 17, UPPER_ALPHANUMERIC)
            for link in capture.get("links", ()):
                link["href"] = link["href"].replace(old, capture["id"])
        capture["status"] = "COMPLETED"
        for part in ("status_details", "processor_response"):
            capture.pop(part, None)
        true_name, body["id"] = body["id"], names(event.number)
        for link in body["links"]:
            link["href"] = link["href"].replace(true_name, body["id"])
        amount = capture["amount"]
        body |= {
            "event_type": _COMPLETED,
            "create_time": rfc3339(at),
            "summary": f"{amount['value']} {amount['currency_code']} was captured",
        }
        headers = signer().headers(payload, at) if signed else ()
        return Forgery(body["id"], _COMPLETED, orjson.dumps(body), headers)

    return forge
