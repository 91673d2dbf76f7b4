"""Payouts that are asked for, through Stripe's own SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from mocks.gateways.stripe.balance_transaction import fee_of
from tests.mocks.running import Running
from tests.mocks_stripe_money.sdk import DAY, advance, kinds, moved, pay

NET = 1290 - fee_of(1290, "eur")


def available(client: stripe.StripeClient) -> int:
    return next(row.amount for row in client.v1.balance.retrieve().available if row.currency == "eur")


@pytest.fixture
def funded(client: stripe.StripeClient, running: Running) -> stripe.StripeClient:
    """A client whose account has ``NET`` available, an hour before the next automatic payout."""
    pay(client)
    advance(running, 2 * DAY + 10)
    assert available(client) == NET
    return client


def test_a_payout_leaves_and_arrives(funded: stripe.StripeClient, running: Running) -> None:
    payout = funded.v1.payouts.create({"amount": 300, "currency": "EUR", "metadata": {"a": "b"}})
    assert (payout.status, payout.automatic, payout.amount) == ("pending", False, 300)
    assert payout.reconciliation_status == "not_applicable"
    assert available(funded) == NET - 300
    line = funded.v1.balance_transactions.retrieve(str(payout.balance_transaction))
    assert (line.type, line.amount, line.net, line.status) == ("payout", -300, -300, "available")
    with pytest.raises(stripe.InvalidRequestError, match="automatic payout"):
        funded.v1.balance_transactions.list({"payout": payout.id})
    advance(running, 3605)
    assert funded.v1.payouts.retrieve(payout.id).status == "in_transit"
    with pytest.raises(stripe.InvalidRequestError, match="only be canceled while they are pending"):
        funded.v1.payouts.cancel(payout.id)
    advance(running, DAY)
    assert funded.v1.payouts.retrieve(payout.id).status == "paid"
    # What the automatic payout took is what the other one had left.
    (automatic,) = [row for row in funded.v1.payouts.list().data if row.automatic]
    items = list(funded.v1.balance_transactions.list({"payout": automatic.id}).auto_paging_iter())
    assert automatic.amount == NET - 300 == sum(row.net for row in items)
    assert [row.type for row in items] == ["payout", "charge"] and available(funded) == 0
    assert moved(running, "payout") == [("payout", 300), ("payout", NET - 300)]
    mine = [
        str(event.type)
        for event in funded.v1.events.list({"type": "payout.*"}).auto_paging_iter()
        if event.data.object["id"] == payout.id
    ]
    assert mine[::-1] == ["payout.created", "payout.updated", "payout.paid"]
    (first,) = [
        event.data.object
        for event in funded.v1.events.list({"type": "payout.created"}).data
        if event.data.object["id"] == payout.id
    ]
    assert first["status"] == "pending"


def test_a_payout_that_is_canceled_comes_back(funded: stripe.StripeClient, running: Running) -> None:
    payout = funded.v1.payouts.create({"amount": NET, "currency": "eur"})
    assert available(funded) == 0
    canceled = funded.v1.payouts.cancel(payout.id)
    assert canceled.status == "canceled" and available(funded) == NET
    line = funded.v1.balance_transactions.retrieve(str(canceled.failure_balance_transaction))
    assert (line.type, line.reporting_category, line.net) == ("payout_cancel", "payout_reversal", NET)
    advance(running, 3 * DAY)
    assert funded.v1.payouts.retrieve(payout.id).status == "canceled"
    assert "payout.paid" not in [
        str(event.type)
        for event in funded.v1.events.list({"type": "payout.*"}).data
        if event.data.object["id"] == payout.id
    ]
    assert moved(running, "payout") == [("payout", NET), ("payout", -NET), ("payout", NET)]
    assert kinds(funded, "payout.canceled") == ["payout.canceled"]
    assert funded.v1.payouts.update(payout.id, {"metadata": {"k": "v"}}).metadata is not None


def test_an_instant_payout_cannot_be_late(funded: stripe.StripeClient, running: Running) -> None:
    payout = funded.v1.payouts.create({"amount": 100, "currency": "eur", "method": "instant"})
    advance(running, 1805)
    assert funded.v1.payouts.retrieve(payout.id).status == "paid"


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"amount": NET + 1, "currency": "eur"}, None, "balance_insufficient"),
        ({"amount": 1, "currency": "usd"}, None, "balance_insufficient"),
        ({"amount": 0, "currency": "eur"}, "amount", "parameter_invalid_integer"),
        ({"currency": "eur"}, "amount", "parameter_missing"),
        ({"amount": 5, "currency": "xxx"}, "currency", None),
        ({"amount": 5, "currency": "eur", "method": "pigeon"}, "method", None),
        ({"amount": 5, "currency": "eur", "destination": "ba_1"}, "destination", "resource_missing"),
    ],
)
def test_what_cannot_be_paid_out(
    funded: stripe.StripeClient, running: Running, parameters: Any, param: str | None, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        funded.v1.payouts.create(parameters)
    assert (caught.value.http_status, caught.value.param, caught.value.code) == (400, param, code)
    assert available(funded) == NET and moved(running, "payout") == []


def test_money_that_comes_back_after_the_automatic_payout_is_paid_out_by_the_next(
    client: stripe.StripeClient, running: Running
) -> None:
    pay(client)
    advance(running, 2 * DAY + 600)
    payout = client.v1.payouts.create({"amount": NET, "currency": "eur"})
    advance(running, 3300)
    assert [row.id for row in client.v1.payouts.list().data] == [payout.id]
    client.v1.payouts.cancel(payout.id)
    advance(running, DAY)
    assert [(row.automatic, row.amount) for row in client.v1.payouts.list().data] == [
        (True, NET),
        (False, NET),
    ]
