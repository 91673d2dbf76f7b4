"""The token buckets of a rate limit, and Stripe's limit through Stripe's own SDK."""

from __future__ import annotations

import math

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.rate_limit import ENDPOINT, WHOLE, Bucket, Limit, Limits, RateLimit
from mocks.mock_clock import MockClock
from tests.mocks.running import Running


@given(
    requests=st.integers(1, 50),
    period=st.sampled_from([0.5, 1.0, 60.0]),
    windowed=st.booleans(),
    waits=st.lists(st.floats(0, 2), max_size=80),
)
def test_no_period_lets_more_through_than_a_full_bucket_and_what_came_back(
    requests: int, period: float, windowed: bool, waits: list[float]
) -> None:
    now = 1000.0
    bucket = Bucket(Limit(requests, period, windowed), now)
    times: list[float] = []
    for wait in waits:
        now += wait * period / requests
        if bucket.left(now):
            bucket.take()
            times.append(now)
    for first in range(len(times)):
        for last in range(first, len(times)):
            span = times[last] - times[first]
            if windowed:
                most = requests * (1 + int(times[last] // period - times[first] // period))
            else:
                most = requests + math.ceil(span * requests / period + 1e-6)
            assert last - first + 1 <= most


def test_tokens_come_back_one_by_one_or_all_at_the_end_of_the_window() -> None:
    smooth, windowed = Bucket(Limit(4, 2.0), 100.0), Bucket(Limit(4, 60.0, windowed=True), 119.0)
    for _ in range(4):
        assert smooth.left(100.0) and windowed.left(119.0)
        smooth.take()
        windowed.take()
    assert smooth.left(100.0) == 0 and smooth.resets_at(100.0) == 102.0
    assert (smooth.left(100.49), smooth.left(100.5), smooth.left(101.6), smooth.left(200.0)) == (0, 1, 3, 4)
    assert windowed.resets_at(119.0) == 120.0
    assert (windowed.left(119.99), windowed.left(120.0)) == (0, 4)


def test_an_endpoint_has_its_limit_beside_that_of_all() -> None:
    clock = MockClock(lambda: 5.0)
    limits = Limits(Limit(5), endpoint=Limit(2), endpoints={"slow": Limit(1)})
    limit = RateLimit(clock, limits)
    assert [limit.refusal("slow") for _ in range(9)] == [""] * 9 and limit.left() == 0
    limit.enforce()
    assert [limit.refusal("slow") for _ in range(2)] == ["", ENDPOINT]
    assert [limit.refusal("a") for _ in range(3)] == ["", "", ENDPOINT]
    # What was refused has taken nothing of the limit of all.
    assert [limit.refusal("b") for _ in range(3)] == ["", "", WHOLE]
    clock.advance(1)
    limit.enforce(3)
    assert [limit.refusal("slow") for _ in range(4)] == ["", "", "", WHOLE]
    with pytest.raises(ValueError, match="let nothing through"):
        limit.enforce(0)


def test_stripe_refuses_what_is_beyond_its_limit_and_keeps_no_key_for_it() -> None:
    with Running("stripe", rate_limit=True) as running:
        gateway = running.gateway
        assert gateway.rate_limit.enforced
        assert (gateway.rate_limit.limits.whole.requests, gateway.rate_limit.limits.endpoint) == (
            25,
            Limit(25),
        )
        client = stripe.StripeClient("sk_test_1", base_addresses={"api": running.url}, max_network_retries=0)
        payment = {"amount": 500, "currency": "eur"}
        # No token comes back while the test runs: the next is due in 2,000 seconds.
        slow = Limits(Limit(3, period_s=6000.0), endpoint=Limit(2, period_s=6000.0))
        gateway.rate_limit.limits = slow
        running.thread.call(gateway.rate_limit.enforce)
        client.v1.balance.retrieve()
        client.v1.balance.retrieve()
        for call, reason in ((client.v1.balance.retrieve, "endpoint-rate"), (None, "global-rate")):
            with pytest.raises(stripe.RateLimitError) as caught:
                if call is None:
                    client.v1.events.list()
                    client.v1.payment_intents.create(payment, {"idempotency_key": "k"})  # type: ignore[arg-type]
                else:
                    call()
            assert caught.value.http_status == 429 and caught.value.error is not None
            assert caught.value.error.code == "rate_limit"
            assert caught.value.headers is not None
            assert caught.value.headers["stripe-rate-limited-reason"] == reason
            assert "stripe-should-retry" not in caught.value.headers
        running.thread.call(lambda: gateway.mock_clock.advance(2000))
        intent = client.v1.payment_intents.create(payment, {"idempotency_key": "k"})  # type: ignore[arg-type]
        assert intent.status == "requires_payment_method"
        with pytest.raises(stripe.AuthenticationError):
            stripe.StripeClient("sk_live_1", base_addresses={"api": running.url}).v1.balance.retrieve()


def test_the_limit_is_off_by_default_and_a_number_replaces_it() -> None:
    with Running("stripe") as running:
        assert not running.gateway.rate_limit.enforced
    with Running("stripe", rate_limit=7) as running:
        assert running.gateway.rate_limit.limits == Limits(Limit(7))
