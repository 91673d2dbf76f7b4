"""Authorization and capture, the balance and events of the Stripe mock, through Stripe's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.stripe.application import Stripe
from mocks.gateways.stripe.balance_transaction import fee_of
from mocks.gateways.stripe.events import REDELIVERY_S, WEBHOOK_SECRET
from mocks.gateways.stripe.objects import below
from mocks.gateways.stripe.routes import ENDPOINTS, EXPAND, KNOWN
from tests.mocks.running import Running
from tests.mocks.test_webhooks import Receiver

DAY = 86_400


@pytest.fixture
def running() -> Iterator[Running]:
    with Running("stripe") as running:
        yield running


@pytest.fixture
def client(running: Running) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_1", base_addresses={"api": running.url}, max_network_retries=0)


def pay(client: stripe.StripeClient, order: str = "o", **more: Any) -> stripe.PaymentIntent:
    parameters: Any = {
        "amount": 1290,
        "currency": "eur",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "metadata": {"order_id": order},
        **more,
    }
    return client.v1.payment_intents.create(parameters)


def authorize(client: stripe.StripeClient, order: str = "o", **more: Any) -> stripe.PaymentIntent:
    return pay(client, order, capture_method="manual", **more)


def moved(running: Running) -> list[tuple[str, int]]:
    return [(m.kind, m.amount_minor) for m in running.movements]


def advance(running: Running, seconds: float) -> None:
    running.thread.call(lambda: running.gateway.mock_clock.advance(seconds))


def kinds(client: stripe.StripeClient) -> list[str]:
    """The types of all events, oldest first."""
    return [str(event.type) for event in client.v1.events.list().auto_paging_iter()][::-1]


def test_an_authorization_moves_nothing_until_it_is_captured(
    client: stripe.StripeClient, running: Running
) -> None:
    intent = authorize(client, expand=["latest_charge"])
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 1290, 0)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.paid and not charge.captured and charge.balance_transaction is None
    assert moved(running) == []
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})

    done = client.v1.payment_intents.capture(intent.id)
    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 1290)
    assert client.v1.charges.retrieve(charge.id).captured
    assert moved(running) == [("capture", 1290)]
    assert [m.reference for m in running.movements] == [intent.id]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.capture(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert moved(running) == [("capture", 1290)]
    assert kinds(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


def test_a_partial_capture_takes_its_part_only(client: stripe.StripeClient, running: Running) -> None:
    intent = authorize(client)
    for amount, code in ((1291, "amount_too_large"), (0, "parameter_invalid_integer")):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.payment_intents.capture(intent.id, {"amount_to_capture": amount})
        assert (caught.value.code, caught.value.param) == (code, "amount_to_capture")
    done = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1000})
    assert (done.amount, done.amount_received, done.amount_capturable) == (1290, 1000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="greater than charge amount"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1001})
    assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 1000
    assert isinstance(done.latest_charge, str)
    charge = client.v1.charges.retrieve(done.latest_charge)
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (1290, 1000, 1000)
    assert charge.refunded
    assert moved(running) == [("capture", 1000), ("refund", 1000)]


def test_a_canceled_authorization_is_released_and_cannot_be_captured(
    client: stripe.StripeClient, running: Running
) -> None:
    intent = authorize(client)
    assert client.v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.payment_intents.capture(intent.id)
    assert isinstance(intent.latest_charge, str)
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert charge.refunded and charge.amount_refunded == 1290 and not charge.captured
    assert moved(running) == []
    assert kinds(client)[-2:] == ["charge.refunded", "payment_intent.canceled"]


def test_an_authorization_expires_after_seven_days(client: stripe.StripeClient, running: Running) -> None:
    captured, left = authorize(client, "captured"), authorize(client, "left")
    client.v1.payment_intents.capture(captured.id)
    advance(running, 7 * DAY - 60)
    assert client.v1.payment_intents.retrieve(left.id).status == "requires_capture"
    advance(running, 60)
    expired = client.v1.payment_intents.retrieve(left.id)
    assert (expired.status, expired.cancellation_reason) == ("canceled", "automatic")
    assert expired.canceled_at is not None and 0 <= expired.canceled_at - expired.created - 7 * DAY <= 60
    assert client.v1.payment_intents.retrieve(captured.id).status == "succeeded"
    assert [kind for kind, _ in moved(running)] == ["capture", "fee", "payout"]


def test_a_key_is_free_again_after_a_day(client: stripe.StripeClient, running: Running) -> None:
    options: Any = {"idempotency_key": "k"}
    parameters: Any = {"amount": 500, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    first = client.v1.payment_intents.create(parameters, options)
    advance(running, DAY - 60)
    assert client.v1.payment_intents.create(parameters, options).id == first.id
    advance(running, 60)
    assert client.v1.payment_intents.create(parameters, options).id != first.id
    assert moved(running) == [("capture", 500)] * 2


def test_balance_transactions_add_up_to_the_balance(client: stripe.StripeClient, running: Running) -> None:
    intents = [pay(client, f"o{n}", amount=1000 + n) for n in range(12)]
    refund = client.v1.refunds.create({"payment_intent": intents[3].id, "amount": 400})
    pay(client, "yen", amount=500, currency="jpy")
    rows = list(client.v1.balance_transactions.list({"currency": "eur", "limit": 5}).auto_paging_iter())
    assert len(rows) == 13 and [row.type for row in rows] == ["refund"] + ["charge"] * 12
    assert all(row.net == row.amount - row.fee and row.status == "pending" for row in rows)
    assert (rows[0].amount, rows[0].fee, rows[0].source) == (-400, 0, refund.id)
    assert refund.balance_transaction == rows[0].id
    charge = client.v1.charges.retrieve(str(rows[1].source), {"expand": ["balance_transaction"]})
    transaction = charge.balance_transaction
    assert isinstance(transaction, stripe.BalanceTransaction) and transaction.id == rows[1].id
    # 1.5% of 10.11 is 15.165 cents.
    assert (transaction.amount, transaction.fee, transaction.net) == (1011, 15 + 25, 971)
    assert [detail.amount for detail in transaction.fee_details] == [40]
    assert client.v1.balance_transactions.retrieve(rows[0].id).net == -400
    assert [r.id for r in client.v1.balance_transactions.list({"source": refund.id}).data] == [rows[0].id]

    def funds(part: Any) -> dict[str, int]:
        return {row.currency: row.amount for row in part}

    net = sum(row.net for row in rows)
    balance = client.v1.balance.retrieve()
    assert funds(balance.available) == {"eur": 0, "jpy": 0}
    assert funds(balance.pending) == {"eur": net, "jpy": 500 - fee_of(500, "jpy")}
    advance(running, 2 * DAY + 1)
    pay(client, "later", amount=2000)
    balance = client.v1.balance.retrieve()
    assert funds(balance.available)["eur"] == net
    assert funds(balance.pending)["eur"] == 2000 - fee_of(2000, "eur")
    assert client.v1.balance_transactions.retrieve(rows[0].id).status == "available"


def test_fees_reach_the_journal_as_one_sum_per_currency(
    client: stripe.StripeClient, running: Running
) -> None:
    for amount in (1000, 2000, 3000):
        pay(client, amount=amount)
    assert {kind for kind, _ in moved(running)} == {"capture"}
    running.thread.call(lambda: running.gateway.settle(0))
    fees = [m for m in running.movements if m.kind == "fee"]
    assert [(m.amount_minor, m.currency) for m in fees] == [(15 + 30 + 45 + 3 * 25, "EUR")]
    running.thread.call(lambda: running.gateway.settle(0))
    assert len([m for m in running.movements if m.kind == "fee"]) == 1


def test_a_payout_is_the_sum_of_its_items(client: stripe.StripeClient, running: Running) -> None:
    intents = [pay(client, f"o{n}", amount=1000 + n) for n in range(12)]
    client.v1.refunds.create({"payment_intent": intents[3].id, "amount": 400})
    refunded = pay(client, "kroner", amount=5000, currency="sek")
    client.v1.refunds.create({"payment_intent": refunded.id})
    assert client.v1.payouts.list().data == []
    advance(running, 2 * DAY + 3700)
    # Kroner were given back whole while their fee was kept: nothing of them can be paid out.
    [payout] = client.v1.payouts.list().data
    assert (payout.currency, payout.status, payout.automatic) == ("eur", "in_transit", True)
    items = list(client.v1.balance_transactions.list({"payout": payout.id, "limit": 5}).auto_paging_iter())
    assert len(items) == 13 and payout.amount == sum(item.net for item in items)
    line = client.v1.balance_transactions.retrieve(str(payout.balance_transaction))
    assert (line.type, line.net, line.source) == ("payout", -payout.amount, payout.id)
    balance = {row.currency: row.amount for row in client.v1.balance.retrieve().available}
    assert balance == {"eur": 0, "sek": -fee_of(5000, "sek")}
    movements = dict.fromkeys(("capture", "refund", "fee", "payout"), 0)
    for movement in running.movements:
        if movement.currency == "EUR":
            movements[movement.kind] += movement.amount_minor
    assert movements["payout"] == payout.amount
    assert movements["capture"] - movements["refund"] - movements["fee"] == movements["payout"]
    [fee] = [m for m in running.movements if m.kind == "fee"]
    assert fee.parent == payout.id

    pay(client, "later", amount=2000)
    advance(running, DAY)
    assert client.v1.payouts.retrieve(payout.id).status == "paid"
    advance(running, 2 * DAY)
    both = client.v1.payouts.list().data
    assert [row.amount for row in both] == [2000 - fee_of(2000, "eur"), payout.amount]
    assert [row.id for row in client.v1.payouts.list({"status": "in_transit"}).data] == [both[0].id]
    told = client.v1.events.list({"type": "payout.*", "limit": 100}).data
    first: list[Any] = [event.data.object for event in told if event.data.object["id"] == payout.id]
    assert [row["status"] for row in first] == ["paid", "in_transit"]
    running.thread.call(lambda: running.gateway.settle(0))
    assert sum(m.amount_minor for m in running.movements if m.kind == "fee" and m.currency == "SEK") == 100


@given(st.integers(1, 99_999_999))
def test_a_fee_is_the_nearest_whole_unit_of_its_rate(amount: int) -> None:
    assert abs((fee_of(amount, "eur") - 25) * 1000 - amount * 15) <= 500
    assert fee_of(amount, "kwd") == fee_of(amount, "eur") + 225


def test_charges_are_listed_with_their_filters(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({}).id
    made = [pay(client, f"o{n}", customer=customer) for n in range(5)]
    other = pay(client, "other")
    with pytest.raises(stripe.CardError):
        pay(client, "declined", payment_method="pm_card_visa_chargeDeclined")
    everything = list(client.v1.charges.list({"limit": 2}).auto_paging_iter())
    assert len(everything) == 7 and everything[0].status == "failed"
    assert everything[0].outcome is not None and everything[0].outcome.reason == "generic_decline"
    of_customer = client.v1.charges.list({"customer": customer, "limit": 3})
    assert [row.id for row in of_customer.auto_paging_iter()] == [row.latest_charge for row in made[::-1]]
    found = client.v1.charges.list({"payment_intent": other.id, "expand": ["data.payment_intent"]}).data
    assert len(found) == 1 and isinstance(found[0].payment_intent, stripe.PaymentIntent)
    assert found[0].payment_intent.id == other.id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.charges.retrieve("ch_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_nested_expansion(client: stripe.StripeClient) -> None:
    intent = pay(client, expand=["latest_charge.balance_transaction"])
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)
    refund = client.v1.refunds.create(
        {"payment_intent": intent.id, "expand": ["charge.balance_transaction", "balance_transaction"]}
    )
    assert isinstance(refund.charge, stripe.Charge)
    assert isinstance(refund.charge.balance_transaction, stripe.BalanceTransaction)
    assert isinstance(refund.balance_transaction, stripe.BalanceTransaction)
    assert refund.balance_transaction.amount == -1290


@pytest.mark.parametrize(
    ("expand", "name", "inner"),
    [
        ([], "a", None),
        (["a"], "a", ()),
        (["ab", "b.a"], "a", None),
        (["a.b"], "a", ("b",)),
        (["a", "a.b.c", "a.d"], "a", ("b.c", "d")),
    ],
)
def test_what_expansion_concerns(expand: list[str], name: str, inner: tuple[str, ...] | None) -> None:
    assert below(expand, name) == inner


def test_events_tell_what_was_true_when_they_happened(client: stripe.StripeClient) -> None:
    intent = pay(client)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 290})
    client.v1.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.CardError) as caught:
        pay(client, payment_method="pm_card_visa_chargeDeclined")
    assert caught.value.error is not None and caught.value.error.payment_intent is not None
    declined = caught.value.error.payment_intent.id
    client.v1.payment_intents.confirm(declined, {"payment_method": "pm_card_visa"})
    events = list(client.v1.events.list({"limit": 4}).auto_paging_iter())[::-1]
    assert [event.type for event in events] == [
        *("payment_intent.created", "charge.succeeded", "payment_intent.succeeded"),
        *("refund.created", "charge.refunded") * 2,
        *("payment_intent.created", "charge.failed", "payment_intent.payment_failed"),
        *("charge.succeeded", "payment_intent.succeeded"),
    ]
    objects: list[Any] = [event.data.object for event in events]
    assert [objects[n]["status"] for n in (0, 2, 7, 9, 11)] == [
        "requires_payment_method",
        "succeeded",
        "requires_payment_method",
        "requires_payment_method",
        "succeeded",
    ]
    assert objects[0]["latest_charge"] is None and objects[0]["amount_received"] == 0
    assert [objects[n]["amount_refunded"] for n in (1, 4, 6)] == [0, 290, 1290]
    assert objects[9]["last_payment_error"]["decline_code"] == "generic_decline"
    assert objects[9]["id"] == declined == objects[11]["id"]
    assert all(event.api_version and not event.livemode for event in events)

    one = client.v1.events.retrieve(events[1].id)
    assert one.type == "charge.succeeded" and one.created == events[1].created
    refunds = client.v1.events.list({"type": "charge.*", "limit": 100}).data
    assert {event.type for event in refunds} == {"charge.succeeded", "charge.refunded", "charge.failed"}
    two = client.v1.events.list({"types": ["refund.created", "payment_intent.succeeded"]}).data
    assert len(two) == 4
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.events.retrieve("evt_none")
    assert missing.value.http_status == 404


def test_webhooks_carry_signatures_that_the_sdk_accepts(
    client: stripe.StripeClient, running: Running
) -> None:
    receiver, posted = Receiver(), []

    def take(exchange: Any) -> None:
        posted.append((exchange.request.body, exchange.request.headers["stripe-signature"]))
        exchange.answer(200)

    with receiver.serving:
        receiver.serving.server.application = take
        url = f"http://127.0.0.1:{receiver.serving.port}/hooks"
        running.thread.call(lambda: running.gateway.outbox.deliver_to([url]))
        pay(client)
        running.until(lambda: running.gateway.outbox.idle, "the events have been delivered")
        assert len(posted) == 3
        for body, signature in posted:
            event = stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
            assert client.v1.events.retrieve(event.id).type == event.type
        body, signature = posted[0]
        time, _, digest = signature.partition(",v1=")
        wrong = [
            (body.replace(b"1290", b"1291"), signature, WEBHOOK_SECRET),
            (body, f"t={int(time[2:]) + 1},v1={digest}", WEBHOOK_SECRET),
            (body, signature, "whsec_other"),
        ]
        for payload, header, secret in wrong:
            with pytest.raises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(payload, header, secret)
    assert sum(REDELIVERY_S) <= 3 * DAY


def test_every_endpoint_has_its_parameters_and_its_function() -> None:
    with Running("stripe") as running:
        gateway = running.gateway
        assert isinstance(gateway, Stripe)
        assert set(ENDPOINTS) == set(KNOWN) == set(EXPAND) == set(gateway._endpoints)
