"""SEPA debits through Stripe's own SDK: money that comes days later, or does not."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from mocks.gateways.stripe.sepa_debit import DELAYED_S, USUAL_S
from tests.mocks.running import Running
from tests.mocks_stripe_methods.sdk import ACCEPTANCE, advance, moved, pay, refusal, told

DEBIT: Any = {"payment_method_types": ["sepa_debit"], "mandate_data": ACCEPTANCE}


def debit(client: stripe.StripeClient, order: str, iban: str, **more: Any) -> Any:
    method = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": iban},
        "billing_details": {"name": "Jo", "email": "jo@example.test"},
    }
    return pay(client, order, payment_method_data=method, **DEBIT | more)


@pytest.mark.parametrize(
    ("iban", "wait_s"), [("DE89370400440532013000", USUAL_S), ("DE08370400440532013003", DELAYED_S)]
)
def test_a_debit_that_succeeds(client: stripe.StripeClient, running: Running, iban: str, wait_s: int) -> None:
    intent = debit(client, iban, iban, expand=["latest_charge"])
    assert (intent.status, intent.amount_received) == ("processing", 0)
    assert running.requests[-1].result == "processing"
    charge = intent.latest_charge
    assert charge.id.startswith("py_")
    assert (charge.status, charge.paid, charge.captured, charge.balance_transaction) == (
        "pending",
        False,
        False,
        None,
    )
    details = charge.payment_method_details
    assert details.type == "sepa_debit" and details.sepa_debit.mandate.startswith("mandate_")
    assert (details.sepa_debit.country, details.sepa_debit.last4) == ("DE", iban[-4:])
    refusal(lambda: client.v1.payment_intents.cancel(intent.id), stripe.InvalidRequestError)
    refusal(lambda: client.v1.payment_intents.confirm(intent.id), stripe.InvalidRequestError)
    refusal(lambda: client.v1.refunds.create({"payment_intent": intent.id}), stripe.InvalidRequestError)
    advance(running, wait_s - 60)
    assert client.v1.payment_intents.retrieve(intent.id).status == "processing"
    assert moved(running, iban) == []
    advance(running, 61)
    after = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    assert (after.status, after.amount_received) == ("succeeded", 1290)
    settled: Any = after.latest_charge
    assert (settled.status, settled.paid, settled.amount_captured) == ("succeeded", True, 1290)
    assert settled.balance_transaction.net == 1290 - settled.balance_transaction.fee
    assert moved(running, iban) == [("capture", 1290)]
    events = told(running, intent.id)
    assert [(kind, body["status"]) for kind, body in events] == [
        ("payment_intent.created", "requires_payment_method"),
        ("charge.pending", "pending"),
        ("payment_intent.processing", "processing"),
        ("charge.succeeded", "succeeded"),
        ("payment_intent.succeeded", "succeeded"),
    ]
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 290})
    assert moved(running, iban) == [("capture", 1290), ("refund", 290)]


@pytest.mark.parametrize(
    ("iban", "wait_s", "code"),
    [
        ("DE62370400440532013001", USUAL_S, "payment_intent_payment_attempt_failed"),
        ("DE78370400440532013004", DELAYED_S, "payment_intent_payment_attempt_failed"),
        ("DE65370400440000343434", USUAL_S, "charge_exceeds_source_limit"),
        ("DE27370400440000121212", USUAL_S, "charge_exceeds_weekly_limit"),
        ("DE65370400440002222227", USUAL_S, "insufficient_funds"),
    ],
)
def test_a_debit_that_fails(
    client: stripe.StripeClient, running: Running, iban: str, wait_s: int, code: str
) -> None:
    intent = debit(client, iban, iban, expand=["latest_charge"])
    assert intent.status == "processing"
    assert (intent.latest_charge.status, intent.latest_charge.failure_code) == ("pending", None)
    advance(running, wait_s + 1)
    after = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (after.status, after.payment_method) == ("requires_payment_method", None)
    assert after.last_payment_error is not None and after.last_payment_error.code == code
    charge: Any = after.latest_charge
    assert (charge.status, charge.failure_code) == ("failed", code)
    assert moved(running, iban) == []
    assert [kind for kind, _ in told(running, intent.id)][-2:] == [
        "charge.failed",
        "payment_intent.payment_failed",
    ]
    other: Any = {"payment_method": "pm_success_de", "mandate_data": ACCEPTANCE}
    again = client.v1.payment_intents.confirm(intent.id, other)
    assert again.status == "processing"
    advance(running, USUAL_S + 1)
    assert moved(running, iban) == [("capture", 1290)]


def test_a_debit_that_is_disputed(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "disputed", "pm_disputed_de", **DEBIT)
    advance(running, USUAL_S + 3600)
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert moved(running, "disputed") == [("capture", 1290), ("dispute", 1290)]


def test_a_mandate_is_needed_and_kept_with_the_method(client: stripe.StripeClient, running: Running) -> None:
    error = refusal(
        lambda: pay(client, "mandate", "pm_success_de", payment_method_types=["sepa_debit"]),
        stripe.InvalidRequestError,
    )
    assert "mandate" in error["message"]
    customer = client.v1.customers.create({}).id
    first = pay(
        client, "mandate", "pm_success_de", customer=customer, setup_future_usage="off_session", **DEBIT
    )
    charges = client.v1.charges.list
    mandate = charges({"payment_intent": first.id}).data[0].payment_method_details
    later = pay(client, "mandate", first.payment_method, customer=customer, off_session=True)
    assert later.status == "processing" and later.payment_method_types == ["card", "sepa_debit"]
    again = charges({"payment_intent": later.id}).data[0].payment_method_details
    assert mandate is not None and again is not None
    assert mandate.sepa_debit is not None and again.sepa_debit is not None
    assert mandate.sepa_debit.mandate == again.sepa_debit.mandate
    advance(running, USUAL_S + 1)
    assert moved(running, "mandate") == [("capture", 1290)] * 2


@pytest.mark.parametrize(
    ("acceptance", "param"),
    [
        ({}, "mandate_data[customer_acceptance][type]"),
        ({"type": "spoken"}, "mandate_data[customer_acceptance][type]"),
        ({"type": "online"}, "mandate_data[customer_acceptance][online][ip_address]"),
        (
            {"type": "online", "online": {"ip_address": "127.0.0.1"}},
            "mandate_data[customer_acceptance][online][user_agent]",
        ),
    ],
)
def test_a_mandate_that_nobody_accepted(client: stripe.StripeClient, acceptance: Any, param: str) -> None:
    error = refusal(
        lambda: pay(
            client, "accept", "pm_success_de", mandate_data={"customer_acceptance": acceptance, "x": "1"}
        ),
        stripe.InvalidRequestError,
    )
    assert error["param"] == param


def test_only_euros_and_at_once(client: stripe.StripeClient, running: Running) -> None:
    error = refusal(
        lambda: pay(client, "usd", "pm_success_de", currency="usd", mandate_data=ACCEPTANCE),
        stripe.InvalidRequestError,
    )
    assert error["code"] == "payment_method_currency_mismatch"
    error = refusal(
        lambda: pay(client, "manual", "pm_success_de", capture_method="manual", **DEBIT),
        stripe.InvalidRequestError,
    )
    assert error["param"] == "capture_method"
    advance(running, USUAL_S + 1)
    assert moved(running, "usd") == moved(running, "manual") == []


def test_an_unattached_account_is_debited_once(client: stripe.StripeClient) -> None:
    intent = pay(client, "account", "pm_success_de", **DEBIT)
    error = refusal(
        lambda: pay(client, "account", intent.payment_method, **DEBIT), stripe.InvalidRequestError
    )
    assert "previously used" in error["message"]
