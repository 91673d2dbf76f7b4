"""Webhooks that arrive before the answer to the request that brought them about."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.mocks.running import Running, stripe_call, stripe_payment
from tests.mocks.test_faults import LONG, MS, plan
from tests.webhook_faults.receiver import GATEWAYS, end, pay, settled, told, webhooks, webhooks_now

PAYS = {
    "stripe": "payment_intents.create",
    "adyen": "payments",
    "paypal": "orders.capture",
    "gocardless": "payments.create",
}


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_answer_comes_after_its_webhooks(gateway: str) -> None:
    with told(gateway, plan("webhook_early", params={"within": 20_000 * MS})) as (running, receiver):
        pay(running, "o1")
        settled(running)
        request = next(row for row in running.requests if row.endpoint == PAYS[gateway])
        assert request.fault == "webhook_early" and request.status in (200, 201)
        early = [w for w in webhooks(running) if w.fault]
        assert early and {w.fault for w in early} == {"webhook_early"}
        assert request.answered_ns is not None
        assert all(w.delivered_ns is not None and w.delivered_ns <= request.answered_ns for w in early)
        assert all(heard.good for heard in receiver.heard)
        others = [row for row in running.requests if row.endpoint not in PAYS.values()]
        assert {row.fault for row in others} <= {""}


class Asking(threading.Thread):
    """A client that waits for the answer to a payment."""

    def __init__(self, running: Running) -> None:
        super().__init__(daemon=True)
        self.connection = running.connection()
        self.answer: Any = None

    def run(self) -> None:
        self.answer = stripe_call(self.connection, "POST", "/v1/payment_intents", stripe_payment())


def test_no_answer_comes_while_the_receiver_has_not_accepted() -> None:
    one = plan("webhook_early", params={"within": LONG}, match={"event": ["payment_intent.succeeded"]})
    with told("stripe", one) as (running, receiver):
        receiver.open.clear()
        asking = Asking(running)
        asking.start()
        count = 3
        running.until(lambda: len(receiver.heard) >= count, "the webhooks have come")
        assert asking.is_alive() and running.requests == []
        assert len(running.movements) == 1, "the money has moved"
        receiver.let_go()
        asking.join(20)
        assert asking.answer[0] == 200 and asking.answer[2]["status"] == "succeeded"
        (request,) = running.requests
        assert (request.fault, request.status) == ("webhook_early", 200)
        settled(running)
        touched = [w for w in webhooks(running) if w.fault]
        assert [w.kind for w in touched] == ["payment_intent.succeeded"]
        assert running.thread.call(lambda: running.gateway.outbox.faults[0].hits) == 1


def test_an_answer_waits_no_longer_than_it_may() -> None:
    with told("stripe", plan("webhook_early", params={"within": 120 * MS})) as (running, receiver):
        receiver.open.clear()
        status, _, _ = stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment())
        (request,) = running.requests
        assert status == 200 and request.answered_ns is not None
        assert request.answered_ns - request.received_ns >= 119 * MS
        assert webhooks(running) == [], "no webhook was accepted"


def test_answers_that_wait_go_out_when_the_fault_ends() -> None:
    with told("stripe", plan("webhook_early", params={"within": LONG})) as (running, receiver):
        receiver.open.clear()
        asking = Asking(running)
        asking.start()
        running.until(lambda: bool(receiver.heard), "a webhook has come")
        end(running)
        asking.join(20)
        assert asking.answer[0] == 200
        assert running.fault_events[-1].hits == 1


def test_an_outage_takes_the_waiting_answer_with_it() -> None:
    with told("stripe", plan("webhook_early", params={"within": LONG})) as (running, receiver):
        receiver.open.clear()
        failed: list[str] = []
        connection = running.connection()

        def ask() -> None:
            try:
                stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment())
            except OSError as error:
                failed.append(type(error).__name__)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        running.until(lambda: bool(receiver.heard), "a webhook has come")
        running.thread.call(lambda: running.gateway.go_dark("outage"))
        asking.join(20)
        assert failed
        (request,) = running.requests
        assert (request.status, request.fault) == (0, "webhook_early+outage")
        running.thread.call(running.gateway.come_back)
        end(running)
        assert len(running.requests) == 1, "it is not answered after all"
        assert stripe_call(running.connection(), "GET", "/v1/payment_intents")[0] == 200


def test_requests_that_bring_nothing_about_are_no_hits() -> None:
    with told("stripe", plan("webhook_early", params={"within": LONG})) as (running, _):
        connection = running.connection()
        assert stripe_call(connection, "GET", "/v1/payment_intents")[0] == 200
        bad = stripe_payment() | {"amount": "x"}
        assert stripe_call(connection, "POST", "/v1/payment_intents", bad)[0] == 400
        assert {row.fault for row in running.requests} == {""}
        assert running.thread.call(lambda: running.gateway.outbox.faults[0].hits) == 0


def test_without_a_receiver_nothing_waits() -> None:
    with Running("stripe", faults=(plan("webhook_early", params={"within": LONG}),)) as running:
        assert stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment())[0] == 200
        assert running.thread.call(lambda: running.gateway.outbox.faults[0].hits) == 0


def test_its_share_is_one_of_payments() -> None:
    one = plan("webhook_early", share=0.3, endpoint="payment_intents.create")
    with told("stripe", one) as (running, _):
        for number in range(60):
            pay(running, f"o{number}")
        settled(running)
        touched = [row.fault for row in running.requests if row.fault]
        # 99.9999% of a binomial distribution with n = 60 and p = 0.3
        assert 3 <= len(touched) <= 36
        rows = running.thread.call(lambda: webhooks_now(running))
        assert len({w.fault for w in rows}) == 2
