"""Webhooks that are lost, late, doubled, dammed up and out of order: what a receiver sees of each."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest

from mocks.faults import FAULTS
from mocks.faults.fault import Target
from mocks.webhooks import Event
from tests.mocks.running import Running, stripe_call, stripe_payment
from tests.mocks.test_faults import LONG, MS, plan
from tests.webhook_faults.receiver import GATEWAYS, end, pay, settled, told, webhooks, webhooks_now


def hits(running: Running) -> int:
    """Of the one fault that is on."""
    return running.thread.call(lambda: running.gateway.outbox.faults[0].hits)


def happen(running: Running, count: int) -> list[str]:
    """So many events in one moment; returns their identifiers, in order."""
    outbox = running.gateway.outbox
    return running.thread.call(lambda: [outbox.add("thing.happened", render).id for _ in range(count)])


def render(event: Event) -> bytes:
    return b'{"id": "%s", "object": "event", "type": "thing.happened"}' % event.id.encode()


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_what_is_lost_never_comes_and_counts_as_delivered(gateway: str) -> None:
    with told(gateway, plan("webhook_lost")) as (running, receiver):
        outbox = running.gateway.outbox
        pay(running, "o1")
        settled(running)
        lost = webhooks(running)
        assert lost and receiver.heard == []
        assert {(w.status, w.delivered_ns, w.fault, w.attempt) for w in lost} == {
            (0, None, "webhook_lost", 1)
        }
        assert outbox.waiting == 0 and not any(map(outbox.pending, outbox))
        assert hits(running) == len(lost)
        running.thread.call(lambda: running.gateway.mock_clock.advance(3600))
        settled(running)
        assert receiver.heard == [] or gateway == "adyen"  # its payouts are settled by its clock
        end(running)
        assert running.fault_events[-1].hits >= len(lost)
        pay(running, "o2")
        settled(running)
        assert receiver.heard and all(heard.good for heard in receiver.heard)
        assert webhooks(running)[-1].fault == ""


def test_first_attempts_that_are_lost_are_made_again() -> None:
    with told("stripe", plan("webhook_lost", params={"attempts": 2})) as (running, receiver):
        (name,) = happen(running, 1)
        for wait in (5, 300):
            running.until(lambda: running.gateway.outbox.waiting == 1, "the lost one waits")
            assert receiver.heard == []
            running.thread.call(lambda wait=wait: running.gateway.mock_clock.advance(wait))  # type: ignore[misc]
        running.until(lambda: len(webhooks_now(running)) == 3, "the third attempt was made")
        assert receiver.ids == [name]
        assert [(w.attempt, w.status, w.fault) for w in webhooks(running)] == [
            (1, 0, "webhook_lost"),
            (2, 0, "webhook_lost"),
            (3, 200, ""),
        ]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_what_is_delayed_comes_later_and_not_before(gateway: str) -> None:
    with told(gateway, plan("webhook_delayed", params={"by": 120 * MS})) as (running, receiver):
        pay(running, "o1")
        count = running.gateway.outbox.added
        running.until(lambda: len(webhooks_now(running)) == count, "all have come")
        assert len(receiver.heard) == count and all(heard.good for heard in receiver.heard)
        for row in webhooks(running):
            assert row.fault == "webhook_delayed" and row.status == 200
            assert row.delivered_ns is not None and row.delivered_ns - row.due_ns >= 119 * MS
        assert hits(running) == count


def test_a_delay_outlasts_its_fault() -> None:
    with told("stripe", plan("webhook_delayed", params={"by": 100 * MS})) as (running, receiver):
        happen(running, 2)
        end(running)
        running.until(lambda: len(webhooks_now(running)) == 2, "both have come")
        assert all(w.delivered_ns and w.delivered_ns - w.due_ns >= 99 * MS for w in webhooks(running))
        happen(running, 1)
        settled(running)
        assert len(receiver.heard) == 3 and webhooks(running)[-1].fault == ""


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_what_is_duplicated_comes_so_often_under_one_name(gateway: str) -> None:
    with told(gateway, plan("webhook_duplicated", params={"copies": 3})) as (running, receiver):
        pay(running, "o1")
        settled(running)
        outbox = running.gateway.outbox
        assert all(heard.good for heard in receiver.heard)
        assert set(Counter((heard.id, heard.kind) for heard in receiver.heard).values()) == {3}
        assert len(receiver.heard) == 3 * outbox.added
        assert {(w.fault, w.status, w.attempt) for w in webhooks(running)} == {("webhook_duplicated", 200, 1)}
        assert hits(running) == outbox.added and not any(map(outbox.pending, outbox))


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_burst_comes_when_the_fault_ends(gateway: str) -> None:
    with told(gateway, plan("webhook_burst")) as (running, receiver):
        pay(running, "o1")
        pay(running, "o2")
        outbox = running.gateway.outbox
        settled(running)
        assert receiver.heard == [] and hits(running) == outbox.added > 0
        assert all(outbox.pending(event) == 1 for event in outbox)
        end(running)
        settled(running)
        assert len(receiver.heard) == outbox.added and all(heard.good for heard in receiver.heard)
        assert {w.fault for w in webhooks(running)} == {"webhook_burst"}


def test_a_burst_comes_after_a_time_though_the_fault_is_on() -> None:
    with told("stripe", plan("webhook_burst", params={"after": 80 * MS})) as (running, receiver):
        for flood in (1, 2):
            happen(running, 5)
            running.until(lambda flood=flood: len(webhooks_now(running)) == 5 * flood, "the flood has come")  # type: ignore[misc]
        assert hits(running) == 10 and len(receiver.heard) == 10
        assert all(w.delivered_ns and w.delivered_ns - w.due_ns >= 79 * MS for w in webhooks(running))


def test_what_is_reordered_comes_in_the_order_that_the_seed_settles() -> None:
    orders = []
    for seed in (1, 1, 2):
        one = plan("webhook_reordered", params={"window": 30 * MS})
        with told("stripe", one, seed=seed) as (running, receiver):
            names = happen(running, 8)
            running.until(lambda: len(webhooks_now(running)) == 8, "all have come")
            assert sorted(receiver.ids) == sorted(names) and receiver.ids != names
            assert [w.event_id for w in webhooks(running)] == receiver.ids
            assert {w.fault for w in webhooks(running)} == {"webhook_reordered"} and hits(running) == 8
            orders.append([names.index(name) for name in receiver.ids])
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("gateway", ["stripe", "paypal"])
def test_the_events_of_one_payment_change_places(gateway: str) -> None:
    with told(gateway, plan("webhook_reordered", params={"window": 50 * MS})) as (running, receiver):
        if gateway == "stripe":
            stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment())
        else:
            pay(running, "o1")
        outbox = running.gateway.outbox
        running.until(lambda: len(webhooks_now(running)) == outbox.added, "all have come")
        assert all(heard.good for heard in receiver.heard)
        assert sorted(receiver.ids) == sorted(event.id for event in outbox)
        if gateway == "stripe":  # all of them happened in one moment
            assert receiver.ids != [event.id for event in outbox]


def test_what_is_held_for_reordering_comes_at_once_when_the_fault_ends() -> None:
    with told("stripe", plan("webhook_reordered", params={"window": LONG})) as (running, receiver):
        names = happen(running, 6)
        settled(running)
        assert receiver.heard == []
        end(running)
        settled(running)
        assert sorted(receiver.ids) == sorted(names)


def test_one_goes_at_a_time_however_many_windows_have_closed() -> None:
    with told("stripe", plan("webhook_reordered", params={"window": MS})) as (running, receiver):
        receiver.open.clear()
        fault: Any = running.gateway.outbox.faults[0]
        for count in (2, 5):
            happen(running, 3)
            running.until(lambda count=count: len(fault._going) == count, "the window has closed")  # type: ignore[misc]
        running.until(lambda: bool(receiver.heard), "the first has come")
        running.thread.call(lambda: None)
        assert len(receiver.heard) == 1
        receiver.let_go()
        running.until(lambda: len(webhooks_now(running)) == 6, "all have come")


def test_the_journal_tells_a_delay_in_real_time_on_a_fast_clock() -> None:
    one = plan("webhook_delayed", params={"by": 100 * MS})
    with told("stripe", one, clock_speed=10_000) as (running, _):
        happen(running, 1)
        running.until(lambda: bool(webhooks_now(running)), "it has come")
        (row,) = webhooks(running)
        # By the mock's clock it was a thousand seconds or more.
        assert row.delivered_ns is not None and 99 * MS <= row.delivered_ns - row.due_ns < 60_000 * MS


def test_a_reset_leaves_the_fault_on_and_forgets_what_was_held() -> None:
    with told("stripe", plan("webhook_burst")) as (running, receiver):
        happen(running, 4)
        running.thread.call(running.service.reset)
        happen(running, 4)
        assert receiver.heard == [] and hits(running) == 8
        end(running)
        running.until(lambda: len(receiver.heard) >= 4, "the new ones have come")
        settled(running)
        assert len(receiver.heard) == 4
        assert {w.fault for w in webhooks(running)} == {"webhook_burst"}
        happen(running, 1)
        settled(running)
        assert webhooks(running)[-1].fault == "" and len(receiver.heard) == 5


def test_a_share_is_drawn_per_event_from_the_seed() -> None:
    def doubled(seed: int) -> list[int]:
        one = plan("webhook_duplicated", share=0.1)
        with told("stripe", one, seed=seed) as (running, receiver):
            names = happen(running, 400)
            settled(running)
            count = Counter(w.event_id for w in webhooks(running) if w.attempt == 1)
            touched = [place for place, name in enumerate(names) if count[name] == 2]
            assert sum(count.values()) == 400 + len(touched) == len(receiver.heard)
            assert hits(running) == len(touched)
            faulty = {w.event_id for w in webhooks(running) if w.fault}
            assert faulty == {names[place] for place in touched}
            return touched

    once = doubled(5)
    # 99.9999% of a binomial distribution with n = 400 and p = 0.1
    assert 14 <= len(once) <= 72
    assert once == doubled(5) != doubled(6)


@pytest.mark.parametrize(
    ("match", "lost"),
    [
        ({"event": "payment_intent.succeeded"}, {"payment_intent.succeeded"}),
        (
            {"event": ["charge.*", "payment_intent.created"]},
            {"payment_intent.created", "charge.succeeded"},
        ),
        ({"event": "refund.*"}, set()),
    ],
)
def test_only_the_events_in_scope_are_touched(match: dict[str, Any], lost: set[str]) -> None:
    with told("stripe", plan("webhook_lost", match=match)) as (running, receiver):
        pay(running, "o1")
        settled(running)
        all_kinds = {event.kind for event in running.gateway.outbox}
        assert {"payment_intent.created", "payment_intent.succeeded", "charge.succeeded"} <= all_kinds
        assert {heard.kind for heard in receiver.heard} == all_kinds - lost
        assert {w.kind for w in webhooks(running) if w.fault} == lost


def test_faults_that_overlap_act_in_the_order_of_their_starts() -> None:
    late = plan("webhook_delayed", id="f1", at_ns=0, params={"by": 60 * MS})
    twice = plan("webhook_duplicated", id="f2", at_ns=0)
    with told("stripe", twice, late) as (running, receiver):
        (name,) = happen(running, 1)
        running.until(lambda: len(webhooks_now(running)) == 2, "both have come")
        assert receiver.ids == [name, name]
        for row in webhooks(running):
            assert row.fault == "webhook_delayed+webhook_duplicated"
            assert row.delivered_ns is not None and row.delivered_ns - row.due_ns >= 59 * MS


def test_a_dark_gateway_loses_nothing_until_it_is_back() -> None:
    with told("stripe", plan("webhook_lost")) as (running, receiver):
        running.thread.call(running.gateway.outbox.hold)
        happen(running, 2)
        assert hits(running) == 0
        end(running)
        running.thread.call(running.gateway.outbox.release)
        settled(running)
        assert len(receiver.heard) == 2 and {w.fault for w in webhooks(running)} == {""}


def test_thousands_that_waited_pass_the_faults_one_after_the_other() -> None:
    body = (
        b'{"data": {"object": {"id": "pi_1", "amount": 1}}, "id": "evt_1", "type": "payment_intent.created"}'
    )
    with told("stripe", plan("webhook_forged")) as (running, receiver):
        outbox = running.gateway.outbox
        running.thread.call(outbox.hold)
        add = lambda: [outbox.add("payment_intent.created", lambda event: body) for _ in range(500)]  # noqa: E731
        running.thread.call(add)
        running.thread.call(outbox.release)
        settled(running)
        assert len(receiver.heard) == 1000 and hits(running) == 500


def test_thousands_that_are_held_are_forgotten_by_a_reset() -> None:
    with told("stripe", plan("webhook_reordered", params={"window": MS})) as (running, receiver):
        receiver.open.clear()
        happen(running, 1500)
        running.until(lambda: bool(receiver.heard), "the first of them has come")
        running.thread.call(running.service.reset)
        receiver.let_go()
        (name,) = happen(running, 1)
        running.until(
            lambda: any(w.event_id == name for w in webhooks_now(running)[-1:]), "a new one has come"
        )
        assert len(receiver.heard) == 2


WEBHOOK_FAULTS = sorted(name for name in FAULTS if name.startswith("webhook_"))


def test_these_are_all() -> None:
    assert WEBHOOK_FAULTS == [
        "webhook_burst",
        "webhook_delayed",
        "webhook_duplicated",
        "webhook_early",
        "webhook_forged",
        "webhook_lost",
        "webhook_old_timestamp",
        "webhook_reordered",
    ]


@pytest.mark.parametrize("name", WEBHOOK_FAULTS)
def test_a_target_without_webhooks_cannot_have_one(name: str) -> None:
    with pytest.raises(ValueError, match="none are delivered here"):
        FAULTS[name](plan(name), cast(Target, object()), 7)
    assert FAULTS[name].inside


@pytest.mark.parametrize("name", [name for name in WEBHOOK_FAULTS if name != "webhook_early"])
@pytest.mark.parametrize(
    ("scope", "word"),
    [({"endpoint": "refunds.create"}, "endpoint"), ({"match": {"currency": ["EUR"]}}, "currency")],
)
def test_a_webhook_has_neither_endpoint_nor_currency(name: str, scope: dict[str, Any], word: str) -> None:
    with Running("stripe") as running, pytest.raises(ValueError, match=f"have no {word}"):
        FAULTS[name](plan(name, **scope), running.gateway, 7)


@pytest.mark.parametrize(
    ("name", "params", "word"),
    [
        ("webhook_lost", {"attempts": 1.5}, "whole number"),
        ("webhook_delayed", {"by": 0}, "longer than 0"),
        ("webhook_duplicated", {"copies": 1}, "2 to 100"),
        ("webhook_reordered", {"window": 0}, "longer than 0"),
        ("webhook_burst", {"after": -1}, "negative"),
        ("webhook_forged", {"signature": "good"}, "wrong or none"),
        ("webhook_old_timestamp", {"by": MS}, "1s or more"),
        ("webhook_early", {"within": 0}, "longer than 0"),
    ],
)
def test_wrong_parameters(name: str, params: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        FAULTS[name].parse(params)
