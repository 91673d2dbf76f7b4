"""Refunds that take their time or fail, through Stripe's own SDK."""

from __future__ import annotations

import pytest
import stripe

from tests.mocks.running import Running
from tests.mocks_stripe_money.sdk import advance, kinds, moved, pay


def test_a_refund_that_takes_its_time(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "pm_card_pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 290})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert moved(running) == [("capture", 1290), ("refund", 290)]
    advance(running, 11)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    events = client.v1.events.list({"type": "refund.*"}).data
    assert [(str(e.type), e.data.object["status"]) for e in events] == [
        ("refund.updated", "succeeded"),
        ("refund.created", "pending"),
    ]
    assert moved(running) == [("capture", 1290), ("refund", 290)]


def test_a_refund_that_fails_brings_its_money_back(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "pm_card_refundFail")
    charge = str(intent.latest_charge)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "metadata": {"why": "no hat"}})
    assert refund.status == "succeeded" and client.v1.charges.retrieve(charge).refunded
    advance(running, 11)
    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    line = failed.failure_balance_transaction
    assert isinstance(line, stripe.BalanceTransaction)
    assert (line.type, line.amount, line.fee, line.source) == ("refund_failure", 1290, 0, refund.id)
    assert line.id != refund.balance_transaction
    assert client.v1.balance_transactions.retrieve(line.id).net == 1290
    assert moved(running) == [("capture", 1290), ("refund", 1290), ("refund", -1290)]
    after = client.v1.charges.retrieve(charge)
    assert (after.refunded, after.amount_refunded) == (False, 0)
    assert kinds(client, "refund.*") == ["refund.created", "refund.failed", "refund.updated"]
    created = client.v1.events.list({"type": "refund.created"}).data[0].data.object
    assert created["status"] == "succeeded" and "failure_reason" not in created
    again = client.v1.refunds.create({"payment_intent": intent.id, "amount": 290})
    assert client.v1.refunds.retrieve(again.id).status == "succeeded"


def test_a_refund_cannot_be_canceled_and_its_metadata_can_be_changed(
    client: stripe.StripeClient, running: Running
) -> None:
    for card in ("pm_card_visa", "pm_card_pendingRefund"):
        refund = client.v1.refunds.create({"payment_intent": pay(client, card).id, "metadata": {"a": "1"}})
        with pytest.raises(stripe.InvalidRequestError, match="Canceling this refund is unsupported"):
            client.v1.refunds.cancel(refund.id)
        assert client.v1.refunds.update(refund.id, {"metadata": {"a": "", "b": "2"}}).to_dict()[
            "metadata"
        ] == {"b": "2"}
        created = client.v1.events.list({"type": "refund.created"}).data[0].data.object
        assert created.to_dict()["metadata"] == {"a": "1"}
    with pytest.raises(stripe.InvalidRequestError, match="No such refund"):
        client.v1.refunds.update("re_none", {"metadata": {}})
