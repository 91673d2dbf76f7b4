"""The Stripe mock's answers, held against the schemas of the API version that it speaks (``distil_stripe`` says
where they are from).

``pytest -s`` prints which properties were checked; ``properties_checked.json`` has them, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from mocks.gateways.stripe.cards import NAMES
from tests.mocks.running import Running, stripe_payment
from tests.openapi.distil import Schema
from tests.openapi.distil_stripe import OBJECTS
from tests.openapi.schema import Facts
from tests.openapi.watched import Watched, unchecked

DEVIATIONS: dict[str, str] = {}

TYPES = {name: kind for kind, name in OBJECTS.items() if name}
DAY = 86_400
DELETED: Schema = {
    "type": "object",
    "required": ["id", "object", "deleted"],
    "properties": {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"type": "boolean"}},
}


class WatchedStripe(Watched):
    """Every object of Stripe says what it is; that is what its schema is found by."""

    def _schema(self, method: str, path: str, status: int, answer: Any) -> tuple[Facts, Schema | None]:
        (facts,) = self.facts
        if status >= 400:
            return facts, {"ref": "Error"}
        return facts, schema_of(answer)

    def call(
        self, method: str, path: str, parameters: dict[str, Any] | None = None, *, status: int = 200
    ) -> Any:
        """One call with form parameters."""
        form = urlencode(parameters or {})
        if method == "GET":
            return self.send(method, f"{path}?{form}", status=status)
        return self.send(method, path, form.encode(), status=status)


def schema_of(answer: Any) -> Schema | None:
    """The schema of an object, a list of objects, or a deleted object."""
    kind = answer.get("object")
    if kind in ("list", "search_result"):
        rows = [schema_of(row) for row in answer["data"]]
        item = rows[0] if rows and rows[0] is not None else {}
        properties: dict[str, Schema] = {
            "object": {"type": "string"},
            "url": {"type": "string"},
            "has_more": {"type": "boolean"},
            "next_page": {"type": "string", "nullable": True},
            "data": {"type": "array", "items": item},
        }
        required = ["object", "url", "has_more", "data"]
        return {"type": "object", "properties": properties, "required": required}
    if answer.get("deleted"):
        return DELETED
    return {"ref": TYPES[kind]} if kind in TYPES else None


@pytest.fixture(scope="module")
def stripe() -> Iterator[WatchedStripe]:
    with Running("stripe") as running:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Bearer sk_test_1"}
        yield WatchedStripe(running, [Facts.read("stripe")], headers, deviations=DEVIATIONS)


def pay(stripe: WatchedStripe, order: str, status: int = 200, **more: Any) -> Any:
    return stripe.call("POST", "/v1/payment_intents", stripe_payment(order) | more, status=status)


def advance(stripe: WatchedStripe, days: int) -> None:
    clock = stripe.running.gateway.mock_clock
    stripe.running.thread.call(lambda: clock.advance(days * DAY))


def test_payments_and_what_becomes_of_them(stripe: WatchedStripe) -> None:
    asked = stripe_payment("paid") | {"expand[]": "latest_charge.balance_transaction"}
    paid = stripe.call("POST", "/v1/payment_intents", asked)
    charge = paid["latest_charge"]["id"]
    stripe.call("GET", f"/v1/charges/{charge}", {"expand[]": "payment_intent"})
    back = stripe.call("POST", "/v1/refunds", {"charge": charge, "amount": 290, "reason": "duplicate"})
    stripe.call("GET", f"/v1/refunds/{back['id']}", {"expand[]": "balance_transaction"})
    stripe.call("GET", f"/v1/balance_transactions/{back['balance_transaction']}", {"expand[]": "source"})
    made = stripe.call("POST", "/v1/payment_intents", {"amount": 500, "currency": "usd", "description": "d"})
    stripe.call("POST", f"/v1/payment_intents/{made['id']}/confirm", {"payment_method": "pm_card_visa"})
    for verb in ("capture", "cancel"):
        held = pay(stripe, verb, capture_method="manual")
        stripe.call("POST", f"/v1/payment_intents/{held['id']}/{verb}")
        stripe.call("GET", f"/v1/payment_intents/{held['id']}")
    stripe.call("GET", "/v1/balance")


def test_every_card(stripe: WatchedStripe) -> None:
    statuses = set()
    for name in NAMES:
        form = urlencode(stripe_payment(name, name)).encode()
        connection = stripe.running.connection()
        connection.request("POST", "/v1/payment_intents", form, stripe.headers)
        with connection.getresponse() as response:
            statuses.add(response.status)
            response.read()
            status = response.status
        pay(stripe, name, status=status, payment_method=name)
    assert statuses == {200, 402}


def test_authentication_and_debits(stripe: WatchedStripe) -> None:
    asked = pay(
        stripe,
        "3ds",
        payment_method="pm_card_threeDSecure2Required",
        return_url="https://shop.example.test/",
    )
    assert asked["next_action"]["type"] == "redirect_to_url"
    debit = {
        "payment_method_data[type]": "sepa_debit",
        "payment_method_data[sepa_debit][iban]": "DE89370400440532013000",
        "payment_method_data[billing_details][name]": "Ada Byron",
        "payment_method_data[billing_details][email]": "ada@example.test",
        "payment_method_types[]": "sepa_debit",
        "mandate_data[customer_acceptance][type]": "offline",
        "expand[]": "latest_charge",
    }
    parameters = {name: value for name, value in stripe_payment("debit").items() if name != "payment_method"}
    sent = stripe.call("POST", "/v1/payment_intents", parameters | debit)
    assert sent["status"] == "processing"
    stripe.call("GET", f"/v1/payment_methods/{sent['payment_method']}")


def test_customers_and_their_payment_methods(stripe: WatchedStripe) -> None:
    person = {"email": "ada@example.test", "name": "Ada Byron", "description": "d", "metadata[k]": "v"}
    customer = stripe.call("POST", "/v1/customers", person)["id"]
    stripe.call("GET", f"/v1/customers/{customer}")
    stripe.call("POST", f"/v1/customers/{customer}", {"name": "Ada King"})
    card = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": 12, "card[exp_year]": 2030}
    method = stripe.call("POST", "/v1/payment_methods", card | {"card[cvc]": "123"})["id"]
    stripe.call("POST", f"/v1/payment_methods/{method}/attach", {"customer": customer})
    stripe.call("GET", "/v1/payment_methods", {"customer": customer})
    stripe.call("GET", f"/v1/customers/{customer}/payment_methods")
    pay(stripe, "customer", customer=customer, payment_method=method)
    stripe.call("POST", f"/v1/payment_methods/{method}/detach")
    stripe.call("DELETE", f"/v1/customers/{customer}")


def test_disputes(stripe: WatchedStripe) -> None:
    pay(stripe, "disputed", payment_method="pm_card_createDispute")
    advance(stripe, 1)
    row = stripe.call("GET", "/v1/disputes")["data"][0]
    path = f"/v1/disputes/{row['id']}"
    stripe.call("GET", path)
    stripe.call("POST", path, {"evidence[uncategorized_text]": "winning_evidence", "submit": "true"})
    stripe.call("POST", f"{path}/close")


def test_payouts(stripe: WatchedStripe) -> None:
    pay(stripe, "paid out")
    advance(stripe, 10)
    payout = stripe.call("GET", "/v1/payouts")["data"][0]["id"]
    stripe.call("GET", f"/v1/payouts/{payout}")
    items = stripe.call("GET", "/v1/balance_transactions", {"payout": payout, "limit": 100})
    assert items["data"]


def test_webhook_endpoints(stripe: WatchedStripe) -> None:
    asked = {"url": "http://127.0.0.1:9/hooks", "enabled_events[]": "*", "description": "d"}
    made = stripe.call("POST", "/v1/webhook_endpoints", asked)["id"]
    stripe.call("GET", "/v1/webhook_endpoints")
    stripe.call("GET", f"/v1/webhook_endpoints/{made}")
    stripe.call("POST", f"/v1/webhook_endpoints/{made}", {"disabled": "true"})
    stripe.call("DELETE", f"/v1/webhook_endpoints/{made}")


def test_errors(stripe: WatchedStripe) -> None:
    stripe.call("GET", "/v1/payment_intents/pi_none", status=404)
    stripe.call("GET", "/v1/nothing", status=404)
    stripe.call("POST", "/v1/payment_intents", {"amount": -1, "currency": "eur"}, status=400)
    stripe.call("POST", "/v1/payment_intents", {"amount": 1, "colour": "red"}, status=400)
    stripe.send("GET", "/v1/balance", status=401, authorization="")


def test_lists_and_events(stripe: WatchedStripe) -> None:
    kinds = (
        "payment_intents",
        "charges",
        "refunds",
        "balance_transactions",
        "disputes",
        "payouts",
        "customers",
    )
    for kind in kinds:
        stripe.call("GET", f"/v1/{kind}", {"limit": 100})
    stripe.call("GET", "/v1/payment_intents/search", {"query": "metadata['order_id']:'paid'"})
    told = set()
    for event in stripe.call("GET", "/v1/events", {"limit": 100})["data"]:
        told.add(event["type"])
        stripe.hold("event", event["type"], 200, event["data"]["object"])
        stripe.call("GET", f"/v1/events/{event['id']}")
    assert len(told) >= 8, told


def test_says_which_properties_were_checked(stripe: WatchedStripe) -> None:
    (facts,) = stripe.facts
    print(f"\n{facts.table()}")
    assert unchecked("stripe", facts) == {}
    assert set(OBJECTS) <= set(facts.checked)
    assert stripe.used == set(DEVIATIONS), "every deviation is one that still exists"
