"""Whatever is paid, refunded, disputed and paid out in whatever order: the sums hold."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.inprocess import gateways
from tests.mocks_stripe_money.sdk import DAY, pay

CARDS = (
    *("pm_card_visa", "pm_card_createDispute", "pm_card_createDisputeInquiry", "pm_card_refundFail"),
    *("pm_card_pendingRefund", "pm_card_chargeDeclined"),
)
SAID = ("winning_evidence", "losing_evidence", "escalate_inquiry_evidence")

AMOUNTS = st.integers(50, 5000)
CURRENCIES = st.sampled_from(["eur", "jpy"])
NEWEST = st.integers(0, 2)
"""Which of the objects, newest first."""

Step = tuple[Any, ...]

single = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from(CARDS), AMOUNTS, CURRENCIES),
    st.tuples(st.just("refund"), NEWEST, st.integers(1, 3000)),
    st.tuples(st.just("answer"), NEWEST, st.sampled_from(SAID)),
    st.tuples(st.just("payout"), st.integers(1, 3000)),
    st.tuples(st.just("cancel"), NEWEST),
    st.tuples(st.just("wait"), st.sampled_from([2, 12, 1800, DAY, 2 * DAY + 60, 9 * DAY])),
)


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """What belongs together: chance alone would seldom answer a dispute or cancel a payout."""
    amount, currency = draw(AMOUNTS), draw(CURRENCIES)
    what = draw(st.sampled_from(["dispute", "refund", "payout", "single"]))
    if what == "dispute":
        card = draw(st.sampled_from(["pm_card_createDispute", "pm_card_createDisputeInquiry"]))
        paid = [("pay", card, amount, currency), ("refund", 0, draw(st.integers(1, amount))), ("wait", 2)]
        return [
            *paid[:: draw(st.sampled_from([1, 2]))],
            ("answer", 0, draw(st.sampled_from(SAID))),
            ("wait", 6),
        ]
    if what == "refund":
        card = draw(st.sampled_from(["pm_card_refundFail", "pm_card_pendingRefund"]))
        return [("pay", card, amount, currency), ("refund", 0, draw(st.integers(1, amount))), ("wait", 12)]
    if what == "payout":
        payout = ("payout", draw(st.integers(1, 500)))
        end: list[Step] = [("cancel", 0)] if draw(st.booleans()) else []
        return [("pay", "pm_card_visa", 1000 + amount, "eur"), ("wait", 2 * DAY + 60), payout, *end]
    return [draw(single)]


steps = st.lists(stories(), max_size=5).map(lambda rows: [step for row in rows for step in row])


def act(client: stripe.StripeClient, clock: Any, step: Step) -> None:
    """Do one thing; what Stripe refuses is refused."""
    what, *how = step
    if what == "wait":
        clock.advance(how[0])
        return
    with contextlib.suppress(stripe.CardError, stripe.InvalidRequestError, IndexError):
        if what == "pay":
            pay(client, how[0], amount=how[1], currency=how[2])
        elif what == "refund":
            intent = client.v1.payment_intents.list().data[how[0]]
            client.v1.refunds.create({"payment_intent": intent.id, "amount": how[1]})
        elif what == "answer":
            dispute = client.v1.disputes.list().data[how[0]]
            client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": how[1]}})
        elif what == "payout":
            client.v1.payouts.create({"amount": how[0], "currency": "eur"})
        else:
            client.v1.payouts.cancel(client.v1.payouts.list().data[how[0]].id)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_lines_payouts_balance_and_ledger_add_up(steps: list[Step]) -> None:
    with gateways("stripe") as g:
        http = stripe.HTTPXClient(allow_sync_methods=True)
        client = stripe.StripeClient("sk_test_1", http_client=http)
        for step in steps:
            act(client, g.stripe.mock_clock, step)
        g.stripe.mock_clock.advance(3 * DAY)
        lines = list(client.v1.balance_transactions.list({"limit": 100}).auto_paging_iter())
        assert len({line.id for line in lines}) == len(lines)
        for line in lines:
            assert line.net == line.amount - line.fee == line.amount - sum(f.amount for f in line.fee_details)
        paid: set[str] = set()
        for payout in client.v1.payouts.list({"limit": 100}).auto_paging_iter():
            if payout.automatic:
                items = list(client.v1.balance_transactions.list({"payout": payout.id}).auto_paging_iter())
                assert sum(item.net for item in items) == payout.amount > 0
                assert not paid & {item.id for item in items}
                paid |= {item.id for item in items}
        balance = client.v1.balance.retrieve()
        g.stripe.settle(time.monotonic_ns())
        for currency in ("eur", "jpy"):
            whole = sum(
                row.amount
                for part in (balance.available, balance.pending)
                for row in part
                if row.currency == currency
            )
            assert whole == sum(line.net for line in lines if line.currency == currency)
            signs = {"capture": 1, "refund": -1, "dispute": -1, "fee": -1, "payout": -1}
            rows = [row for row in g.stripe.ledger if row.currency == currency.upper()]
            assert whole == sum(signs[row.kind] * row.amount_minor for row in rows)
