"""Adyen's own SDK, pointed at a mock; and the webhooks that the mock would send, as the SDK reads them."""

from __future__ import annotations

import json
from typing import Any

import Adyen
from Adyen.util import is_valid_hmac_notification

from mocks.gateways.adyen.notifications import HMAC_KEY
from tests.mocks.running import Running

ACCOUNT = "PaydrillECOM"


def sdk(running: Running, key: str | None = "AQtest") -> Any:
    adyen = Adyen.Adyen(xapikey=key, platform="test")
    adyen.checkout.payments_api.baseUrl = running.url + "/v72"
    adyen.checkout.modifications_api.baseUrl = running.url + "/v72"
    return adyen.checkout


def disputes_sdk(running: Running) -> Any:
    adyen = Adyen.Adyen(xapikey="AQtest", platform="test")
    adyen.disputes.disputes_api.baseUrl = running.url + "/ca/services/DisputeService/v30"
    return adyen.disputes.disputes_api


def advance(running: Running, seconds: float) -> None:
    """Put the mock's clock forward."""
    running.thread.call(lambda: running.gateway.mock_clock.advance(seconds))


def modification(value: int | None = None, **more: Any) -> dict[str, Any]:
    """Body of a modification, with an amount in EUR if one is given."""
    body: dict[str, Any] = {"merchantAccount": ACCOUNT, **more}
    if value is not None:
        body["amount"] = {"currency": "EUR", "value": value}
    return body


def moved(running: Running, order: str) -> list[tuple[str, int]]:
    return [(m.kind, m.amount_minor) for m in running.movements if m.order_id == order]


def told(running: Running, order: str) -> list[dict[str, Any]]:
    """The webhooks about an order, oldest first; the SDK has found each signature to be right."""
    payloads = running.thread.call(lambda: [event.payload() for event in running.gateway.outbox])
    items = []
    for payload in payloads:
        notification = json.loads(payload)
        assert is_valid_hmac_notification(notification, HMAC_KEY)
        (wrapped,) = notification["notificationItems"]
        if wrapped["NotificationRequestItem"]["merchantReference"] == order:
            items.append(wrapped["NotificationRequestItem"])
    return items


def outcomes(running: Running, order: str) -> list[tuple[str, str]]:
    """Event code and ``success`` of each webhook about an order."""
    return [(item["eventCode"], item["success"]) for item in told(running, order)]
