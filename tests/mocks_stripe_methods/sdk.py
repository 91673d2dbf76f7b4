"""Stripe's own SDK, pointed at a mock, and what the mock truly did."""

from __future__ import annotations

import json
from typing import Any

import stripe

from tests.mocks.running import Running

ACCEPTANCE = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "127.0.0.1", "user_agent": "a browser"},
    }
}


def sdk(running: Running) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_1", base_addresses={"api": running.url}, max_network_retries=0)


def pay(client: stripe.StripeClient, order: str, method: str | None = None, **more: Any) -> Any:
    """A PaymentIntent of 12.90 EUR that is confirmed at once."""
    parameters: Any = {
        "amount": 1290,
        "currency": "eur",
        "confirm": True,
        "metadata": {"order_id": order},
        **more,
    }
    if method is not None:
        parameters["payment_method"] = method
    return client.v1.payment_intents.create(parameters)


def refusal(call: Any, kind: type[stripe.StripeError]) -> Any:
    """The error object of a call that has to raise this exception of the SDK's."""
    try:
        call()
    except stripe.StripeError as error:
        assert type(error) is kind
        body: Any = error.json_body
        return body["error"]
    raise AssertionError("the call was not refused")


def moved(running: Running, order: str) -> list[tuple[str, int]]:
    return [(m.kind, m.amount_minor) for m in running.movements if m.order_id == order]


def told(running: Running, name: str) -> list[tuple[str, Any]]:
    """Type and object of every event about an object or about a charge of it, oldest first."""
    payloads = running.thread.call(lambda: [event.payload() for event in running.gateway.outbox])
    events = [json.loads(payload) for payload in payloads]
    return [
        (event["type"], event["data"]["object"])
        for event in events
        if name in (event["data"]["object"]["id"], event["data"]["object"].get("payment_intent"))
    ]


def advance(running: Running, seconds: float) -> None:
    running.thread.call(lambda: running.gateway.mock_clock.advance(seconds))
