"""Disputes through Stripe's own SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from mocks.gateways.stripe.disputes import evidence_of, fee_of
from mocks.gateways.stripe.errors import StripeError
from tests.mocks.running import Running
from tests.mocks_stripe_money.sdk import DAY, advance, kinds, moved, pay


def disputed(
    client: stripe.StripeClient, running: Running, card: str = "pm_card_createDispute", **more: Any
) -> stripe.Dispute:
    """A payment that is disputed, and the dispute."""
    intent = pay(client, card, **more)
    advance(running, 2)
    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    return dispute


def answered(client: stripe.StripeClient, dispute: stripe.Dispute, said: str) -> stripe.Dispute:
    return client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": said}})


def test_a_dispute_takes_the_amount_and_a_fee(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "pm_card_createDispute", expand=["latest_charge"])
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge) and not charge.disputed and intent.status == "succeeded"
    assert client.v1.disputes.list().data == []
    advance(running, 2)
    (dispute,) = client.v1.disputes.list({"charge": charge.id}).data
    assert (dispute.amount, dispute.currency, dispute.reason) == (1290, "eur", "fraudulent")
    assert (dispute.status, dispute.is_charge_refundable) == ("needs_response", False)
    assert (dispute.charge, dispute.payment_intent) == (charge.id, intent.id)
    assert dispute.id.startswith("du_") and client.v1.charges.retrieve(charge.id).disputed
    details = dispute.payment_method_details
    assert details is not None and details.card is not None
    assert (details.card.case_type, details.card.network_reason_code) == ("chargeback", "10.4")
    assert dispute.evidence_details.due_by is not None
    assert dispute.evidence_details.due_by % DAY == DAY - 1
    assert 8 * DAY <= dispute.evidence_details.due_by - dispute.created < 9 * DAY
    (line,) = dispute.balance_transactions
    assert (line.type, line.reporting_category, line.source) == ("adjustment", "dispute", dispute.id)
    assert (line.amount, line.fee, line.net) == (-1290, 1500, -2790)
    assert [fee.description for fee in line.fee_details] == ["Dispute fee"]
    assert client.v1.balance_transactions.retrieve(line.id, {"expand": ["source"]}).source["object"] == (  # type: ignore[index]
        "dispute"
    )
    assert moved(running) == [("capture", 1290), ("dispute", 1290)]
    assert [m.parent for m in running.movements] == ["", intent.id]
    assert kinds(client)[-3:] == [
        "payment_intent.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]
    whole = client.v1.disputes.retrieve(dispute.id, {"expand": ["charge", "payment_intent"]})
    assert isinstance(whole.charge, stripe.Charge) and isinstance(whole.payment_intent, stripe.PaymentIntent)


def test_winning_evidence_brings_the_money_back_and_refunds_are_possible_again(
    client: stripe.StripeClient, running: Running
) -> None:
    dispute = disputed(client, running)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"charge": str(dispute.charge)})
    assert (caught.value.http_status, caught.value.code) == (400, "charge_disputed")
    staged = client.v1.disputes.update(
        dispute.id, {"evidence": {"product_description": "a hat"}, "submit": False, "metadata": {"a": "b"}}
    )
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    assert staged.evidence_details.has_evidence and staged.metadata["a"] == "b"
    sent = answered(client, dispute, "winning_evidence")
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert sent.evidence.product_description == "a hat"
    advance(running, 6)
    won = client.v1.disputes.retrieve(dispute.id)
    assert (won.status, won.is_charge_refundable) == ("won", True)
    out, back = won.balance_transactions
    assert (back.reporting_category, back.amount, back.fee, back.net) == ("dispute_reversal", 1290, 0, 1290)
    assert out.id != back.id and client.v1.balance_transactions.retrieve(back.id).amount == 1290
    assert moved(running, "dispute") == [("dispute", 1290), ("dispute", -1290)]
    assert client.v1.charges.retrieve(str(dispute.charge)).disputed
    assert client.v1.refunds.create({"charge": str(dispute.charge), "amount": 290}).status == "succeeded"
    assert kinds(client, "charge.dispute.*") == [
        f"charge.dispute.{what}"
        for what in ("created", "funds_withdrawn", "updated", "updated", "funds_reinstated", "closed")
    ]
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        answered(client, dispute, "x")
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        client.v1.disputes.close(dispute.id)


@pytest.mark.parametrize("how", ["losing_evidence", "close", "deadline"])
def test_a_lost_dispute_stays_lost(client: stripe.StripeClient, running: Running, how: str) -> None:
    dispute = disputed(client, running, "pm_card_createDisputeProductNotReceived")
    assert dispute.reason == "product_not_received"
    if how == "close":
        assert client.v1.disputes.close(dispute.id).status == "lost"
    elif how == "deadline":
        advance(running, (dispute.evidence_details.due_by or 0) - dispute.created - 60)
        assert client.v1.disputes.retrieve(dispute.id).status == "needs_response"
        advance(running, 120)
        assert client.v1.disputes.retrieve(dispute.id).evidence_details.past_due
    else:
        assert answered(client, dispute, how).status == "under_review"
        advance(running, 6)
    lost = client.v1.disputes.retrieve(dispute.id)
    assert (lost.status, lost.is_charge_refundable, len(lost.balance_transactions)) == ("lost", False, 1)
    assert moved(running, "dispute") == [("dispute", 1290)]
    assert kinds(client, "charge.dispute.*")[-1] == "charge.dispute.closed"
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        client.v1.refunds.create({"charge": str(dispute.charge)})


def test_evidence_that_decides_nothing_is_reviewed_past_the_deadline(
    client: stripe.StripeClient, running: Running
) -> None:
    dispute = disputed(client, running)
    answered(client, dispute, "she wore it")
    advance(running, 30 * DAY)
    assert client.v1.disputes.retrieve(dispute.id).status == "under_review"


def test_an_inquiry_moves_nothing_until_it_is_escalated(
    client: stripe.StripeClient, running: Running
) -> None:
    inquiry = disputed(client, running, "pm_card_createDisputeInquiry")
    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert inquiry.balance_transactions == [] and moved(running) == [("capture", 1290)]
    assert kinds(client, "charge.dispute.*") == ["charge.dispute.created"]
    refund = client.v1.refunds.create({"charge": str(inquiry.charge), "amount": 290})
    assert answered(client, inquiry, "escalate_inquiry_evidence").status == "warning_under_review"
    advance(running, 6)
    dispute = client.v1.disputes.retrieve(inquiry.id)
    assert (dispute.status, dispute.amount) == ("needs_response", 1290)
    assert [line.amount for line in dispute.balance_transactions] == [-1290]
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "charge_for_pending_refund_disputed")
    assert moved(running)[1:] == [("refund", 290), ("refund", -290), ("dispute", 1290)]
    advance(running, 10 * DAY)
    assert client.v1.disputes.retrieve(inquiry.id).status == "lost"


@pytest.mark.parametrize("how", ["losing_evidence", "close", "time"])
def test_an_inquiry_that_is_not_escalated_closes_without_a_movement(
    client: stripe.StripeClient, running: Running, how: str
) -> None:
    inquiry = disputed(client, running, "pm_card_createDisputeInquiry")
    if how == "close":
        client.v1.disputes.close(inquiry.id)
    elif how == "time":
        advance(running, 119 * DAY)
        assert client.v1.disputes.retrieve(inquiry.id).status == "warning_needs_response"
        advance(running, DAY)
    else:
        answered(client, inquiry, how)
        advance(running, 6)
    assert client.v1.disputes.retrieve(inquiry.id).status == "warning_closed"
    assert moved(running, "dispute") == []


def test_only_what_is_captured_and_not_refunded_is_disputed(
    client: stripe.StripeClient, running: Running
) -> None:
    held = pay(client, "pm_card_createDispute", capture_method="manual")
    advance(running, 2)
    assert client.v1.disputes.list().data == []
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1000})
    client.v1.refunds.create({"payment_intent": held.id, "amount": 200})
    refunded = pay(client, "pm_card_createDispute")
    client.v1.refunds.create({"payment_intent": refunded.id})
    advance(running, 2)
    assert [(d.payment_intent, d.amount) for d in client.v1.disputes.list().data] == [(held.id, 800)]


def test_disputes_are_listed_page_by_page(client: stripe.StripeClient, running: Running) -> None:
    intents = [pay(client, "pm_card_createDispute", amount=500 + n).id for n in range(7)]
    advance(running, 2)
    found = [d.payment_intent for d in client.v1.disputes.list({"limit": 3}).auto_paging_iter()]
    assert found == intents[::-1]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.disputes.retrieve("du_none")
    assert (caught.value.http_status, caught.value.param) == (404, "dispute")


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ({"hat": "x"}, "parameter_unknown"),
        ({"receipt": "file_1"}, "resource_missing"),
        ({"customer_name": {"a": "b"}}, None),
        ({"customer_name": "x" * 20_001}, None),
        (dict.fromkeys(list("abcdefgh"), "x" * 19000), "parameter_unknown"),
        ("text", None),
    ],
)
def test_evidence_that_is_none(evidence: Any, code: str | None) -> None:
    with pytest.raises(StripeError) as caught:
        evidence_of({"evidence": evidence})
    assert caught.value.status == 400 and caught.value.error.get("code") == code


def test_the_fee_is_fifteen_of_a_currency() -> None:
    assert (fee_of("eur"), fee_of("jpy"), fee_of("kwd")) == (1500, 1500, 15_000)


def test_an_early_fraud_warning_moves_nothing(client: stripe.StripeClient, running: Running) -> None:
    intents = [pay(client, "pm_card_createIssuerFraudRecord") for _ in range(3)]
    advance(running, 2)
    warnings = client.v1.radar.early_fraud_warnings
    rows = list(warnings.list({"limit": 2}).auto_paging_iter())
    assert [row.payment_intent for row in rows] == [intent.id for intent in intents][::-1]
    assert all(row.actionable for row in rows) and moved(running) == [("capture", 1290)] * 3
    client.v1.refunds.create({"payment_intent": intents[0].id})
    (warning,) = warnings.list({"payment_intent": intents[0].id}).data
    whole = warnings.retrieve(warning.id, {"expand": ["charge"]})
    assert not whole.actionable and isinstance(whole.charge, stripe.Charge) and not whole.charge.disputed
    assert kinds(client, "radar.*") == ["radar.early_fraud_warning.created"] * 3
    for name in ("issfr_none", ""):
        with pytest.raises((stripe.InvalidRequestError, ValueError)):
            warnings.retrieve(name)


def test_a_disputed_debit_is_lost_at_once(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(
        client,
        "pm_disputed_de",
        payment_method_types=["sepa_debit"],
        mandate_data={"customer_acceptance": {"type": "offline"}},
    )
    assert intent.status == "processing"
    advance(running, 6 * DAY)
    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason) == ("lost", "debit_not_authorized")
    assert dispute.payment_method_details is None and not dispute.is_charge_refundable
    assert moved(running, "dispute") == [("dispute", 1290)]
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        answered(client, dispute, "winning_evidence")
