"""Money that moved unheard of, and money that did not: what callers see, and what the ledger has."""

from __future__ import annotations

import contextlib
import time

import httpx
import pytest
import stripe as stripe_sdk

from tests.mocks.running import adyen_call, adyen_payment, stripe_call, stripe_payment
from tests.payment_faults.faulty import (
    GOCARDLESS,
    MS,
    Faulty,
    gocardless_mandate,
    gocardless_payment,
    paypal_order,
    paypal_token,
    plan,
)

PAY = "/v1/payment_intents"
LOOKS = ("timeout", "reset", "error")


def pay(faulty: Faulty, key: str, order: str = "o1") -> str:
    """What a customer's call comes to, in a word."""
    connection = faulty.patient(0.4)
    try:
        status = stripe_call(connection, "POST", PAY, stripe_payment(order), key=key)[0]
    except TimeoutError:
        return "timeout"
    except ConnectionResetError:
        return "reset"
    finally:
        connection.close()
    return "error" if status == 504 else str(status)


@pytest.mark.parametrize("look", LOOKS)
def test_commit_then_lose_moves_the_money_and_keeps_the_answer(stripe: Faulty, look: str) -> None:
    with stripe.on(plan("commit_then_lose", params={"look": look})) as fault:
        assert pay(stripe, "k") == look
        assert stripe.money() == [("capture", 1290)]
        assert fault.hits == 1
        request = stripe.requests[-1]
        assert (request.fault, request.result) == ("commit_then_lose", "succeeded")
        assert request.status == (504 if look == "error" else 0)
    again = stripe_call(stripe.connection(), "POST", PAY, stripe_payment(), key="k")
    assert again[2]["status"] == "succeeded" and again[1]["idempotent-replayed"] == "true"
    assert stripe.money() == [("capture", 1290)]


@pytest.mark.parametrize("look", LOOKS)
def test_reject_before_commit_looks_the_same_and_moves_nothing(stripe: Faulty, look: str) -> None:
    with stripe.on(plan("reject_before_commit", params={"look": look})) as fault:
        assert pay(stripe, "k") == look
        assert stripe.money() == [] and fault.hits == 1
    again = stripe_call(stripe.connection(), "POST", PAY, stripe_payment(), key="k")
    assert again[2]["status"] == "succeeded" and "idempotent-replayed" not in again[1]
    assert stripe.money() == [("capture", 1290)]


def test_the_twins_answer_the_same_bytes(stripe: Faulty) -> None:
    answers = []
    for name in ("commit_then_lose", "reject_before_commit"):
        with stripe.on(plan(name, params={"look": "error", "status": 502})):
            answer = httpx.post(
                f"{stripe.url}{PAY}",
                data={name: str(value) for name, value in stripe_payment().items()},
                headers={"Authorization": "Bearer sk_test_1"},
                trust_env=False,
            )
            headers = [pair for pair in answer.headers.raw if pair[0].lower() not in (b"request-id", b"date")]
            answers.append((answer.status_code, headers, answer.content))
    assert answers[0] == answers[1] and answers[0][0] == 502
    assert stripe.money() == [("capture", 1290)]


def test_a_decline_is_not_lost_and_no_hit(stripe: Faulty) -> None:
    with stripe.on(plan("commit_then_lose")) as fault:
        declined = stripe_payment(card="pm_card_chargeDeclined")
        assert stripe_call(stripe.connection(), "POST", PAY, declined)[0] == 402
        unconfirmed = {**stripe_payment(), "confirm": "false"}
        assert stripe_call(stripe.connection(), "POST", PAY, unconfirmed)[0] == 200
        assert fault.hits == 0 and {request.fault for request in stripe.requests} == {""}


def test_the_official_client_is_left_in_doubt(stripe: Faulty) -> None:
    client = stripe_sdk.StripeClient(
        "sk_test_1",
        base_addresses={"api": stripe.url},
        max_network_retries=0,
        http_client=stripe_sdk.RequestsClient(timeout=0.4),
    )
    created = {"amount": 700, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    with stripe.on(plan("commit_then_lose")), pytest.raises(stripe_sdk.APIConnectionError):
        client.v1.payment_intents.create(created, {"idempotency_key": "k"})  # type: ignore[arg-type]
    assert client.v1.payment_intents.create(created, {"idempotency_key": "k"}).status == "succeeded"  # type: ignore[arg-type]
    assert stripe.money() == [("capture", 700)]


def test_other_gateways_lose_answers_too(adyen: Faulty, paypal: Faulty, gocardless: Faulty) -> None:
    lost = plan("commit_then_lose", params={"look": "error", "status": 502})
    with adyen.on(lost):
        assert adyen_call(adyen.connection(), "/v72/payments", adyen_payment(), key="k")[0] == 502
    assert adyen.money() == [("capture", 1290)]
    assert (
        adyen_call(adyen.connection(), "/v72/payments", adyen_payment(), key="k")[2]["resultCode"]
        == "Authorised"
    )
    assert adyen.money() == [("capture", 1290)]

    bearer = {**paypal_token(paypal), "PayPal-Request-Id": "k"}
    with paypal.on(lost):
        assert paypal.json("POST", "/v2/checkout/orders", paypal_order("o1"), bearer)[0] == 502
    assert paypal.money() == [("capture", 1290)]
    assert paypal.json("POST", "/v2/checkout/orders", paypal_order("o1"), bearer)[2]["status"] == "COMPLETED"
    assert paypal.money() == [("capture", 1290)]

    payment = gocardless_payment(gocardless_mandate(gocardless))
    keyed = {**GOCARDLESS, "Idempotency-Key": "k"}
    with gocardless.on(lost) as fault:
        assert gocardless.json("POST", "/payments", payment, keyed)[0] == 502
        assert fault.hits == 1
    again = gocardless.json("POST", "/payments", payment, keyed)
    assert again[0] == 409
    assert again[2]["error"]["errors"][0]["reason"] == "idempotent_creation_conflict"


def test_gray_failure_spares_health_and_reads(stripe: Faulty) -> None:
    made = stripe_call(stripe.connection(), "POST", PAY, stripe_payment("before"))
    with stripe.on(plan("gray_failure")) as fault:
        assert httpx.get(f"{stripe.url}/health", trust_env=False).status_code == 200
        assert stripe_call(stripe.connection(), "GET", f"{PAY}/{made[2]['id']}")[0] == 200
        assert stripe_call(stripe.connection(), "POST", "/v1/customers")[0] == 200
        assert pay(stripe, "k") == "timeout"
        assert fault.hits == 1 and stripe.money() == [("capture", 1290)]
    assert [request.fault for request in stripe.requests if request.fault] == ["gray_failure"]


@pytest.mark.parametrize(("money", "moved"), [("moved", [("capture", 1290)]), ("stayed", [])])
def test_a_stored_error_is_replayed_for_good(
    stripe: Faulty, adyen: Faulty, money: str, moved: list[tuple[str, int]]
) -> None:
    stored = plan("stored_error", params={"money": money})
    with stripe.on(stored) as fault:
        first = stripe_call(stripe.connection(), "POST", PAY, stripe_payment(), key="k")
        assert first[0] == 500 and fault.hits == 1
    again = stripe_call(stripe.connection(), "POST", PAY, stripe_payment(), key="k")
    assert again[0] == 500 and again[2] == first[2] and again[1]["idempotent-replayed"] == "true"
    assert stripe.money() == moved
    with adyen.on(stored):
        assert adyen_call(adyen.connection(), "/v72/payments", adyen_payment(), key="k")[0] == 500
    assert adyen_call(adyen.connection(), "/v72/payments", adyen_payment(), key="k")[0] == 500
    assert adyen.money() == moved


def test_lost_keys_let_the_money_move_twice(
    stripe: Faulty, adyen: Faulty, paypal: Faulty, gocardless: Faulty
) -> None:
    lost = plan("keys_lost")
    bearer = {**paypal_token(paypal), "PayPal-Request-Id": "k"}
    payment = gocardless_payment(gocardless_mandate(gocardless))
    keyed = {**GOCARDLESS, "Idempotency-Key": "k"}

    def pay_all() -> list[int]:
        return [
            stripe_call(stripe.connection(), "POST", PAY, stripe_payment(), key="k")[0],
            adyen_call(adyen.connection(), "/v72/payments", adyen_payment(), key="k")[0],
            paypal.json("POST", "/v2/checkout/orders", paypal_order("o1"), bearer)[0],
            gocardless.json("POST", "/payments", payment, keyed)[0],
        ]

    assert pay_all() == [200, 200, 201, 201]
    assert pay_all() == [200, 200, 200, 409]
    assert [len(one.money()) for one in (stripe, adyen, paypal)] == [1, 1, 1]
    with contextlib.ExitStack() as stack:
        faults = [stack.enter_context(one.on(lost)) for one in (stripe, adyen, paypal, gocardless)]
        assert pay_all() == [200, 200, 201, 201]
        assert [fault.hits for fault in faults] == [1, 1, 1, 1]
    assert [len(one.money()) for one in (stripe, adyen, paypal)] == [2, 2, 2]
    assert pay_all() == [200, 200, 200, 409]


def test_a_lost_answer_is_as_late_as_an_answer(stripe: Faulty) -> None:
    late = plan("latency", params={"add": 60 * MS})
    for name in ("commit_then_lose", "reject_before_commit"):
        with stripe.on(late), stripe.on(plan(name, id="f2", params={"look": "reset"})):
            before = time.monotonic_ns()
            assert pay(stripe, name) == "reset"
            assert time.monotonic_ns() - before >= 60 * MS
            assert stripe.requests[-1].fault == f"latency+{name}"
