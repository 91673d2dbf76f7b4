"""The Stripe mock through Stripe's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.mocks.flight import in_flight
from tests.mocks.running import Running


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running("stripe") as running:
        yield running


@pytest.fixture
def client(running: Running) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_1", base_addresses={"api": running.url}, max_network_retries=0)


def payment(order: str, card: str = "pm_card_visa", amount: int = 1290) -> dict[str, Any]:
    return {
        "amount": amount,
        "currency": "eur",
        "confirm": True,
        "payment_method": card,
        "metadata": {"order_id": order},
    }


def pay(client: stripe.StripeClient, order: str, key: str | None = None, **more: Any) -> stripe.PaymentIntent:
    options: Any = {"idempotency_key": key} if key else {}
    return client.v1.payment_intents.create({**payment(order), **more}, options)  # type: ignore[typeddict-item]


def captures(running: Running, order: str) -> list[int]:
    return [m.amount_minor for m in running.movements if m.order_id == order and m.kind == "capture"]


def test_payment_succeeds_and_moves_money_once(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "pay", expand=["latest_charge"])
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 1290, 1290)
    assert intent.metadata["order_id"] == "pay"
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.paid and charge.amount_captured == 1290
    assert charge.payment_method_details is not None and charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.last4 == "4242"
    assert captures(running, "pay") == [1290]
    movement = next(m for m in running.movements if m.order_id == "pay")
    assert (movement.gateway, movement.reference, movement.currency) == ("stripe", intent.id, "EUR")
    request = running.requests[-1]
    assert (request.endpoint, request.status, request.result) == ("payment_intents.create", 200, "succeeded")
    assert request.order_id == "pay" and request.answered_ns is not None
    assert request.received_ns <= movement.at_ns <= request.answered_ns


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000009979", "card_declined", "stolen_card"),
        ("4000000000000069", "expired_card", None),
        ("4000000000000127", "incorrect_cvc", None),
        ("4000000000000119", "processing_error", None),
        ("4242424242424241", "incorrect_number", None),
        ("4012888888881881", "card_declined", "test_mode_live_card"),
    ],
)
def test_declined_numbers(
    client: stripe.StripeClient, running: Running, number: str, code: str, decline_code: str | None
) -> None:
    order = f"decline-{number[-4:]}"
    parameters: Any = payment(order)
    del parameters["payment_method"]
    card = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    parameters["payment_method_data"] = {"type": "card", "card": card}
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_intents.create(parameters)
    error = caught.value
    assert error.http_status == 402 and error.code == code
    assert error.error is not None and error.error.decline_code == decline_code
    intent = error.error.payment_intent
    assert intent is not None and intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None and intent.last_payment_error.code == code
    assert captures(running, order) == []
    assert running.requests[-1].result == "declined"
    assert number not in str(running.writer.records)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
    ],
)
def test_declined_names(client: stripe.StripeClient, name: str, code: str) -> None:
    with pytest.raises(stripe.CardError) as caught:
        pay(client, "x", payment_method=name)
    assert caught.value.error is not None
    assert code in (caught.value.code, caught.value.error.decline_code)


@pytest.mark.parametrize("name", ["pm_card_mastercard", "pm_card_amex", "pm_card_jcb", "pm_card_unionpay"])
def test_other_brands_pay(client: stripe.StripeClient, name: str) -> None:
    assert pay(client, "brand", payment_method=name).status == "succeeded"


def test_declined_intent_can_be_confirmed_with_another_card(
    client: stripe.StripeClient, running: Running
) -> None:
    with pytest.raises(stripe.CardError) as caught:
        pay(client, "second-card", payment_method="pm_card_visa_chargeDeclined")
    assert caught.value.error is not None and caught.value.error.payment_intent is not None
    name = caught.value.error.payment_intent.id
    intent = client.v1.payment_intents.confirm(name, {"payment_method": "pm_card_visa"})
    assert intent.status == "succeeded" and intent.last_payment_error is None
    assert captures(running, "second-card") == [1290]


def test_create_then_confirm(client: stripe.StripeClient, running: Running) -> None:
    parameters: Any = {"amount": 500, "currency": "usd", "metadata": {"order_id": "two-steps"}}
    intent = client.v1.payment_intents.create(parameters)
    assert intent.status == "requires_payment_method" and captures(running, "two-steps") == []
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.payment_intents.confirm(intent.id)
    done = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert done.status == "succeeded" and captures(running, "two-steps") == [500]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert caught.value.code == "payment_intent_unexpected_state"
    assert captures(running, "two-steps") == [500]


def test_cancel(client: stripe.StripeClient, running: Running) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    done = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (done.status, done.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.v1.payment_intents.cancel(pay(client, "c").id)


def test_retrieve(client: stripe.StripeClient) -> None:
    made = pay(client, "retrieve")
    found = client.v1.payment_intents.retrieve(made.id, {"expand": ["latest_charge"]})
    assert found.id == made.id and found.status == "succeeded"
    assert isinstance(found.latest_charge, stripe.Charge)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.retrieve("pi_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_search_by_order(client: stripe.StripeClient) -> None:
    made = pay(client, "order 'quoted' ü")
    query = 'metadata["order_id"]:"order \'quoted\' ü"'
    assert [row.id for row in client.v1.payment_intents.search({"query": query}).data] == [made.id]
    both = query + " AND status:'succeeded'"
    assert [row.id for row in client.v1.payment_intents.search({"query": both}).data] == [made.id]
    neither = query + " AND status:'canceled'"
    assert client.v1.payment_intents.search({"query": neither}).data == []
    assert client.v1.payment_intents.search({"query": "metadata['order_id']:'none'"}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.search({"query": "amount>100"})


def test_search_pages(client: stripe.StripeClient) -> None:
    made = [pay(client, "paged").id for _ in range(5)]
    parameters: Any = {"query": "metadata['order_id']:'paged'", "limit": 2}
    first = client.v1.payment_intents.search(parameters)
    assert first.has_more and len(first.data) == 2
    found = [row.id for row in first.auto_paging_iter()]
    assert found == made[::-1]


def test_list_newest_first_and_paged(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({}).id
    made = [pay(client, f"list-{n}", customer=customer).id for n in range(5)]
    other = pay(client, "list-other", customer=client.v1.customers.create({}).id).id
    page = client.v1.payment_intents.list({"customer": customer, "limit": 2})
    assert [row.id for row in page.data] == made[:2:-1] and page.has_more
    assert [row.id for row in page.auto_paging_iter()] == made[::-1]
    after = client.v1.payment_intents.list({"customer": customer, "starting_after": made[1]})
    assert [row.id for row in after.data] == [made[0]] and not after.has_more
    before = client.v1.payment_intents.list({"customer": customer, "ending_before": made[1], "limit": 2})
    assert [row.id for row in before.data] == [made[3], made[2]] and before.has_more
    assert client.v1.payment_intents.list({"limit": 1}).data[0].id == other
    assert client.v1.payment_intents.list({"created": {"lt": 1000}}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.list({"starting_after": "pi_none"})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.list({"limit": 101})


def test_refund_whole(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "refund-whole")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert (refund.status, refund.amount, refund.payment_intent) == ("succeeded", 1290, intent.id)
    assert client.v1.refunds.retrieve(refund.id).id == refund.id
    charge = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]}).latest_charge
    assert isinstance(charge, stripe.Charge) and charge.refunded and charge.amount_refunded == 1290
    movement = running.movements[-1]
    assert (movement.kind, movement.parent, movement.amount_minor) == ("refund", intent.id, 1290)
    assert movement.order_id == "refund-whole"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"


def test_refund_in_parts_and_never_too_much(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "refund-parts")
    assert isinstance(intent.latest_charge, str)
    with pytest.raises(stripe.InvalidRequestError, match="greater than charge amount"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1291})
    client.v1.refunds.create({"charge": intent.latest_charge, "amount": 1000})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 291})
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 290, "reason": "duplicate"})
    refunds = [
        m.amount_minor for m in running.movements if m.order_id == "refund-parts" and m.kind == "refund"
    ]
    assert refunds == [1000, 290]
    listed = client.v1.refunds.list({"payment_intent": intent.id})
    assert [row.amount for row in listed.data] == [290, 1000]
    for amount in (0, -5):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.refunds.create({"payment_intent": intent.id, "amount": amount})


def test_refund_of_what_was_never_paid(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": "pi_none"})
    assert caught.value.http_status == 404


def test_replay_of_a_key_moves_nothing(client: stripe.StripeClient, running: Running) -> None:
    first = pay(client, "replay", key="key-replay")
    again = pay(client, "replay", key="key-replay")
    assert again.id == first.id and captures(running, "replay") == [1290]
    assert again.last_response is not None and first.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.body == first.last_response.body
    assert [r.replayed for r in running.requests if r.idempotency_key == "key-replay"] == [False, True]
    assert running.requests[-1].order_id == "replay"


def test_replay_of_a_decline_is_the_decline(client: stripe.StripeClient) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            pay(client, "d", key="key-decline", payment_method="pm_card_visa_chargeDeclined")
    assert caught.value.headers is not None and caught.value.headers["Idempotent-Replayed"] == "true"


def test_same_key_with_other_parameters(client: stripe.StripeClient, running: Running) -> None:
    pay(client, "mismatch", key="key-mismatch")
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        pay(client, "mismatch", key="key-mismatch", amount=1291)
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.refunds.create({"payment_intent": "pi_x"}, {"idempotency_key": "key-mismatch"})
    assert captures(running, "mismatch") == [1290]


def test_failed_validation_saves_nothing(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        pay(client, "v", key="key-validation", amount=49)
    assert caught.value.code == "amount_too_small"
    assert pay(client, "v", key="key-validation").status == "succeeded"


def test_key_in_use_is_409() -> None:
    # Answers take 5 s, refusals a tenth of that: the second is refused long before the first is answered.
    with Running("stripe", p50_ms=5000) as running, in_flight(running, "in-use", "key-in-use"):
        running.until(lambda: len(running.gateway.keys) == 1, "the first request has its key")
        client = stripe.StripeClient("sk_test_1", base_addresses={"api": running.url}, max_network_retries=0)
        with pytest.raises(stripe.APIError) as caught:
            pay(client, "in-use", key="key-in-use")
        assert caught.value.http_status == 409
        assert "idempotency_key_in_use" in str(caught.value.http_body)


def test_wrong_amounts_and_currencies(client: stripe.StripeClient) -> None:
    for parameters in (
        {"amount": 1000},
        {"currency": "eur"},
        {"amount": 1000, "currency": "xyz"},
        {"amount": "ten", "currency": "eur"},
        {"amount": 100_000_000, "currency": "eur"},
        {"amount": 1000, "currency": "eur", "colour": "blue"},
        {"amount": 1000, "currency": "eur", "payment_method": "pm_none"},
        {"amount": 1000, "currency": "eur", "confirm": True},
        {"amount": 1000, "currency": "eur", "expand": ["nonsense"]},
    ):
        wrong: Any = parameters
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.create(wrong)
    yen: Any = {"amount": 1000, "currency": "jpy", "confirm": True, "payment_method": "pm_card_visa"}
    dinar: Any = {"amount": 1000, "currency": "kwd", "confirm": True, "payment_method": "pm_card_visa"}
    assert client.v1.payment_intents.create(yen).amount == 1000
    assert client.v1.payment_intents.create(dinar).amount == 1000


def test_wrong_keys_are_401(running: Running) -> None:
    for key in ("sk_live_secret", "nonsense"):
        client = stripe.StripeClient(key, base_addresses={"api": running.url})
        with pytest.raises(stripe.AuthenticationError) as caught:
            client.v1.payment_intents.list()
        assert key not in str(caught.value.http_body)
