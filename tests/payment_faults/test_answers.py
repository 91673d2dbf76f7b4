"""Answers that are late, refused, unreadable, wrong or stale, over real sockets."""

from __future__ import annotations

import itertools
import json
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
import stripe as stripe_sdk

from mocks.gateways import GATEWAYS
from mocks.reply import Reply
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


def sdk(stripe: Faulty) -> stripe_sdk.StripeClient:
    """Stripe's own client, which tries once."""
    return stripe_sdk.StripeClient("sk_test_1", base_addresses={"api": stripe.url}, max_network_retries=0)


CREATED: Any = {"amount": 700, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
DECLINED: Any = {**CREATED, "payment_method": "pm_card_chargeDeclined"}


def taken_ms(stripe: Faulty) -> list[float]:
    """How long each request took."""
    return [((request.answered_ns or 0) - request.received_ns) / MS for request in stripe.requests]


def test_a_lognormal_latency_is_drawn_anew_for_each_request(stripe: Faulty) -> None:
    slow = plan("latency", params={"p50": 10 * MS, "p99": 60 * MS})

    def times() -> list[float]:
        stripe.forget()
        with stripe.on(slow) as fault:
            for number in range(15):
                stripe_call(stripe.connection(), "POST", PAY, stripe_payment(f"o{number}"))
            assert fault.hits == 15
        return taken_ms(stripe)

    first, again = times(), times()
    # The same draws both times. A timer rings late on a busy machine, never early.
    assert min(first) >= 0.5 and len({round(ms) for ms in first}) > 3
    floor = [min(pair) for pair in zip(first, again, strict=True)]
    assert sum(ms >= 9 for ms in floor) >= 4


def test_a_brownout_grows(stripe: Faulty) -> None:
    now = stripe.thread.call(lambda: stripe.schedule.now_ns)
    ramp = plan("latency", at_ns=now, ramp_ns=3600 * 10**9, params={"add": 3600 * 10**9})
    with stripe.on(ramp) as fault:
        # Each request comes 20 ms of the ramp later than the one before; a second of the ramp adds a second.
        steps = itertools.count(1)
        fault.now_ns = lambda: now + next(steps) * 20 * MS
        for number in range(4):
            stripe_call(stripe.connection(), "POST", PAY, stripe_payment(f"o{number}"))
        # The loop counts its timers from when it last looked at the clock: on a busy machine they come early.
        assert all(ms >= 20 * number - 10 for number, ms in enumerate(taken_ms(stripe), 1))
        assert fault.hits == 4


def test_a_ramp_of_an_error_touches_more_and_more(stripe: Faulty) -> None:
    ramp = plan("http_error", ramp_ns=3600 * 10**9)
    with stripe.on(ramp) as fault:
        connection = stripe.connection()

        def failed(intensity: float) -> int:
            fault.now_ns = lambda: round(intensity * 3600 * 10**9)
            return sum(stripe_call(connection, "GET", PAY)[0] == 503 for _ in range(100))

        # Six standard deviations around 50: about one seed in a thousand million.
        assert failed(0.0) == 0 and 20 <= failed(0.5) <= 80 and failed(1.0) == 100


def test_a_rate_limit_is_refused_in_each_gateways_words(
    stripe: Faulty, adyen: Faulty, paypal: Faulty, gocardless: Faulty
) -> None:
    limit = plan("rate_limit", params={"requests": 3, "per": 3600 * 10**9})
    with stripe.on(limit) as fault:
        client = sdk(stripe)
        for _ in range(3):
            client.v1.payment_intents.create(CREATED)
        with pytest.raises(stripe_sdk.RateLimitError) as refused:
            client.v1.payment_intents.create(CREATED)
        assert refused.value.headers is not None
        assert refused.value.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
        assert fault.hits == 1 and len(stripe.movements) == 3
        assert [request.fault for request in stripe.requests] == ["", "", "", "rate_limit"]
    with adyen.on(limit):
        answers = [adyen_call(adyen.connection(), "/v72/payments", adyen_payment()) for _ in range(4)]
        assert [answer[0] for answer in answers] == [200, 200, 200, 429]
        assert answers[-1][2]["errorType"] == "security" and len(adyen.movements) == 3
    bearer = paypal_token(paypal)
    with paypal.on(limit):
        paths = [paypal.json("GET", "/v2/checkout/orders/X", None, bearer) for _ in range(4)]
        assert [answer[0] for answer in paths] == [404, 404, 404, 429]
        assert paths[-1][2]["name"] == "RATE_LIMIT_REACHED"
    with gocardless.on(limit):
        listed = [gocardless.json("GET", "/payments", None, GOCARDLESS) for _ in range(4)]
        assert [answer[0] for answer in listed] == [200, 200, 200, 429]
        headers = listed[-1][1]
        assert (headers["ratelimit-limit"], headers["ratelimit-remaining"]) == ("3", "0")
        reset = parsedate_to_datetime(headers["ratelimit-reset"])
        assert 3500 < (reset - parsedate_to_datetime(headers["date"])).total_seconds() < 3700


def test_a_rate_limit_lets_requests_through_again(stripe: Faulty) -> None:
    with stripe.on(plan("rate_limit", params={"requests": 2, "per": 10**9})) as fault:
        now = 10**18
        fault.now_ns = lambda: now
        fault.start()
        connection = stripe.connection()

        def statuses(count: int) -> list[int]:
            return [stripe_call(connection, "GET", PAY)[0] for _ in range(count)]

        assert statuses(3) == [200, 200, 429]
        now += 5 * 10**8
        assert statuses(2) == [200, 429]
        now += 10**9
        assert statuses(3) == [200, 200, 429]


def test_an_empty_body_hides_a_payment(stripe: Faulty) -> None:
    with stripe.on(plan("empty_body")) as fault:
        connection = stripe.connection()
        connection.request("GET", "/health")
        with connection.getresponse() as response:
            assert (response.status, response.read()) == (200, b"")
            assert response.getheader("content-length") == "0"
        with pytest.raises(stripe_sdk.APIError, match="Invalid response body"):
            sdk(stripe).v1.payment_intents.create(CREATED, {"idempotency_key": "k"})
        assert fault.hits == 2 and stripe.money() == [("capture", 700)]
    assert sdk(stripe).v1.payment_intents.create(CREATED, {"idempotency_key": "k"}).status == "succeeded"
    assert stripe.money() == [("capture", 700)]


@pytest.mark.parametrize("shape", ["cut", "page"])
def test_a_malformed_body_cannot_be_read(stripe: Faulty, shape: str) -> None:
    with stripe.on(plan("malformed_body", params={"shape": shape})) as fault:
        answer = httpx.get(f"{stripe.url}/health", trust_env=False)
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
        with pytest.raises(json.JSONDecodeError):
            answer.json()
        assert answer.text.startswith("<html>") == (shape == "page")
        with pytest.raises(stripe_sdk.APIError, match="Invalid response body"):
            sdk(stripe).v1.payment_intents.create(CREATED)
        assert fault.hits == 2 and stripe.money() == [("capture", 700)]
    assert httpx.get(f"{stripe.url}/health", trust_env=False).json() == {"status": "ok"}


def test_a_contradictory_body_turns_the_outcome_round(
    stripe: Faulty, adyen: Faulty, paypal: Faulty, gocardless: Faulty
) -> None:
    wrong = plan("contradictory_body")
    with stripe.on(wrong) as fault:
        paid = sdk(stripe).v1.payment_intents.create(CREATED, {"idempotency_key": "k"})
        assert paid.status == "requires_payment_method" and paid.amount_received == 0
        declined = sdk(stripe).v1.payment_intents.create(DECLINED)
        assert declined.status == "succeeded" and declined.amount_received == 700
        assert fault.hits == 2 and stripe.money() == [("capture", 700)]
    assert sdk(stripe).v1.payment_intents.retrieve(paid.id).status == "succeeded"
    assert sdk(stripe).v1.payment_intents.create(CREATED, {"idempotency_key": "k"}).status == "succeeded"
    with adyen.on(wrong) as fault:
        call = adyen.connection()
        assert adyen_call(call, "/v72/payments", adyen_payment())[2]["resultCode"] == "Refused"
        refused = adyen_payment("o2", holderName="DECLINED")
        assert adyen_call(call, "/v72/payments", refused)[2]["resultCode"] == "Authorised"
        assert adyen.money() == [("capture", 1290)] and fault.hits == 2
    bearer = {**paypal_token(paypal), "PayPal-Request-Id": "k"}
    with paypal.on(wrong):
        status, _, body = paypal.json("POST", "/v2/checkout/orders", paypal_order("o1"), bearer)
        (capture,) = body["purchase_units"][0]["payments"]["captures"]
        assert (status, capture["status"]) == (200, "DECLINED") and paypal.money() == [("capture", 1290)]
    payment = gocardless_payment(gocardless_mandate(gocardless))
    with gocardless.on(wrong):
        status, _, body = gocardless.json("POST", "/payments", payment, GOCARDLESS)
        assert (status, body["payments"]["status"]) == (200, "failed")
    read = gocardless.json("GET", f"/payments/{body['payments']['id']}", None, GOCARDLESS)
    assert read[2]["payments"]["status"] == "pending_submission"


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"null", b'"x"', b'{"error": 1}', b"<html>", b'{"payments": 3}']
)
@pytest.mark.parametrize("status", [200, 402, 503])
def test_what_says_nothing_of_a_payment_is_left_alone(
    gateway: str, body: bytes, status: int, request: Any
) -> None:
    served: Faulty = request.getfixturevalue(gateway)
    assert served.gateway.contradiction(Reply(status, body)) is None


def test_a_stale_read_lags_behind_the_write(stripe: Faulty) -> None:
    with stripe.on(plan("stale_read", params={"lag": 3600 * 10**9})) as fault:
        connection = stripe.connection()
        made = stripe_call(connection, "POST", PAY, {**stripe_payment(), "confirm": "false"})[2]
        path = f"{PAY}/{made['id']}"
        # It did not exist before it was made.
        assert stripe_call(connection, "GET", path)[0] == 404
        assert stripe_call(connection, "POST", f"{path}/confirm")[2]["status"] == "succeeded"
        assert stripe_call(connection, "GET", path)[2]["status"] == "requires_confirmation"
        assert fault.hits == 2 and stripe.money() == [("capture", 1290)]
        now = stripe.thread.call(lambda: stripe.schedule.now_ns)
        fault.now_ns = lambda: now + 3600 * 10**9 + 20 * 10**9
        assert stripe_call(connection, "GET", path)[2]["status"] == "succeeded"
        assert fault.hits == 2
    assert stripe_call(stripe.connection(), "GET", path)[2]["status"] == "succeeded"
    faults = [request.fault for request in stripe.requests]
    assert faults == ["", "stale_read", "", "stale_read", "", ""]


def test_a_stale_read_tells_the_truth_of_what_it_does_not_know(stripe: Faulty, gocardless: Faulty) -> None:
    made = stripe_call(stripe.connection(), "POST", PAY, {**stripe_payment(), "confirm": "false"})[2]
    path = f"{PAY}/{made['id']}"
    with stripe.on(plan("stale_read", params={"lag": 3600 * 10**9})) as fault:
        connection = stripe.connection()
        stripe_call(connection, "POST", f"{path}/confirm")
        assert stripe_call(connection, "GET", path)[2]["status"] == "succeeded"
        assert stripe_call(connection, "GET", PAY)[2]["data"][0]["id"] == made["id"]
        assert fault.hits == 0
    payment = gocardless_payment(gocardless_mandate(gocardless))
    with gocardless.on(plan("stale_read", params={"lag": 3600 * 10**9})) as fault:
        debit = gocardless.json("POST", "/payments", payment, GOCARDLESS)[2]["payments"]["id"]
        assert gocardless.json("GET", f"/payments/{debit}", None, GOCARDLESS)[0] == 404
        gocardless.json("POST", f"/payments/{debit}/actions/cancel", {}, GOCARDLESS)
        read = gocardless.json("GET", f"/payments/{debit}", None, GOCARDLESS)
        assert read[2]["payments"]["status"] == "pending_submission" and fault.hits == 2


@pytest.mark.parametrize(
    ("fault", "params", "word"),
    [
        ("latency", {"p50": MS}, "go together"),
        ("latency", {"p50": 2 * MS, "p99": MS}, "not below"),
        ("rate_limit", {"requests": 0}, "above 0"),
        ("rate_limit", {"requests": 1.5}, "whole number"),
        ("stale_read", {"lag": 0}, "above 0"),
        ("malformed_body", {"shape": "round"}, "cut or page"),
        ("commit_then_lose", {"look": "sad"}, "timeout or reset or error"),
        ("fee_drift", {"by": 0.0}, "nothing drifts"),
    ],
)
def test_impossible_parameters(stripe: Faulty, fault: str, params: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        stripe.thread.call(lambda: stripe.schedule.add(plan(fault, params=params)))
