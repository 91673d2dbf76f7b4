"""Webhook endpoints through Stripe's own SDK, with real receivers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from mocks import webhooks
from mocks.exchange import Exchange
from mocks.inprocess import gateways
from mocks.mock_clock import MockClock
from mocks.webhooks import Outbox, Rules
from tests.mocks.running import Running
from tests.mocks.serving import Serving
from tests.mocks_stripe_money.sdk import DAY, advance, pay


class Receiver:
    """Takes deliveries; answers ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.taken: list[tuple[str, bytes, str]] = []
        self._changed = threading.Condition()
        self._serving = Serving(self._take)

    def _take(self, exchange: Exchange) -> None:
        request = exchange.request
        with self._changed:
            self.taken.append((request.path, request.body, request.headers["stripe-signature"]))
            self._changed.notify_all()
        exchange.answer(self.status)

    def __enter__(self) -> Receiver:
        self._serving.__enter__()
        self.url = f"http://127.0.0.1:{self._serving.port}"
        return self

    def __exit__(self, *what: Any) -> None:
        self._serving.__exit__(*what)

    def wait(self, count: int) -> list[tuple[str, bytes, str]]:
        """The deliveries, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.taken) >= count, 20), f"{len(self.taken)} came"
            return list(self.taken)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def settled(client: stripe.StripeClient, running: Running) -> None:
    running.until(lambda: running.gateway.outbox.idle, "all is delivered")


def test_an_endpoint_gets_its_events_signed_with_its_secret(
    client: stripe.StripeClient, running: Running, receiver: Receiver
) -> None:
    endpoints = client.v1.webhook_endpoints
    wanted = endpoints.create({"url": f"{receiver.url}/paid", "enabled_events": ["payment_intent.succeeded"]})
    every = endpoints.create(
        {"url": f"{receiver.url}/all", "enabled_events": ["*"], "metadata": {"a": "b"}, "description": "d"}
    )
    assert wanted.secret and every.secret and wanted.secret != every.secret
    assert wanted.status == "enabled" and wanted.id.startswith("we_")
    again = endpoints.retrieve(wanted.id)
    assert not hasattr(again, "secret") and again.url == f"{receiver.url}/paid"
    options: Any = {"idempotency_key": "key-1"}
    payment: Any = {"amount": 500, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    intent = client.v1.payment_intents.create(payment, options)
    seen = {"/paid": [], "/all": []}  # type: dict[str, list[stripe.Event]]
    for path, body, header in receiver.wait(4):
        secret = wanted.secret if path == "/paid" else every.secret
        event = stripe.Webhook.construct_event(body, header, secret)
        seen[path].append(event)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, header, "whsec_other")
        assert event.request is not None and event.request.idempotency_key == "key-1"
        assert intent.last_response is not None
        assert event.request.id == intent.last_response.request_id
        assert event.pending_webhooks >= 1
    assert [event.type for event in seen["/paid"]] == ["payment_intent.succeeded"]
    assert sorted(str(event.type) for event in seen["/all"]) == [
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]
    settled(client, running)
    assert client.v1.events.retrieve(seen["/paid"][0].id).pending_webhooks == 0


def test_pending_webhooks_and_delivery_success_tell_the_truth(
    client: stripe.StripeClient, running: Running, receiver: Receiver
) -> None:
    receiver.status = 500
    with Receiver() as good:
        for url in (receiver.url, good.url):
            client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["payment_intent.succeeded"]})
        pay(client)
        receiver.wait(1)
        good.wait(1)
        settled(client, running)
        (event,) = client.v1.events.list({"delivery_success": False}).data
        assert (str(event.type), event.pending_webhooks) == ("payment_intent.succeeded", 1)
        assert len(client.v1.events.list({"delivery_success": True}).data) == 2
        receiver.status = 200
        advance(running, 6)
        receiver.wait(2)
        settled(client, running)
        assert client.v1.events.retrieve(event.id).pending_webhooks == 0
        assert client.v1.events.list({"delivery_success": False}).data == []


def test_what_time_alone_causes_names_no_request(client: stripe.StripeClient, running: Running) -> None:
    pay(client, capture_method="manual")
    advance(running, 7 * DAY)
    (event,) = client.v1.events.list({"type": "payment_intent.canceled"}).data
    assert event.request is not None
    assert (event.request.id, event.request.idempotency_key) == (None, None)
    (event,) = client.v1.events.list({"type": "payment_intent.created"}).data
    assert event.request is not None and str(event.request.id).startswith("req_")


def test_an_endpoint_is_changed_disabled_and_deleted(
    client: stripe.StripeClient, running: Running, receiver: Receiver
) -> None:
    endpoints = client.v1.webhook_endpoints
    endpoint = endpoints.create({"url": f"{receiver.url}/a", "enabled_events": ["payment_intent.succeeded"]})
    assert endpoints.update(endpoint.id, {"disabled": True}).status == "disabled"
    pay(client)
    changed = endpoints.update(
        endpoint.id,
        {"disabled": False, "url": f"{receiver.url}/b", "enabled_events": ["charge.succeeded"]},
    )
    assert (changed.status, changed.url) == ("enabled", f"{receiver.url}/b")
    pay(client)
    receiver.wait(1)
    endpoints.update(endpoint.id, {"enabled_events": ["payment_intent.created"]})
    pay(client)
    receiver.wait(2)
    gone = endpoints.delete(endpoint.id)
    assert gone.deleted and gone.id == endpoint.id
    pay(client)
    settled(client, running)
    assert [(path, json.loads(body)["type"]) for path, body, _ in receiver.taken] == [
        ("/b", "charge.succeeded"),
        ("/b", "payment_intent.created"),
    ]
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        endpoints.retrieve(endpoint.id)
    assert endpoints.list().data == []


def test_an_event_whose_endpoint_is_gone_is_not_pending(
    client: stripe.StripeClient, running: Running, receiver: Receiver
) -> None:
    receiver.status = 500
    endpoint = client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["charge.succeeded"]}
    )
    pay(client)
    receiver.wait(1)
    settled(client, running)
    client.v1.webhook_endpoints.delete(endpoint.id)
    advance(running, 6)
    (event,) = client.v1.events.list({"type": "charge.succeeded"}).data
    assert event.pending_webhooks == 0 and len(receiver.taken) == 1


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"url": "https://example.test/hooks", "enabled_events": ["*"]}, "url", "url_invalid"),
        ({"url": "http://10.0.0.1/", "enabled_events": ["*"]}, "url", "url_invalid"),
        ({"url": "hooks", "enabled_events": ["*"]}, "url", "url_invalid"),
        ({"enabled_events": ["*"]}, "url", "parameter_missing"),
        ({"url": "http://127.0.0.1:9/"}, "enabled_events", "parameter_missing"),
        ({"url": "http://127.0.0.1:9/", "enabled_events": ["No Event"]}, "enabled_events", None),
        ({"url": "http://127.0.0.1:9/", "enabled_events": "text"}, "enabled_events", None),
        ({"url": "http://127.0.0.1:9/", "enabled_events": ["*"], "hat": "x"}, "hat", "parameter_unknown"),
    ],
)
def test_what_is_no_endpoint(
    client: stripe.StripeClient, parameters: Any, param: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.webhook_endpoints.create(parameters)
    assert (caught.value.http_status, caught.value.param, caught.value.code) == (400, param, code)


def test_sixteen_endpoints_are_listed_page_by_page_and_no_more_are_made(client: stripe.StripeClient) -> None:
    new: Any = {"url": "http://127.0.0.1:9/", "enabled_events": ["payout.paid"]}
    made = [client.v1.webhook_endpoints.create(new).id for _ in range(16)]
    assert [row.id for row in client.v1.webhook_endpoints.list({"limit": 5}).auto_paging_iter()] == made[::-1]
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        client.v1.webhook_endpoints.create(new)


def test_in_process_an_endpoint_delivers_nothing_and_breaks_nothing() -> None:
    with gateways("stripe") as g:
        client = stripe.StripeClient("sk_test_1", http_client=stripe.HTTPXClient(allow_sync_methods=True))
        client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
        assert pay(client).status == "succeeded"
        assert [movement.amount_minor for movement in g.stripe.ledger] == [1290]


def test_the_count_of_pending_deliveries_does_not_grow_without_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "KEPT", 10)
    rules = Rules(event_id=str, sign=lambda body, at: (), redelivery_s=())
    outbox = Outbox("g", MockClock(), rules, 1)
    outbox.add_endpoint("http://127.0.0.1:9/")
    for _ in range(50):
        event = outbox.add("x", lambda event: b"")
    assert outbox.pending(event) == 1 and len(outbox._pending) <= 21
