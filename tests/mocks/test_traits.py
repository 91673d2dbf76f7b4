"""What requests say of a payment, as the scope of a fault asks it, over real sockets."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mocks.faults import FaultPlan
from mocks.faults.matcher import NOTHING, Traits
from mocks.gateways import GATEWAYS
from tests.mocks.running import Running, adyen_call, adyen_payment, stripe_call, stripe_payment

LONG = 3600 * 10**9


@pytest.mark.parametrize(
    ("gateway", "body", "traits"),
    [
        ("stripe", "amount=1&currency=eur&payment_method=pm_card_visa", Traits("EUR", "42424242", "card")),
        (
            "stripe",
            "currency=usd&payment_method=pm_card_applePayVisa",
            Traits("USD", "42424242", "apple_pay"),
        ),
        ("stripe", "currency=eur&payment_method=pm_success_de", Traits("EUR", "", "bank_debit")),
        ("stripe", "currency=eur&payment_method=pm_1234", Traits("EUR")),
        (
            "stripe",
            "currency=eur&payment_method_data[type]=card&payment_method_data[card][number]=4000 0000 0000 0002",
            Traits("EUR", "40000000", "card"),
        ),
        (
            "stripe",
            "payment_method_data[type]=card&payment_method_data[card][token]=tok_mastercard",
            Traits("", "55555555", "card"),
        ),
        ("stripe", "metadata[a]=b", NOTHING),
        (
            "adyen",
            {
                "amount": {"currency": "eur", "value": 1},
                "paymentMethod": {"type": "scheme", "encryptedCardNumber": "test_4111111145551142"},
            },
            Traits("EUR", "41111111", "card"),
        ),
        (
            "adyen",
            {"paymentMethod": {"type": "applepay", "applePayToken": "test_5555444433331111"}},
            Traits("", "55554444", "apple_pay"),
        ),
        ("adyen", {"paymentMethod": {"type": "sepadirectdebit"}}, Traits("", "", "bank_debit")),
        ("adyen", {"amount": {"currency": "USD", "value": 1}}, Traits("USD")),
        (
            "paypal",
            {"purchase_units": [{"amount": {"currency_code": "EUR"}}]},
            Traits("EUR", "", "paypal"),
        ),
        (
            "paypal",
            {
                "purchase_units": [{"amount": {"currency_code": "GBP"}}],
                "payment_source": {"card": {"number": "4111111111111111"}},
            },
            Traits("GBP", "41111111", "card"),
        ),
        ("paypal", {"amount": {"currency_code": "EUR"}}, Traits("EUR")),
        ("gocardless", {"payments": {"currency": "GBP"}}, Traits("GBP", "", "bank_debit")),
    ],
)
def test_what_a_body_says(gateway: str, body: Any, traits: Traits) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    assert GATEWAYS[gateway].traits_of(data) == traits


def only(**match: Any) -> FaultPlan:
    return FaultPlan("f1", "http_error", 0, LONG, match=match)


def test_a_fault_on_a_card_range_leaves_other_cards_alone() -> None:
    with Running("stripe", faults=(only(card="4000..4099"),)) as running:
        connection = running.connection()
        for number, status in (
            ("5555555555554444", 200),
            ("4000000000003055", 503),
            ("4242424242424242", 200),
        ):
            payment = {
                **stripe_payment(),
                "payment_method_data[type]": "card",
                "payment_method_data[card][number]": number,
                "payment_method_data[card][exp_month]": 1,
                "payment_method_data[card][exp_year]": 2040,
            }
            del payment["payment_method"]
            assert stripe_call(connection, "POST", "/v1/payment_intents", payment)[0] == status


def test_a_confirmation_is_in_the_currency_of_its_payment() -> None:
    with Running("stripe", faults=(only(currency="usd", endpoint="payment_intents.confirm"),)) as running:
        connection = running.connection()
        for currency, status in (("usd", 503), ("eur", 200)):
            payment = {**stripe_payment(), "confirm": "false", "currency": currency}
            made = stripe_call(connection, "POST", "/v1/payment_intents", payment)
            assert made[0] == 200
            path = f"/v1/payment_intents/{made[2]['id']}/confirm"
            assert stripe_call(connection, "POST", path)[0] == status


def test_a_paypal_capture_is_in_the_currency_of_its_order() -> None:
    with Running("paypal", faults=(only(currency="USD", endpoint="orders.capture"),)) as running:
        connection = running.connection()

        def call(path: str, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
            data = body if isinstance(body, str) else json.dumps(body)
            connection.request("POST", path, data, {"Content-Type": "application/json", **headers})
            with connection.getresponse() as response:
                return response.status, json.loads(response.read())

        basic = f"Basic {base64.b64encode(b'a:b').decode()}"
        form = {"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded"}
        token = call("/v1/oauth2/token", "grant_type=client_credentials", **form)[1]["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        for currency, status in (("USD", 503), ("EUR", 422)):  # 422: nobody has approved it
            amount = {"currency_code": currency, "value": "5.00"}
            order = {"intent": "CAPTURE", "purchase_units": [{"amount": amount}]}
            made = call("/v2/checkout/orders", order, **bearer)
            assert made[0] == 201
            assert call(f"/v2/checkout/orders/{made[1]['id']}/capture", "", **bearer)[0] == status


def test_a_body_that_cannot_be_read_has_no_traits() -> None:
    with Running("adyen", faults=(only(payment_method="card"),)) as running:
        connection = running.connection()
        for body in (b"{", b"[]", b'"x"', b'{"paymentMethod": 3}'):
            assert adyen_call(connection, "/v72/payments", body)[0] in (400, 403, 422)
        assert adyen_call(connection, "/v72/payments", adyen_payment())[0] == 503
        assert running.requests[-1].fault == "http_error"


def test_no_body_is_read_unless_a_condition_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    with Running("stripe", faults=(only(endpoint="refunds.create", currency="EUR"),)) as running:
        asked: list[object] = []

        def traits(call: object) -> Traits:
            asked.append(call)
            return NOTHING

        monkeypatch.setattr(running.gateway, "traits", traits)
        connection = running.connection()
        assert stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment())[0] == 200
        assert asked == []
        stripe_call(connection, "POST", "/v1/refunds", {"payment_intent": "pi_1"})
        assert len(asked) == 1
