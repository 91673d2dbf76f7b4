"""PaymentMethods of customers, and payments by them, through Stripe's own SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from mocks.gateways.stripe import cards, sepa_debit
from tests.mocks.running import Running
from tests.mocks_stripe_methods.sdk import moved, pay, refusal, told

CARD: Any = {
    "type": "card",
    "card": {"number": "5555555555554444", "exp_month": 3, "exp_year": 2031, "cvc": "123"},
    "billing_details": {"name": "Jo", "address": {"city": "Bremen"}},
}
IBAN: Any = {
    "type": "sepa_debit",
    "sepa_debit": {"iban": "DE89 3704 0044 0532 0130 00"},
    "billing_details": {"name": "Jo", "email": "jo@example.test"},
}


def test_a_card_by_its_number(client: stripe.StripeClient) -> None:
    method = client.v1.payment_methods.create(CARD)
    assert method.type == "card" and method.card is not None and method.customer is None
    card = method.card
    assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("mastercard", "4444", 3, 2031)
    assert card.wallet is None
    assert method.billing_details.name == "Jo"
    assert method.billing_details.address is not None and method.billing_details.address.city == "Bremen"
    assert client.v1.payment_methods.retrieve(method.id).to_dict() == method.to_dict()


def test_a_bank_account_by_its_iban(client: stripe.StripeClient) -> None:
    method = client.v1.payment_methods.create(IBAN)
    account = method.sepa_debit
    assert account is not None
    assert (account.country, account.bank_code, account.last4) == ("DE", "37040044", "3000")
    assert "DE89" not in str(method)


@pytest.mark.parametrize("name", ["tok_visa", "tok_chargeDeclined", "tok_threeDSecure2Required"])
def test_tokens(client: stripe.StripeClient, name: str) -> None:
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": name}})
    card = cards.by_name(name.replace("tok_", "pm_card_"))
    assert method.card is not None and card is not None and method.card.last4 == card.last4


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({}, "type", "parameter_missing"),
        ({"type": "klarna"}, "type", None),
        ({"type": "card"}, "card", "parameter_missing"),
        ({"type": "card", "card": {"token": "tok_none"}}, "card[token]", "resource_missing"),
        (IBAN | {"billing_details": {"name": "Jo"}}, "billing_details[email]", "parameter_missing"),
        (IBAN | {"billing_details": {"shoe": "44"}}, "billing_details[shoe]", "parameter_unknown"),
        (IBAN | {"sepa_debit": {"iban": "DE89"}}, "sepa_debit[iban]", "account_number_invalid"),
        (
            IBAN | {"sepa_debit": {"iban": "DE88370400440532013000"}},
            "sepa_debit[iban]",
            "account_number_invalid",
        ),
        (
            IBAN | {"sepa_debit": {"iban": "GB33BUKB20201555555555"}},
            "sepa_debit[iban]",
            "account_number_invalid",
        ),
    ],
)
def test_what_is_no_method(
    client: stripe.StripeClient, parameters: Any, param: str, code: str | None
) -> None:
    error = refusal(lambda: client.v1.payment_methods.create(parameters), stripe.InvalidRequestError)
    assert (error["param"], error.get("code")) == (param, code)


def test_published_ibans_are_ibans() -> None:
    ibans = [iban for group in sepa_debit._IBANS.values() for iban in group]
    assert len(set(ibans)) == len(ibans) == 24
    wrong = [iban for iban in ibans if not sepa_debit.is_iban(iban)]
    assert wrong == []
    assert not sepa_debit.is_iban("DE88370400440532013000")


def test_attach_update_detach(client: stripe.StripeClient, running: Running) -> None:
    customer, other = (client.v1.customers.create({}).id for _ in range(2))
    method = client.v1.payment_methods.create(CARD)
    update: Any = {
        "card": {"exp_year": 2040},
        "metadata": {"a": "1"},
        "billing_details": {"email": "jo@example.test"},
    }
    error = refusal(lambda: client.v1.payment_methods.update(method.id, update), stripe.InvalidRequestError)
    assert "save this PaymentMethod" in error["message"]
    attached = client.v1.payment_methods.attach(method.id, {"customer": customer})
    assert attached.id == method.id and attached.customer == customer
    refusal(
        lambda: client.v1.payment_methods.attach(method.id, {"customer": other}), stripe.InvalidRequestError
    )
    updated = client.v1.payment_methods.update(method.id, update)
    assert updated.card is not None and (updated.card.exp_month, updated.card.exp_year) == (3, 2040)
    assert (updated.billing_details.name, updated.billing_details.email) == ("Jo", "jo@example.test")
    refusal(
        lambda: client.v1.payment_methods.update(method.id, {"card": {"exp_month": 13}}), stripe.CardError
    )
    assert client.v1.payment_methods.detach(method.id).customer is None
    refusal(lambda: client.v1.payment_methods.detach(method.id), stripe.InvalidRequestError)
    error = refusal(
        lambda: client.v1.payment_methods.attach(method.id, {"customer": customer}),
        stripe.InvalidRequestError,
    )
    assert "may not be used again" in error["message"]
    assert [kind for kind, _ in told(running, method.id)] == [
        "payment_method.attached",
        "payment_method.updated",
        "payment_method.detached",
    ]


def test_methods_are_listed_by_customer_and_type(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({}).id
    made = [
        client.v1.payment_methods.attach(name, {"customer": customer}).id
        for name in ("pm_card_visa", "pm_card_amex", "pm_success_de", "pm_card_jcb")
    ]
    page = client.v1.payment_methods.list({"customer": customer, "limit": 2})
    assert [row.id for row in page.auto_paging_iter()] == made[::-1]
    debits = client.v1.customers.payment_methods.list(customer, {"type": "sepa_debit"})
    assert [row.id for row in debits.data] == [made[2]]
    error = refusal(
        lambda: client.v1.payment_methods.list({"customer": "cus_none"}), stripe.InvalidRequestError
    )
    assert error["code"] == "resource_missing"


def test_no_such_method(client: stripe.StripeClient) -> None:
    error = refusal(lambda: client.v1.payment_methods.retrieve("pm_none"), stripe.InvalidRequestError)
    assert (error["code"], error["message"]) == ("resource_missing", "No such PaymentMethod: 'pm_none'")
    error = refusal(lambda: pay(client, "none", "pm_none"), stripe.InvalidRequestError)
    assert (error["code"], error["param"]) == ("resource_missing", "payment_method")


def test_declined_cards_are_not_attached_but_one(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({}).id
    error = refusal(
        lambda: client.v1.payment_methods.attach(
            "pm_card_chargeDeclinedInsufficientFunds", {"customer": customer}
        ),
        stripe.CardError,
    )
    assert error["decline_code"] == "insufficient_funds"
    assert client.v1.payment_methods.list({"customer": customer}).data == []
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    error = refusal(lambda: pay(client, "fails", method.id, customer=customer), stripe.CardError)
    assert (error["code"], error["payment_method"]["id"]) == ("card_declined", method.id)
    # It stays the customer's.
    assert client.v1.payment_methods.retrieve(method.id).customer == customer


@pytest.mark.parametrize("number", ["4000008260003178", "4000008400001629"])
def test_cards_that_are_declined_once_authenticated_can_be_attached(
    client: stripe.StripeClient, number: str
) -> None:
    customer = client.v1.customers.create({}).id
    method = client.v1.payment_methods.create(
        {"type": "card", "card": {"number": number, "exp_month": 1, "exp_year": 2034}}
    )
    assert client.v1.payment_methods.attach(method.id, {"customer": customer}).customer == customer


def test_payments_by_a_saved_method(client: stripe.StripeClient, running: Running) -> None:
    customer, other = (client.v1.customers.create({}).id for _ in range(2))
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    for off_session in (False, True):
        intent = pay(client, "saved", method, customer=customer, off_session=off_session)
        assert (intent.status, intent.payment_method, intent.customer) == ("succeeded", method, customer)
    assert moved(running, "saved") == [("capture", 1290), ("capture", 1290)]
    alone = refusal(lambda: pay(client, "alone", method), stripe.InvalidRequestError)
    assert (alone["code"], alone["param"]) == ("parameter_missing", "source")
    wrong = refusal(lambda: pay(client, "wrong", method, customer=other), stripe.InvalidRequestError)
    assert f"does not belong to the Customer you supplied {other}" in wrong["message"]
    assert wrong["payment_intent"]["status"] != "succeeded"
    assert moved(running, "alone") == moved(running, "wrong") == []


def test_an_unattached_method_is_used_once(client: stripe.StripeClient, running: Running) -> None:
    customer = client.v1.customers.create({}).id
    method = client.v1.payment_methods.create(CARD).id
    assert pay(client, "once", method, customer=customer).status == "succeeded"
    error = refusal(lambda: pay(client, "once", method, customer=customer), stripe.InvalidRequestError)
    assert "previously used" in error["message"]
    refusal(
        lambda: client.v1.payment_methods.attach(method, {"customer": customer}), stripe.InvalidRequestError
    )
    assert moved(running, "once") == [("capture", 1290)]


def test_the_method_of_an_ordinary_payment_can_be_looked_at(client: stripe.StripeClient) -> None:
    intent = pay(client, "plain", "pm_card_amex", expand=["payment_method"])
    expanded = intent.payment_method
    assert expanded.card.brand == "amex"
    found = client.v1.payment_methods.retrieve(expanded.id)
    assert found.card is not None and found.card.brand == "amex"
    refusal(lambda: pay(client, "plain", found.id), stripe.InvalidRequestError)
    waiting = pay(client, "later", "pm_card_jcb", confirm=False)
    customer = client.v1.customers.create({}).id
    assert (
        client.v1.payment_methods.attach(waiting.payment_method, {"customer": customer}).customer == customer
    )
    # It belongs to a customer now, and the PaymentIntent names none.
    refusal(lambda: client.v1.payment_intents.confirm(waiting.id), stripe.InvalidRequestError)


@pytest.mark.parametrize("at", ["create", "confirm"])
def test_setup_future_usage_attaches_the_method(
    client: stripe.StripeClient, running: Running, at: str
) -> None:
    customer = client.v1.customers.create({}).id
    order = f"future-{at}"
    if at == "create":
        intent = pay(client, order, "pm_card_visa", customer=customer, setup_future_usage="off_session")
    else:
        waiting = pay(client, order, "pm_card_visa", customer=customer, confirm=False)
        intent = client.v1.payment_intents.confirm(waiting.id, {"setup_future_usage": "off_session"})
    assert (intent.status, intent.setup_future_usage) == ("succeeded", "off_session")
    created = told(running, intent.id)[0][1]
    assert created["setup_future_usage"] == ("off_session" if at == "create" else None)
    (method,) = client.v1.payment_methods.list({"customer": customer}).data
    assert method.id == intent.payment_method
    assert pay(client, order, method.id, customer=customer, off_session=True).status == "succeeded"
    assert [kind for kind, _ in told(running, method.id)] == ["payment_method.attached"]
    refusal(
        lambda: pay(client, order, "pm_card_visa", setup_future_usage="never"), stripe.InvalidRequestError
    )


WALLETS = [
    ("pm_card_applePayVisa", "apple_pay", "visa"),
    ("pm_card_applePayMastercard", "apple_pay", "mastercard"),
    ("pm_card_googlePayVisa", "google_pay", "visa"),
    ("pm_card_googlePayMastercard", "google_pay", "mastercard"),
]


@pytest.mark.parametrize(("name", "wallet", "brand"), WALLETS)
def test_wallets(client: stripe.StripeClient, running: Running, name: str, wallet: str, brand: str) -> None:
    by_name = pay(client, name, name, expand=["latest_charge", "payment_method"])
    token: Any = {"type": "card", "card": {"token": name.replace("pm_card_", "tok_")}}
    by_token = pay(client, name, payment_method_data=token, expand=["latest_charge", "payment_method"])
    for intent in (by_name, by_token):
        for card in (intent.payment_method.card, intent.latest_charge.payment_method_details.card):
            assert card.brand == brand
            assert card.wallet.type == wallet and card.wallet.dynamic_last4
            assert wallet in card.wallet.to_dict()
    assert moved(running, name) == [("capture", 1290)] * 2


@pytest.mark.parametrize("wallet", ["applePay", "googlePay"])
def test_a_declined_wallet(client: stripe.StripeClient, wallet: str) -> None:
    name = f"pm_card_{wallet}ChargeDeclinedInsufficientFunds"
    error = refusal(lambda: pay(client, name, name), stripe.CardError)
    assert error["decline_code"] == "insufficient_funds"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "eur", "amount_too_small"),
        (50, "eur", None),
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (50, "jpy", None),
        (99_999_999, "eur", None),
        (100_000_000, "eur", "amount_too_large"),
        (5120, "kwd", None),
        (5124, "kwd", "parameter_invalid_integer"),
        (5125, "kwd", "parameter_invalid_integer"),
        (500, "isk", None),
        (550, "isk", "parameter_invalid_integer"),
    ],
)
def test_amounts(client: stripe.StripeClient, amount: int, currency: str, code: str | None) -> None:
    parameters: Any = {"amount": amount, "currency": currency}
    if code is None:
        assert client.v1.payment_intents.create(parameters).amount == amount
    else:
        error = refusal(lambda: client.v1.payment_intents.create(parameters), stripe.InvalidRequestError)
        assert (error["code"], error["param"]) == (code, "amount")


def test_types(client: stripe.StripeClient, running: Running) -> None:
    for name in ("klarna", "barter"):
        error = refusal(
            lambda name=name: pay(client, "types", "pm_card_visa", payment_method_types=["card", name]),
            stripe.InvalidRequestError,
        )
        assert error["param"] == "payment_method_types" and name in error["message"]
    error = refusal(
        lambda: pay(client, "types", currency="usd", confirm=False, payment_method_types=["sepa_debit"]),
        stripe.InvalidRequestError,
    )
    assert error["param"] == "currency"
    error = refusal(
        lambda: pay(client, "types", "pm_card_visa", payment_method_types=["sepa_debit"]),
        stripe.InvalidRequestError,
    )
    assert error["code"] == "payment_intent_incompatible_payment_method"
    intent = pay(client, "types", confirm=False, payment_method_types=["sepa_debit", "card"])
    assert intent.payment_method_types == ["sepa_debit", "card"]
    assert moved(running, "types") == []
