"""Refunds through GoCardless' own SDK, and what payouts make of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gocardless_pro import errors  # type: ignore[import-untyped]

from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import client, events, mandate, moved, pay, refund, simulate


@pytest.fixture
def alone() -> Iterator[Running]:
    """A gateway on whose balance nobody else is."""
    with Running("gocardless") as running:
        yield running


def confirmed(sdk: Any, order: str, amount: int = 1290) -> Any:
    payment = pay(sdk, mandate(sdk).id, order, amount)
    simulate(sdk, "payment_confirmed", payment.id)
    return payment


def test_refunds_need_the_sum_confirmed_and_never_exceed_the_payment(sdk: Any, running: Running) -> None:
    payment = confirmed(sdk, "parts")
    first = refund(sdk, payment.id, 500)
    assert (first.status, first.amount, first.currency) == ("pending_submission", 500, "GBP")
    assert first.links.payment == payment.id
    assert running.requests[-1].order_id == "parts"
    with pytest.raises(errors.InvalidStateError) as refused:
        refund(sdk, payment.id, 300, total=300)
    assert refused.value.errors[0]["reason"] == "total_amount_confirmation_invalid"
    with pytest.raises(errors.ValidationFailedError) as too_much:
        refund(sdk, payment.id, 791, total=1291)
    assert too_much.value.errors[0]["field"] == "amount"
    refund(sdk, payment.id, 790, total=1290)
    assert sdk.payments.get(payment.id).amount_refunded == 1290
    assert moved(running, "parts") == [("capture", 1290), ("refund", 500), ("refund", 790)]
    assert [r.amount for r in sdk.refunds.all(params={"payment": payment.id})] == [790, 500]


def test_a_payment_that_has_not_come_cannot_be_refunded(sdk: Any, running: Running) -> None:
    payment = pay(sdk, mandate(sdk).id, "unpaid")
    with pytest.raises(errors.InvalidStateError) as refused:
        refund(sdk, payment.id, 100)
    assert refused.value.errors[0]["reason"] == "refund_payment_invalid_state"
    assert moved(running, "unpaid") == []


def test_a_payment_has_at_most_five_refunds(sdk: Any, running: Running) -> None:
    payment = confirmed(sdk, "five")
    for number in range(1, 6):
        refund(sdk, payment.id, 1, total=number)
    with pytest.raises(errors.InvalidStateError) as refused:
        refund(sdk, payment.id, 1, total=6)
    assert refused.value.errors[0]["reason"] == "number_of_refunds_exceeded"
    assert len(moved(running, "five")) == 6


@pytest.mark.parametrize(
    ("simulator", "status", "event"),
    [("refund_bounced", "bounced", "failed"), ("refund_returned", "funds_returned", "funds_returned")],
)
def test_a_refund_that_comes_back(alone: Running, simulator: str, status: str, event: str) -> None:
    sdk = client(alone)
    payment = confirmed(sdk, "back")
    given = refund(sdk, payment.id, 500)
    simulate(sdk, simulator, given.id)
    assert sdk.refunds.get(given.id).status == status
    assert sdk.payments.get(payment.id).amount_refunded == 0
    assert moved(alone, "back") == [("capture", 1290), ("refund", 500), ("refund", -500)]
    assert [action for _, action, _ in events(sdk, refund=given.id)] == ["created", event]
    with pytest.raises(errors.InvalidStateError):
        simulate(sdk, simulator, given.id)
    refund(sdk, payment.id, 1290)
    assert alone.gateway.ledger.refunded(payment.id) == 1290
    simulate(sdk, "payment_paid_out", payment.id)
    payout = sdk.payments.get(payment.id).links.payout
    types = {item.type for item in sdk.payout_items.all(params={"payout": payout})}
    assert types == {"payment_paid_out", "gocardless_fee"}, "the payment cannot bear its own full refund"


def test_a_settled_refund_is_paid_and_deducted(alone: Running) -> None:
    sdk = client(alone)
    payment = confirmed(sdk, "settled", 5000)
    given = refund(sdk, payment.id, 500)
    simulate(sdk, "refund_settled", given.id)
    assert sdk.refunds.get(given.id).status == "paid"
    assert sdk.payments.get(payment.id).status == "paid_out"
    payout = next(iter(sdk.payouts.all()))
    items = list(sdk.payout_items.all(params={"payout": payout.id}))
    assert [(item.type, item.amount) for item in items] == [
        ("payment_paid_out", "5000.0"),
        ("gocardless_fee", "-70.0"),
        ("payment_refunded", "-500.0"),
    ]
    assert payout.amount == 4430 and items[-1].links.refund == given.id
    assert [action for _, action, _ in events(sdk, refund=given.id)] == ["created", "refund_settled", "paid"]

    simulate(sdk, "refund_bounced", given.id)
    other = confirmed(sdk, "other", 1000)
    simulate(sdk, "payment_paid_out", other.id)
    second = next(iter(sdk.payouts.all()))
    types = [(i.type, i.amount) for i in sdk.payout_items.all(params={"payout": second.id})]
    assert ("refund_funds_returned", "500.0") in types and second.amount == 1000 - 30 + 500
    actions = [action for _, action, _ in events(sdk, refund=given.id)]
    assert actions == ["created", "refund_settled", "paid", "failed", "funds_returned"]


def test_a_payout_that_bounces(alone: Running) -> None:
    sdk = client(alone)
    payment = confirmed(sdk, "bounce")
    simulate(sdk, "payment_paid_out", payment.id)
    payout = next(iter(sdk.payouts.all()))
    simulate(sdk, "payout_bounced", payout.id)
    assert sdk.payouts.get(payout.id).status == "bounced"
    assert [m.amount_minor for m in alone.movements if m.kind == "payout"] == [1257, -1257]
    with pytest.raises(errors.InvalidStateError):
        simulate(sdk, "payout_bounced", payout.id)
