"""Webhooks: signed as the SDK verifies them, delivered by the outbox."""

from __future__ import annotations

import pytest
from gocardless_pro import webhooks  # type: ignore[import-untyped]
from gocardless_pro.errors import InvalidSignatureError  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.gocardless.webhooks import LARGEST_BATCH, batches, signature
from mocks.http import Exchange
from tests.mocks.running import Running
from tests.mocks.serving import Serving
from tests.mocks_gocardless.sdk import client, mandate, pay, simulate


@given(st.text(min_size=1, max_size=30), st.integers(0, 3))
def test_signatures_are_those_of_the_sdk(secret: str, number: int) -> None:
    (body,) = batches([{"id": f"EV{n}"} for n in range(number + 1)], "WB1")
    result = webhooks.parse_with_meta(body, secret, signature(secret, body))
    assert [event.id for event in result.events] == [f"EV{n}" for n in range(number + 1)]
    assert result.webhook_id == "WB1"
    with pytest.raises(InvalidSignatureError):
        webhooks.parse(body + b" ", secret, signature(secret, body))
    with pytest.raises(InvalidSignatureError):
        webhooks.parse(body, secret + "x", signature(secret, body))


@pytest.mark.parametrize(("events", "sizes"), [(0, []), (1, [1]), (250, [250]), (251, [250, 1])])
def test_batches_hold_at_most_250_events(events: int, sizes: list[int]) -> None:
    bodies = list(batches([{"id": f"EV{n}"} for n in range(events)], "WB1"))
    found = [webhooks.parse(body, "s", signature("s", body)) for body in bodies]
    assert [len(batch) for batch in found] == sizes and max(sizes, default=0) <= LARGEST_BATCH
    assert [event.id for batch in found for event in batch] == [f"EV{n}" for n in range(events)]


def test_every_event_is_delivered_and_verified_by_the_sdk() -> None:
    got: list[tuple[bytes, str]] = []

    def receive(exchange: Exchange) -> None:
        got.append((exchange.request.body, exchange.request.headers["webhook-signature"]))
        exchange.answer(204)

    with Serving(receive) as receiver, Running("gocardless") as running:
        url = f"http://127.0.0.1:{receiver.port}/hooks"
        running.thread.call(lambda: running.gateway.outbox.deliver_to([url]))
        sdk = client(running)
        payment = pay(sdk, mandate(sdk).id, "hook")
        simulate(sdk, "payment_paid_out", payment.id)
        listed = {event.id for event in sdk.events.all()}
        running.until(lambda: len(got) >= len(listed) and running.gateway.outbox.idle, "all were delivered")
        secret = running.gateway.webhook_secret
        delivered = [event for body, sign in got for event in webhooks.parse(body, secret, sign)]
        assert {event.id for event in delivered} == listed and len(delivered) == len(listed)
        confirmed = next(event for event in delivered if event.action == "confirmed")
        assert confirmed.links.payment == payment.id and confirmed.details.cause == "payment_confirmed"
        polled = sdk.events.get(confirmed.id)
        assert polled.attributes == confirmed.attributes, "the same event, polled and delivered"
        assert running.gateway.outbox.find(confirmed.id) is not None
        running.thread.wait(running.gateway.outbox.close())
