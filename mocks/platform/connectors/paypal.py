"""PayPal Orders v2: an order, the payer's approval, its capture; refunds of the capture.

Wire: JSON, a Bearer token of the client credentials grant, ``PayPal-Request-Id`` as the idempotency key,
amounts as decimal strings (https://developer.paypal.com/docs/api/orders/v2/).
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote

import orjson

from mocks.outbound import Answer, Call, Client
from mocks.platform.connectors.access_token import TokenClient
from mocks.platform.connectors.connector import (
    Ask,
    Caller,
    Connector,
    Step,
    json_object,
    prepare,
    throttled,
    unreadable,
)
from mocks.platform.payment import Payment, Refund
from mocks.platform.vault import INSTRUMENTS
from mocks.platform.verdict import Kind, Verdict, not_taken, unknown

_JSON = ("content-type", "application/json")
_MOCK_PAIR = "paydrill"
"""A mock takes any client id and secret. This, as both, opens nothing anywhere."""

_NO_DECIMALS = frozenset({"JPY"})

# processor_response.response_code -> the same refusal in Stripe's words
# (https://developer.paypal.com/docs/api/orders/v2/#definition-processor_response).
_DECLINE_CODES = {
    "0500": "generic_decline",
    "5120": "insufficient_funds",
    "5400": "expired_card",
    "00N7": "incorrect_cvc",
}
_DECLINES = frozenset({"INSTRUMENT_DECLINED", "PAYER_CANNOT_PAY", "TRANSACTION_REFUSED"})


class PayPal(Connector):
    """PayPal's words.

    The payer's approval is a step of the connector: it visits the page behind the order's link as a browser
    would. With the real PayPal the customer does, between two requests to a shop; here the platform stands
    in for both, so that a checkout stays one request and the load measures one server.

    An order that is COMPLETED is not a payment yet: its capture may be DECLINED.

    How it finds out what became of a charge: it makes the order anew under its key, which finds the one that
    is there; if that has a capture, the capture says. If not, it replays the capture's key: a payment whose
    customer was told "unknown" may be taken late, and is charged once. PayPal keeps the keys of orders for 6
    hours; the order's ``invoice_id`` is the payment's id, which the real PayPal takes only once.
    """

    name = "paypal"
    methods = ("paypal",)
    currencies = frozenset({"EUR", "USD", "GBP", "CHF", "SEK", "PLN", "JPY"})

    def __init__(self, client_id: str = _MOCK_PAIR, secret: str = _MOCK_PAIR) -> None:
        self._fetch = token_request(client_id, secret)

    def connect(self, client: Client) -> Caller:
        return TokenClient(client, self._fetch)

    def step(self, payment: Payment, made: tuple[str, ...]) -> Step | None:
        if not made:
            return Step(self._order(payment), _ordered)
        if len(made) == 1:
            return Step(Call("GET", f"/checkoutnow?token={quote(made[0], safe='')}"), _approved)
        return None

    def charge(self, payment: Payment, made: tuple[str, ...] = ()) -> Call:
        return self._post(f"{_path(made[0])}/capture", None, f"{payment.id}-paypal")

    def charged(self, answer: Answer) -> Verdict:
        body = json_object(answer)
        if answer.status in (200, 201):
            return _of_order(body) or unreadable(answer)
        return _refused(answer, body)

    async def find_out(self, payment: Payment, ask: Ask, *, in_flight: bool) -> Verdict:
        if payment.reference:
            answer = await ask(Call("GET", f"/v2/payments/captures/{quote(payment.reference, safe='')}"))
            if answer.status != 200:
                return throttled(answer) if answer.status == 429 else unreadable(answer)
            return _of_capture(json_object(answer)) or unreadable(answer)
        made = await prepare(self, payment, ask)
        if isinstance(made, Verdict):
            return unknown(made.reason)
        verdict = self.charged(await ask(self.charge(payment, made)))
        if verdict.kind is not Kind.BUSY:
            return verdict
        order = await ask(Call("GET", _path(made[0])))
        if order.status != 200:
            return unreadable(order)
        return _of_order(json_object(order)) or verdict

    def refund(self, refund: Refund, payment: Payment) -> Call:
        body = {"amount": _amount(refund.amount_minor, payment.currency), "custom_id": refund.id}
        target = f"/v2/payments/captures/{quote(payment.reference, safe='')}/refund"
        return self._post(target, body, f"{refund.id}-paypal")

    def refunded(self, answer: Answer) -> Verdict:
        body = json_object(answer)
        if answer.status in (200, 201):
            status, reference = body.get("status"), str(body.get("id", ""))
            if status in ("COMPLETED", "PENDING"):
                return Verdict(Kind.TAKEN, reference)
            if status in ("FAILED", "CANCELLED"):
                return Verdict(Kind.DECLINED, reference, reason="paypal could not refund it")
            return unknown(f"the refund is {status}")
        return _refused(answer, body)

    def _order(self, payment: Payment) -> Call:
        body = {
            "intent": "CAPTURE",
            "purchase_units": [
                {
                    "custom_id": payment.order_id,
                    "invoice_id": payment.id,
                    "amount": _amount(payment.amount_minor, payment.currency),
                }
            ],
            "payment_source": {
                "paypal": {
                    "name": {"given_name": INSTRUMENTS[payment.instrument].payer, "surname": "Payer"},
                    "experience_context": {
                        "return_url": "https://shop.example.test/return",
                        "cancel_url": "https://shop.example.test/cancel",
                    },
                }
            },
        }
        return self._post("/v2/checkout/orders", body, f"{payment.id}-order")

    def _post(self, target: str, body: dict[str, Any] | None, key: str) -> Call:
        headers = (_JSON, ("paypal-request-id", key))
        return Call("POST", target, headers, b"{}" if body is None else orjson.dumps(body))


def token_request(client_id: str, secret: str) -> Call:
    """The request that is answered with an access token."""
    pair = b64encode(f"{client_id}:{secret}".encode()).decode("ascii")
    headers = (
        ("authorization", f"Basic {pair}"),
        ("content-type", "application/x-www-form-urlencoded"),
    )
    return Call("POST", "/v1/oauth2/token", headers, b"grant_type=client_credentials")


def _path(order: str) -> str:
    return f"/v2/checkout/orders/{quote(order, safe='')}"


def _amount(minor: int, currency: str) -> dict[str, str]:
    value = str(minor) if currency in _NO_DECIMALS else f"{minor // 100}.{minor % 100:02}"
    return {"currency_code": currency, "value": value}


def _ordered(answer: Answer) -> Verdict:
    body = json_object(answer)
    if answer.status in (200, 201) and body.get("id"):
        return Verdict(Kind.TAKEN, str(body["id"]))
    return _refused(answer, body)


def _approved(answer: Answer) -> Verdict:
    # The page leads back to the shop once the payer has approved.
    if answer.status in (200, 302, 303):
        return Verdict(Kind.TAKEN, "approved")
    return _refused(answer, json_object(answer))


def _of_order(order: dict[str, Any]) -> Verdict | None:
    """What the capture of an order says; ``None`` when it has none."""
    for unit in order.get("purchase_units") or ():
        for capture in unit.get("payments", {}).get("captures", ()):
            return _of_capture(capture)
    return None


def _of_capture(capture: dict[str, Any]) -> Verdict | None:
    status, reference = capture.get("status"), str(capture.get("id", ""))
    if status in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"):
        return Verdict(Kind.TAKEN, reference)
    if status == "PENDING":
        return Verdict(Kind.ACCEPTED, reference)
    if status in ("DECLINED", "FAILED"):
        processor = capture.get("processor_response") or {}
        code = _DECLINE_CODES.get(str(processor.get("response_code", "")), "generic_decline")
        return Verdict(Kind.DECLINED, reference, code, "the payer's instrument was declined")
    return None


def _refused(answer: Answer, body: dict[str, Any]) -> Verdict:
    status = answer.status
    if status == 429:
        return throttled(answer)
    issues = {str(detail.get("issue")) for detail in body.get("details") or () if isinstance(detail, dict)}
    if status == 409 or "ORDER_ALREADY_CAPTURED" in issues:
        return Verdict(Kind.BUSY, reason="paypal has an earlier request")
    if issues & _DECLINES:
        return Verdict(Kind.DECLINED, "", "generic_decline", "the payer's instrument was declined")
    if 400 <= status < 500:
        return not_taken(f"paypal refused the request ({status})")
    return unreadable(answer)
