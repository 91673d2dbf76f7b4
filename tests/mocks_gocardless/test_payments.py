"""Payments, from the customer to the payout and back, through GoCardless' own SDK."""

from __future__ import annotations

import re
from typing import Any

import pytest
from gocardless_pro import errors  # type: ignore[import-untyped]

from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import client, events, mandate, moved, pay, simulate


def test_a_payment_is_collected_and_paid_out(sdk: Any, running: Running) -> None:
    agreed = mandate(sdk)
    assert sdk.mandates.get(agreed.id).status == "active" and agreed.scheme == "bacs"
    payment = pay(sdk, agreed.id, "whole")
    assert re.fullmatch(r"PM[A-Z0-9]{13}", payment.id)
    assert (payment.status, payment.amount, payment.currency) == ("pending_submission", 1290, "GBP")
    assert payment.links.mandate == agreed.id and payment.metadata == {"order_id": "whole"}
    assert moved(running, "whole") == []
    request = running.requests[-1]
    assert (request.endpoint, request.status, request.result) == ("payments.create", 201, "processing")
    assert request.order_id == "whole"

    simulate(sdk, "payment_confirmed", payment.id)
    assert sdk.payments.get(payment.id).status == "confirmed"
    assert moved(running, "whole") == [("capture", 1290)]
    movement = next(m for m in running.movements if m.order_id == "whole")
    assert (movement.gateway, movement.reference, movement.currency) == ("gocardless", payment.id, "GBP")

    simulate(sdk, "payment_paid_out", payment.id)
    paid = sdk.payments.get(payment.id)
    assert paid.status == "paid_out"
    payout = sdk.payouts.get(paid.links.payout)
    items = list(sdk.payout_items.all(params={"payout": payout.id}))
    assert [(item.type, item.amount) for item in items] == [
        ("payment_paid_out", "1290.0"),
        ("gocardless_fee", "-33.0"),
    ]
    assert payout.status == "paid" and payout.amount == sum(float(item.amount) for item in items) == 1257
    assert payout.deducted_fees == 33 and items[0].links.payment == payment.id
    assert moved(running, "whole") == [("capture", 1290)]
    assert [(m.kind, m.amount_minor) for m in running.movements if payout.id in (m.reference, m.parent)] == [
        ("fee", 33),
        ("payout", 1257),
    ]
    assert events(sdk, payment=payment.id) == [
        ("payments", "created", "payment_created"),
        ("payments", "submitted", "payment_submitted"),
        ("payments", "confirmed", "payment_confirmed"),
        ("payments", "paid_out", "payment_paid_out"),
    ]
    assert events(sdk, mandate=agreed.id) == [
        ("mandates", "created", "mandate_created"),
        ("mandates", "submitted", "mandate_submitted"),
        ("mandates", "active", "mandate_activated"),
    ]


def test_a_failed_payment_moves_nothing_and_can_be_retried(sdk: Any, running: Running) -> None:
    payment = pay(sdk, mandate(sdk).id, "fail")
    with pytest.raises(errors.InvalidStateError):
        sdk.payments.retry(payment.id)
    for _ in range(3):
        simulate(sdk, "payment_failed", payment.id)
        assert sdk.payments.get(payment.id).status == "failed" and moved(running, "fail") == []
        assert sdk.payments.retry(payment.id).status == "pending_submission"
    simulate(sdk, "payment_failed", payment.id)
    with pytest.raises(errors.InvalidStateError) as refused:
        sdk.payments.retry(payment.id)
    assert refused.value.errors[0]["reason"] == "retry_failed"
    failed = [e for e in events(sdk, payment=payment.id) if e[1] == "failed"]
    assert failed == [("payments", "failed", "refer_to_payer")] * 4


def test_a_retried_payment_is_collected(sdk: Any, running: Running) -> None:
    payment = pay(sdk, mandate(sdk).id, "again")
    simulate(sdk, "payment_failed", payment.id)
    sdk.payments.retry(payment.id)
    simulate(sdk, "payment_confirmed", payment.id)
    assert moved(running, "again") == [("capture", 1290)]


def test_a_cancelled_payment_is_never_collected(sdk: Any, running: Running) -> None:
    payment = pay(sdk, mandate(sdk).id, "cancel")
    assert sdk.payments.cancel(payment.id).status == "cancelled"
    with pytest.raises(errors.InvalidStateError) as refused:
        simulate(sdk, "payment_confirmed", payment.id)
    assert refused.value.code == 422
    with pytest.raises(errors.InvalidStateError) as refused:
        sdk.payments.cancel(payment.id)
    assert refused.value.errors[0]["reason"] == "cancellation_failed"
    assert moved(running, "cancel") == []


@pytest.mark.parametrize("simulator", ["payment_charged_back", "payment_late_failure"])
@pytest.mark.parametrize("first", ["", "payment_confirmed", "payment_paid_out"])
def test_money_that_is_fetched_back(sdk: Any, running: Running, simulator: str, first: str) -> None:
    order = f"{simulator}-{first}"
    payment = pay(sdk, mandate(sdk).id, order)
    if first:
        simulate(sdk, first, payment.id)
    simulate(sdk, simulator, payment.id)
    after = "charged_back" if simulator == "payment_charged_back" else "failed"
    assert sdk.payments.get(payment.id).status == after
    assert moved(running, order) == [("capture", 1290), ("dispute", 1290)]
    dispute = running.movements[-1]
    assert (dispute.kind, dispute.parent) == ("dispute", payment.id)
    with pytest.raises(errors.InvalidStateError):
        simulate(sdk, simulator, payment.id)


def test_a_settled_chargeback_is_deducted_from_a_payout() -> None:
    with Running("gocardless") as running:
        sdk = client(running)
        agreed = mandate(sdk)
        payment = pay(sdk, agreed.id, "back")
        with pytest.raises(errors.InvalidStateError):
            simulate(sdk, "payment_chargeback_settled", payment.id)
        assert sdk.payments.get(payment.id).status == "charged_back"
        other = pay(sdk, agreed.id, "other", amount=5000)
        simulate(sdk, "payment_paid_out", other.id)
        payout = sdk.payouts.get(sdk.payments.get(other.id).links.payout)
        items = list(sdk.payout_items.all(params={"payout": payout.id}))
        assert sorted((item.type, item.amount) for item in items) == [
            ("gocardless_fee", "-70.0"),
            ("gocardless_fee", "33.0"),
            ("payment_charged_back", "-1290.0"),
            ("payment_paid_out", "5000.0"),
        ]
        assert payout.amount == 5000 - 70 + 33 - 1290 and payout.deducted_fees == 37
        assert events(sdk, payment=payment.id)[-1] == ("payments", "chargeback_settled", "chargeback_settled")


def test_sepa_mandates_are_set_up_with_their_first_payment(sdk: Any, running: Running) -> None:
    agreed = mandate(sdk, "EUR")
    with pytest.raises(errors.InvalidStateError):
        simulate(sdk, "mandate_activated", agreed.id)
    payment = pay(sdk, agreed.id, "sepa", currency="EUR")
    simulate(sdk, "payment_failed", payment.id)
    failed = next(iter(sdk.events.all(params={"payment": payment.id, "action": "failed"})))
    assert (failed.details.cause, failed.details.scheme) == ("insufficient_funds", "sepa_core")
    assert failed.details.reason_code == "AM04" and failed.details.origin == "bank"
    second = pay(sdk, agreed.id, "sepa-2", currency="EUR")
    simulate(sdk, "payment_confirmed", second.id)
    assert sdk.mandates.get(agreed.id).status == "active"
    assert moved(running, "sepa-2") == [("capture", 1290)]


def test_a_bacs_payment_needs_an_active_mandate_to_go_on(sdk: Any, running: Running) -> None:
    agreed = mandate(sdk, active=False)
    payment = pay(sdk, agreed.id, "early")
    with pytest.raises(errors.InvalidStateError):
        simulate(sdk, "payment_confirmed", payment.id)
    assert moved(running, "early") == []


@pytest.mark.parametrize("end", ["cancel", "mandate_failed", "mandate_expired"])
def test_the_end_of_a_mandate_cancels_what_is_pending(sdk: Any, end: str) -> None:
    agreed = mandate(sdk, active=False)
    payment = pay(sdk, agreed.id, end)
    if end == "cancel":
        assert sdk.mandates.cancel(agreed.id).status == "cancelled"
    else:
        simulate(sdk, end, agreed.id)
    assert sdk.payments.get(payment.id).status == "cancelled"
    last = next(iter(sdk.events.all(params={"payment": payment.id})))
    parent = sdk.events.get(last.links.parent_event)
    assert last.action == "cancelled" and parent.links.mandate == agreed.id
    with pytest.raises(errors.InvalidStateError) as refused:
        pay(sdk, agreed.id, "too late")
    assert refused.value.errors[0]["reason"] == "mandate_is_inactive"
    with pytest.raises(errors.InvalidStateError):
        sdk.mandates.cancel(agreed.id)
