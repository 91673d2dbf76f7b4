"""Adyen's webhooks as somebody else would write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from mocks.draws import UPPER_ALPHANUMERIC, Draws
from mocks.gateways.adyen.notifications import signature
from mocks.webhook_delivery import Forgery
from mocks.webhooks import Event, Forge

WRONG_KEY = "BAD0" * 16
"""The key that forged webhooks are signed with, in hex; no receiver has it."""


def forger(name: str, seed: int) -> Forge:
    """Makes a successful AUTHORISATION of an AUTHORISATION: of the same payment if it was refused, else of
    another with the same reference."""
    names = Draws(seed, f"{name}/forgeries")

    def forge(event: Event, payload: bytes, at: int, signed: bool) -> Forgery | None:
        if event.kind != "AUTHORISATION":
            return None
        body: dict[str, Any] = orjson.loads(payload)
        item = body["notificationItems"][0]["NotificationRequestItem"]
        if item["success"] == "true":
            item["pspReference"] = names.text(event.number, 16, UPPER_ALPHANUMERIC)
        item |= {
            "success": "true",
            "reason": "",
            "eventDate": datetime.fromtimestamp(at, UTC).isoformat(),
            "operations": ["CANCEL", "CAPTURE", "REFUND"],
        }
        item["additionalData"].pop("hmacSignature")
        if signed:
            item["additionalData"]["hmacSignature"] = signature(item, WRONG_KEY)
        return Forgery(f"adyen-forged-{event.number}", event.kind, orjson.dumps(body), ())

    return forge
