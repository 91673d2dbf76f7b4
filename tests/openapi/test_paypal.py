"""The PayPal mock's answers, held against PayPal's published documents: orders, payments, disputes, webhooks,
reporting.

``pytest -s`` prints which properties were checked; ``properties_checked.json`` has them, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from mocks.gateways.paypal.triggers import DISPUTE_NAMES, PAYER_NAMES
from tests.mocks.running import Running
from tests.mocks_paypal.client import order_request, token
from tests.openapi.schema import Facts
from tests.openapi.watched import Watched, unchecked

DEVIATIONS = {
    r"POST /v2/checkout/orders 422 .*'DECIMALS_NOT_SUPPORTED'": "Published for payments only; what else an order in "
    "a currency without decimals would be refused with is not.",
}

DOCUMENTS = ("paypal_orders", "paypal_payments", "paypal_disputes", "paypal_webhooks", "paypal_reporting")
ORDERS = "/v2/checkout/orders"
PAYMENTS = "/v2/payments"
DISPUTES = "/v1/customer/disputes"
NOTIFICATIONS = "/v1/notifications"
ALL = {"prefer": "return=representation"}
ISSUES = (
    *("INSTRUMENT_DECLINED", "PAYER_CANNOT_PAY", "TRANSACTION_REFUSED", "TRANSACTION_LIMIT_EXCEEDED"),
    *("MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "PAYER_ACCOUNT_RESTRICTED", "COMPLIANCE_VIOLATION"),
    *("PAYER_ACCOUNT_LOCKED_OR_CLOSED", "DUPLICATE_INVOICE_ID", "PAYEE_BLOCKED_TRANSACTION"),
)


@pytest.fixture(scope="module")
def paypal() -> Iterator[Watched]:
    with Running("paypal") as running:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token(running)}"}
        yield Watched(running, [Facts.read(name) for name in DOCUMENTS], headers, deviations=DEVIATIONS)


def create(paypal: Watched, order: str, **more: Any) -> Any:
    return paypal.send("POST", ORDERS, order_request(order, **more), status=201, **ALL)


def approved(paypal: Watched, order: str, **more: Any) -> str:
    """The id of an order that its payer has approved."""
    made = create(paypal, order, **more)
    href = next(link["href"] for link in made["links"] if link["rel"] in ("approve", "payer-action"))
    parts = urlsplit(href)
    connection = paypal.running.connection()
    connection.request("GET", f"{parts.path}?{parts.query}")
    with connection.getresponse() as response:
        assert response.status < 400
    return str(made["id"])


def captured(paypal: Watched, order: str, **more: Any) -> Any:
    """The capture of a new order."""
    name = approved(paypal, order, **more)
    paid = paypal.send("POST", f"{ORDERS}/{name}/capture", {}, status=201, **ALL)
    paypal.send("GET", f"{ORDERS}/{name}", status=200)
    return paid["purchase_units"][0]["payments"]["captures"][0]


def test_orders_are_paid(paypal: Watched) -> None:
    unit = {
        "reference_id": "r",
        "custom_id": "c",
        "invoice_id": "i",
        "description": "d",
        "amount": {"currency_code": "EUR", "value": "5.00", "breakdown": {"item_total": {"currency_code": "EUR", "value": "5.00"}}},
    }  # fmt: skip
    made = create(paypal, "units", purchase_units=[unit])
    paypal.send("GET", f"{ORDERS}/{made['id']}", status=200)
    paypal.send("POST", ORDERS, order_request("minimal"), status=201, prefer="return=minimal")
    wallet = {
        "paypal": {
            "experience_context": {
                "return_url": "https://shop.example.test/r",
                "cancel_url": "https://shop.example.test/c",
            }
        }
    }
    assert create(paypal, "wallet", payment_source=wallet)["status"] == "PAYER_ACTION_REQUIRED"
    capture = captured(paypal, "wallet2", payment_source=wallet)
    paypal.send("GET", f"{PAYMENTS}/captures/{capture['id']}", status=200)
    amount = {
        "amount": {"currency_code": "EUR", "value": "2.90"},
        "note_to_payer": "n",
        "invoice_id": "ri",
        "custom_id": "rc",
    }
    back = paypal.send("POST", f"{PAYMENTS}/captures/{capture['id']}/refund", amount, status=201, **ALL)
    paypal.send("GET", f"{PAYMENTS}/refunds/{back['id']}", status=200)
    paypal.send("POST", f"{PAYMENTS}/captures/{capture['id']}/refund", {}, status=201)
    paypal.send("GET", f"{PAYMENTS}/captures/{capture['id']}", status=200)


def test_every_way_to_pay(paypal: Watched) -> None:
    card = {"number": "4111111111111111", "expiry": "2030-12", "security_code": "123", "name": "Ada Byron"}
    source = {"card": card}
    paypal.send(
        "POST",
        ORDERS,
        order_request("card", payment_source=source),
        status=201,
        paypal_request_id="card",
        **ALL,
    )
    vaulted = {"paypal": {"vault_id": "v"}}
    paypal.send(
        "POST",
        ORDERS,
        order_request("vault", payment_source=vaulted),
        status=201,
        paypal_request_id="v",
        **ALL,
    )
    made = create(paypal, "confirm")
    body = {
        "payment_source": {
            "paypal": {"name": {"given_name": "Ada", "surname": "Byron"}, "email_address": "ada@example.test"}
        }
    }
    paypal.send("POST", f"{ORDERS}/{made['id']}/confirm-payment-source", body, status=200, **ALL)


def test_authorizations(paypal: Watched) -> None:
    def hold(order: str) -> str:
        name = approved(paypal, order, intent="AUTHORIZE")
        body = paypal.send("POST", f"{ORDERS}/{name}/authorize", {}, status=201, **ALL)
        return f"{PAYMENTS}/authorizations/{body['purchase_units'][0]['payments']['authorizations'][0]['id']}"

    held = hold("held")
    paypal.send("GET", held, status=200)
    part = {"amount": {"currency_code": "EUR", "value": "2.90"}}
    paypal.send("POST", f"{held}/capture", part, status=201, **ALL)
    paypal.send("POST", f"{held}/capture", {"final_capture": True}, status=201)
    paypal.send("POST", f"{held}/capture", part, status=422)
    paypal.send("GET", held, status=200)
    other = hold("voided")
    paypal.send("POST", f"{other}/void", status=200, **ALL)
    paypal.send("POST", f"{other}/void", status=422)
    paypal.send("POST", f"{hold('quiet')}/void", status=204)


def test_every_decline(paypal: Watched) -> None:
    for name in PAYER_NAMES:
        source = {"paypal": {"name": {"given_name": name, "surname": "Payer"}}}
        assert captured(paypal, f"payer {name}", payment_source=source)["status"] == "DECLINED"
    for issue in ISSUES:
        order = approved(paypal, issue)
        asked = {"paypal_mock_response": json.dumps({"mock_application_codes": issue})}
        paypal.send("POST", f"{ORDERS}/{order}/capture", {}, status=422, **asked)
    expired = {"paypal_mock_response": json.dumps({"mock_application_codes": "CARD_EXPIRED"})}
    paypal.send("POST", ORDERS, order_request("expired"), status=422, **expired)


def test_errors(paypal: Watched) -> None:
    paypal.send("POST", ORDERS, b"{", status=400)
    paypal.send("POST", ORDERS, {"intent": "CAPTURE"}, status=400)
    paypal.send("POST", ORDERS, order_request("jpy", currency="JPY", value="1.50"), status=422)
    paypal.send("POST", ORDERS, order_request("anon"), status=401, authorization="Bearer x")
    paypal.send("GET", f"{ORDERS}/5O190127TN364715T", status=404)
    paypal.send("POST", f"{ORDERS}/5O190127TN364715T/capture", {}, status=404)
    paypal.send("POST", f"{ORDERS}/{create(paypal, 'early')['id']}/capture", {}, status=422)
    for kind in ("authorizations", "captures", "refunds"):
        paypal.send("GET", f"{PAYMENTS}/{kind}/5O190127TN364715T", status=404)
    capture = captured(paypal, "over")
    much = {"amount": {"currency_code": "EUR", "value": "99.00"}}
    paypal.send("POST", f"{PAYMENTS}/captures/{capture['id']}/refund", much, status=422)


def test_disputes(paypal: Watched) -> None:
    for name in DISPUTE_NAMES:
        source = {"paypal": {"vault_id": "v", "name": {"given_name": name}}}
        body = order_request(f"dispute {name}", payment_source=source)
        paypal.send("POST", ORDERS, body, status=201, paypal_request_id=name, **ALL)
    rows = paypal.send("GET", DISPUTES, status=200)["items"]
    assert len(rows) == len(DISPUTE_NAMES) >= 2
    for place, row in enumerate(rows):
        path = f"{DISPUTES}/{row['dispute_id']}"
        assert paypal.send("GET", path, status=200)["status"] == row["status"]
        if place == 0:
            paypal.send("POST", f"{path}/accept-claim", {"note": "n"}, status=200)
            paypal.send("GET", path, status=200)
    paypal.send("GET", f"{DISPUTES}/PP-D-0", status=404)


def test_webhooks_and_events(paypal: Watched) -> None:
    asked = {"url": "https://shop.example.test/hooks", "event_types": [{"name": "*"}]}
    paypal.send("GET", f"{NOTIFICATIONS}/webhooks", status=200)
    paypal.send("GET", f"{NOTIFICATIONS}/webhooks-event-types", status=200)
    paypal.send("POST", f"{NOTIFICATIONS}/webhooks", asked | {"url": "nonsense"}, status=400)
    hook = paypal.send(
        "POST", f"{NOTIFICATIONS}/webhooks", asked | {"url": "http://127.0.0.1:9/hooks"}, status=201
    )
    paypal.send("GET", f"{NOTIFICATIONS}/webhooks/{hook['id']}", status=200)
    capture = captured(paypal, "told")
    paypal.send("POST", f"{PAYMENTS}/captures/{capture['id']}/refund", {}, status=201)
    kinds = set()
    for event in paypal.send("GET", f"{NOTIFICATIONS}/webhooks-events?page_size=50", status=200)["events"]:
        kinds.add(event["event_type"])
        paypal.send("GET", f"{NOTIFICATIONS}/webhooks-events/{event['id']}", status=200)
        schema = {"PAYMENT.CAPTURE": "capture", "CHECKOUT.ORDER": "order", "PAYMENT.REFUND": "refund"}
        for prefix, name in schema.items():
            if event["event_type"].startswith(prefix) and event["resource_type"] == name:
                facts = paypal.facts[0] if name == "order" else paypal.facts[1]
                ref = {"capture": "capture-2"}.get(name, name)
                assert facts.problems(event["resource"], {"ref": ref}) == [], event
    assert {"PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED", "CHECKOUT.ORDER.APPROVED"} <= kinds


def test_reporting(paypal: Watched) -> None:
    captured(paypal, "reported")
    paypal.send("GET", "/v1/reporting/balances", status=200)
    now = datetime.fromtimestamp(paypal.running.gateway.mock_clock.now(), UTC)
    span = f"start_date={now - timedelta(days=20):%FT%TZ}&end_date={now + timedelta(hours=1):%FT%TZ}"
    answer = paypal.send("GET", f"/v1/reporting/transactions?{span}&fields=all", status=200)
    assert answer["transaction_details"]


def test_says_which_properties_were_checked(paypal: Watched) -> None:
    for name, facts in zip(DOCUMENTS, paypal.facts, strict=True):
        print(f"\n{facts.table()}")
        assert unchecked(name, facts) == {}
    checked = {name for facts in paypal.facts for name in facts.checked}
    assert {"order", "purchase_unit", "capture-2", "authorization-2", "refund", "dispute", "event"} <= checked
    assert paypal.used == set(DEVIATIONS), "every deviation is one that still exists"
