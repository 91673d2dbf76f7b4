"""What each gateway's callers know: how to get in, what there is, how an error looks, a payment that is good."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from mocks.gateways.adyen import routes as adyen_routes
from mocks.gateways.adyen.settlement_report import REPORTS
from mocks.gateways.adyen.three_d_secure import PAGE
from mocks.gateways.gocardless import routes as gocardless_routes
from mocks.gateways.paypal import routes as paypal_routes
from mocks.gateways.stripe import routes as stripe_routes
from tests.bad_input.wire import Answer, Wire
from tests.mocks.running import Running, adyen_payment, stripe_payment

Target = tuple[str, str, str]
"""Method, path (``*`` stands for an identifier) and endpoint."""


class Door(NamedTuple):
    """One gateway.

    Attributes:
        kind: Its name.
        targets: Everything it answers.
        enter: The headers that let a caller in; may ask the gateway for them.
        pay: A good payment, sent by hand; returns the identifiers that it made.
        is_error: Whether a body, read as JSON, is an error in this gateway's shape.
        content_type: Of its requests.
        seeds: Bodies that make sense to its endpoints, as the starting points of those that don't.
        pages: Endpoints that are shown to people, in HTML.
    """

    kind: str
    targets: tuple[Target, ...]
    enter: Callable[[Wire], dict[str, str]]
    pay: Callable[[Wire, dict[str, str]], list[str]]
    is_error: Callable[[Any, int], bool]
    content_type: str
    seeds: tuple[Any, ...]
    pages: tuple[str, ...] = ()

    def encode(self, body: Any) -> bytes:
        """A body as this gateway's callers send it."""
        if self.content_type == "application/json":
            return json.dumps(body).encode()
        if not isinstance(body, dict):
            return b""
        return urlencode(dict(_flat(body)), errors="surrogatepass").encode()


class Inside(NamedTuple):
    """A door that has been opened: a running gateway, a connection, and the headers of a caller."""

    door: Door
    running: Running
    wire: Wire
    headers: dict[str, str]
    known: list[str]

    def check(self, answer: Answer, endpoint: str = "") -> None:
        """Any answer is fine that is the gateway's own.

        Raises:
            AssertionError: It failed, or it refuses in a shape that its clients don't know.
        """
        assert answer.status < 500, (answer.status, answer.body[:300])
        if answer.status == 204 or endpoint in self.door.pages or not answer.body:
            assert answer.status < 400 or endpoint in self.door.pages, answer
            return
        body = json.loads(answer.body)
        assert (answer.status < 400) or self.door.is_error(body, answer.status), answer

    def still_works(self) -> None:
        """A good payment is taken, on this connection and on a new one."""
        self.door.pay(self.wire, self.headers)
        fresh = Wire(self.running.port)
        try:
            assert self.door.pay(fresh, self.headers)
        finally:
            fresh.close()


@contextmanager
def inside(door: Door) -> Iterator[Inside]:
    """Start the gateway and go in; a payment has been made."""
    with Running(door.kind) as running:
        wire = Wire(running.port)
        try:
            headers = door.enter(wire)
            yield Inside(door, running, wire, headers, door.pay(wire, headers))
        finally:
            wire.close()


def _flat(body: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _flat(value, f"{name}[{key}]" if name else str(key))
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from _flat(value, f"{name}[{number}]")
    else:
        yield name, body if isinstance(body, str) else json.dumps(body)


def _template(pattern: str) -> str:
    pattern = pattern.removesuffix("\\Z").replace("\\d+", "72").replace("\\.", ".").replace("\\", "")
    return re.sub(r"\(\?P<\w+>[^)]*\)", "*", pattern)


def _good(answer: Answer, status: int) -> Any:
    assert answer.status == status, (answer.status, answer.body[:300])
    return json.loads(answer.body)


# Stripe.


def _stripe_pay(wire: Wire, headers: dict[str, str]) -> list[str]:
    body = urlencode(stripe_payment()).encode()
    made = _good(wire.call("POST", b"/v1/payment_intents", headers, body), 200)
    assert made["status"] == "succeeded"
    return [made["id"], made["latest_charge"]]


STRIPE = Door(
    "stripe",
    tuple((*path.split(" "), endpoint) for endpoint, path in stripe_routes._PATHS.items()),  # type: ignore[misc]
    lambda wire: {
        "Authorization": "Bearer sk_test_1",
        "Content-Type": "application/x-www-form-urlencoded",
    },
    _stripe_pay,
    lambda body, status: bool(body["error"]["type"] and body["error"]["message"]),
    "application/x-www-form-urlencoded",
    (
        {
            "amount": 1290,
            "currency": "eur",
            "confirm": "true",
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "capture_method": "manual",
            "metadata": {"order_id": "x"},
            "expand": ["latest_charge"],
        },
        {"payment_intent": "*", "charge": "*", "amount": 10, "reason": "duplicate"},
        {"email": "a@example.test", "name": "x", "payment_method": "pm_card_visa", "limit": 3},
        {
            "type": "card",
            "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"},
            "billing_details": {"name": "x"},
            "customer": "*",
        },
        {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": "true"},
        {"url": "http://127.0.0.1:9/x", "enabled_events": ["*"]},
        {"query": "status:'succeeded' AND metadata['order_id']:'x'", "page": "*", "created": {"gt": 1}},
    ),
    ("three_d_secure.visit", "three_d_secure.submit"),
)


# PayPal.


def _paypal_enter(wire: Wire) -> dict[str, str]:
    basic = base64.b64encode(b"client:secret").decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = wire.call("POST", b"/v1/oauth2/token", headers, b"grant_type=client_credentials")
    token = _good(answer, 200)["access_token"]
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


_PAYPAL_ORDER = {
    "intent": "CAPTURE",
    "purchase_units": [
        {
            "reference_id": "x",
            "custom_id": "x",
            "invoice_id": "i",
            "amount": {
                "currency_code": "EUR",
                "value": "12.90",
                "breakdown": {"item_total": {"currency_code": "EUR", "value": "12.90"}},
            },
        }
    ],
    "payment_source": {
        "card": {"number": "4111111111111111", "expiry": "2040-02", "security_code": "123", "name": "x"}
    },
}


def _paypal_pay(wire: Wire, headers: dict[str, str]) -> list[str]:
    order = {name: value for name, value in _PAYPAL_ORDER.items() if name != "payment_source"}
    unit = dict(_PAYPAL_ORDER["purchase_units"][0])  # type: ignore[index]
    del unit["invoice_id"]
    order["purchase_units"] = [unit]
    made = _good(wire.call("POST", b"/v2/checkout/orders", headers, json.dumps(order).encode()), 201)
    return [made["id"]]


def _paypal_error(body: Any, status: int) -> bool:
    return bool(("name" in body and "message" in body and "debug_id" in body) or "error" in body)


PAYPAL = Door(
    "paypal",
    tuple((method, _template(path.pattern), endpoint) for method, path, endpoint in paypal_routes.ROUTES),
    _paypal_enter,
    _paypal_pay,
    _paypal_error,
    "application/json",
    (
        _PAYPAL_ORDER,
        {"amount": {"currency_code": "EUR", "value": "1.00"}, "note_to_payer": "x", "final_capture": True},
        [{"op": "replace", "path": "/purchase_units/@reference_id=='default'/amount", "value": {"a": 1}}],
        {"payment_source": {"paypal": {"experience_context": {"return_url": "https://example.test/"}}}},
        {"url": "http://127.0.0.1:9/x", "event_types": [{"name": "*"}]},
        {"note": "x", "evidences": [{"evidence_type": "PROOF_OF_FULFILLMENT", "notes": "x"}]},
        {"transmission_id": "x", "webhook_id": "*", "webhook_event": {"id": "x"}, "cert_url": "x"},
    ),
    ("orders.approve", "webhooks.certificate"),
)


# Adyen.


def _adyen_pay(wire: Wire, headers: dict[str, str]) -> list[str]:
    made = _good(wire.call("POST", b"/v72/payments", headers, json.dumps(adyen_payment()).encode()), 200)
    assert made["resultCode"] == "Authorised"
    return [made["pspReference"]]


ADYEN = Door(
    "adyen",
    (
        ("GET", PAGE, "redirect"),
        ("GET", REPORTS + "*", "reports"),
        *(("POST", _template(path.pattern), endpoint) for endpoint, path in adyen_routes._ROUTES),
    ),
    lambda wire: {"X-API-Key": "key", "Content-Type": "application/json"},
    _adyen_pay,
    lambda body, status: body["status"] == status and {"errorCode", "message", "errorType"} <= set(body),
    "application/json",
    (
        adyen_payment(),
        {"details": {"redirectResult": "*", "threeDSResult": "*"}, "paymentData": "*"},
        {
            "merchantAccount": "PaydrillECOM",
            "amount": {"currency": "EUR", "value": 10},
            "reference": "x",
            "paymentReference": "*",
        },
        {"disputePspReference": "*", "merchantAccountCode": "PaydrillECOM", "defenseReasonCode": "x"},
    ),
    ("redirect", "reports"),
)


# GoCardless.


def _gocardless_pay(wire: Wire, headers: dict[str, str]) -> list[str]:
    def create(kind: str, **values: Any) -> str:
        body = json.dumps({kind: values}).encode()
        made = _good(wire.call("POST", b"/" + kind.encode(), headers, body), 201)
        return str(made[kind]["id"])

    customer = create("customers", company_name="x")
    bank = {"account_holder_name": "x", "iban": "DE89370400440532013000"}
    account = create("customer_bank_accounts", **bank, links={"customer": customer})
    mandate = create("mandates", links={"customer_bank_account": account})
    payment = create("payments", amount=1290, currency="EUR", links={"mandate": mandate})
    return [payment, mandate, customer, account]


GOCARDLESS = Door(
    "gocardless",
    tuple((method, _template(path.pattern), endpoint) for method, path, endpoint in gocardless_routes.ROUTES),
    lambda wire: {
        "Authorization": "Bearer sandbox_1",
        "GoCardless-Version": "2015-07-06",
        "Content-Type": "application/json",
    },
    _gocardless_pay,
    lambda body, status: (
        body["error"]["code"] == status
        and body["error"]["type"] in ("invalid_api_usage", "validation_failed", "invalid_state")
        and bool(body["error"]["errors"])
    ),
    "application/json",
    (
        {
            "payments": {
                "amount": 1290,
                "currency": "EUR",
                "charge_date": "2099-01-01",
                "description": "x",
                "retry_if_possible": True,
                "metadata": {"order_id": "x"},
                "links": {"mandate": "*"},
            }
        },
        {"customers": {"given_name": "x", "family_name": "x", "email": "a@example.test", "metadata": {}}},
        {
            "customer_bank_accounts": {
                "account_holder_name": "x",
                "iban": "DE89370400440532013000",
                "currency": "EUR",
                "links": {"customer": "*"},
            }
        },
        {"mandates": {"scheme": "sepa_core", "reference": "x", "links": {"customer_bank_account": "*"}}},
        {"refunds": {"amount": 10, "total_amount_confirmation": 10, "links": {"payment": "*"}}},
        {"data": {"links": {"resource": "*"}, "metadata": {"a": "b"}, "charge_date": "2099-01-01"}},
        {"payouts": {"metadata": {"a": "b"}}},
    ),
)

DOORS = (STRIPE, PAYPAL, ADYEN, GOCARDLESS)
