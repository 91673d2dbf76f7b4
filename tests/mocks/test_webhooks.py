"""The outbox against a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from journal.records import Webhook
from mocks.exchange import Exchange
from mocks.mock_clock import MockClock
from mocks.webhooks import Event, Outbox, Rules
from tests.mocks.serving import Serving


class Receiver:
    """Answers what ``statuses`` says, the last of them for good."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.bodies: list[str] = []
        self.signatures: list[str] = []
        self.serving = Serving(self._answer)

    def _answer(self, exchange: Exchange) -> None:
        self.bodies.append(exchange.request.body.decode())
        self.signatures.append(exchange.request.headers.get("x-signature", ""))
        exchange.answer(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


class Sending:
    """An outbox on the receiver's loop, with a clock that stands still."""

    def __init__(self, receiver: Receiver, **how: float) -> None:
        self.thread = receiver.serving.thread
        self.records: list[Webhook] = []
        self.clock = MockClock(lambda: 1_000_000.0)
        rules = Rules(
            event_id=lambda number: f"evt_{number}",
            sign=lambda body, at: (("x-signature", f"{at}:{len(body)}"),),
            redelivery_s=(10.0, 100.0),
        )
        self.outbox = Outbox("g", self.clock, rules, seed=7)
        self.outbox.record = self.records.append
        url = f"http://127.0.0.1:{receiver.serving.port}/hooks?x=1"
        self.thread.call(
            lambda: self.outbox.deliver_to(
                [url], jitter_s=how.get("jitter_s", 0.0), doubled=how.get("doubled", 0.0)
            )
        )

    def add(self, *kinds: str) -> None:
        self.thread.call(lambda: [self.outbox.add(kind, _render) for kind in kinds])
        self.until(lambda: self.outbox.idle)

    def advance(self, seconds: float) -> None:
        self.thread.call(lambda: self.clock.advance(seconds))
        self.until(lambda: self.outbox.idle)

    def until(self, condition: Callable[[], bool]) -> None:
        async def wait() -> None:
            async with asyncio.timeout(9):
                while not condition():
                    await asyncio.sleep(0.001)

        self.thread.wait(wait())


def _render(event: Event) -> bytes:
    return f"{event.id} {event.kind} {event.created}".encode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with receiver.serving:
        yield receiver


@pytest.fixture
def sending(receiver: Receiver) -> Iterator[Sending]:
    sending = Sending(receiver)
    try:
        yield sending
    finally:
        sending.thread.wait(sending.outbox.close())


def test_events_are_delivered_once_signed_and_written_down(receiver: Receiver, sending: Sending) -> None:
    sending.add("one", "two", "three")
    assert sorted(receiver.bodies) == [
        "evt_0 one 1000000",
        "evt_1 two 1000000",
        "evt_2 three 1000000",
    ]
    assert set(receiver.signatures) == {"1000000:17", "1000000:19"}
    assert sorted((w.event_id, w.kind, w.attempt, w.status) for w in sending.records) == [
        ("evt_0", "one", 1, 200),
        ("evt_1", "two", 1, 200),
        ("evt_2", "three", 1, 200),
    ]
    assert all(w.delivered_ns is not None and w.delivered_ns >= w.due_ns for w in sending.records)


def test_a_failed_delivery_is_tried_again_by_the_schedule(receiver: Receiver, sending: Sending) -> None:
    receiver.statuses = [500, 302, 200]
    sending.add("one")
    sending.advance(9)
    assert len(receiver.bodies) == 1
    sending.advance(1)
    assert len(receiver.bodies) == 2
    sending.advance(100)
    assert len(receiver.bodies) == 3 and len(set(receiver.bodies)) == 1
    assert [(w.attempt, w.status) for w in sending.records] == [(1, 500), (2, 302), (3, 200)]
    # Signed anew each time: a receiver refuses time stamps that are too old.
    assert receiver.signatures == ["1000000:17", "1000010:17", "1000110:17"]
    sending.advance(10_000)
    assert len(receiver.bodies) == 3 and sending.outbox.waiting == 0


def test_after_the_last_attempt_it_is_given_up(receiver: Receiver, sending: Sending) -> None:
    receiver.statuses = [503]
    sending.add("one")
    for _ in range(4):
        sending.advance(100)
    assert [w.attempt for w in sending.records] == [1, 2, 3]
    assert (sending.outbox.abandoned, sending.outbox.waiting) == (1, 0)


def test_a_receiver_that_is_gone_leaves_status_0(receiver: Receiver, sending: Sending) -> None:
    sending.thread.call(receiver.serving.server.refuse)
    sending.add("one")
    assert [(w.status, w.delivered_ns) for w in sending.records] == [(0, None)]
    sending.thread.call(receiver.serving.server.resume)
    sending.advance(10)
    assert [w.status for w in sending.records] == [0, 200]


def test_jitter_lets_events_overtake_the_same_way_for_the_same_seed(receiver: Receiver) -> None:
    orders = []
    for _ in range(2):
        sending = Sending(receiver, jitter_s=5.0)
        try:
            receiver.bodies.clear()
            sending.add(*[f"k{number}" for number in range(8)])
            assert receiver.bodies == []
            for _ in range(500):
                sending.advance(0.01)
            orders.append(list(receiver.bodies))
        finally:
            sending.thread.wait(sending.outbox.close())
    assert orders[0] == orders[1] and len(orders[0]) == 8
    assert orders[0] != sorted(orders[0])


def test_doubled_deliveries_arrive_twice(receiver: Receiver) -> None:
    sending = Sending(receiver, doubled=1.0)
    try:
        sending.add("one")
        assert receiver.bodies == ["evt_0 one 1000000"] * 2
    finally:
        sending.thread.wait(sending.outbox.close())


def test_a_dark_gateway_delivers_when_it_is_back(receiver: Receiver, sending: Sending) -> None:
    sending.thread.call(sending.outbox.hold)
    sending.thread.call(lambda: sending.outbox.add("one", _render))
    assert receiver.bodies == [] and not sending.outbox.idle
    sending.thread.call(sending.outbox.release)
    sending.until(lambda: sending.outbox.idle)
    assert len(receiver.bodies) == 1


def test_events_are_found_by_id(sending: Sending) -> None:
    sending.add("one", "two")
    found = sending.outbox.find("evt_1")
    assert found is sending.outbox[1] and found.kind == "two"
    assert sending.outbox.find("evt_2") is None


@pytest.mark.parametrize("url", ["http://example.test/", "https://127.0.0.1/", "http://10.0.0.1:80", "x", ""])
def test_only_loopback_gets_webhooks(url: str) -> None:
    rules = Rules(event_id=str, sign=lambda body, at: (), redelivery_s=())
    with pytest.raises(ValueError, match="no place for webhooks"):
        Outbox("g", MockClock(), rules, 1).deliver_to([url])
