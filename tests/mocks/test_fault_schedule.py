"""Faults that come and go while a server runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from journal.clock import Clock
from journal.records import FaultEvent
from mocks.faults import FAULTS, FaultPlan
from mocks.faults.schedule import FaultSchedule
from mocks.faults.timing import Flap, Repeat
from tests.mocks.running import Running, stripe_call, stripe_payment
from tests.mocks.test_faults import LONG, MS, Target, plan


def run(
    plans: tuple[FaultPlan, ...],
    act: Callable[[FaultSchedule, list[FaultEvent]], Coroutine[Any, Any, None]],
    elapsed_ns: int = 0,
) -> tuple[list[FaultEvent], Target]:
    """What happens to a schedule on a loop, begun so long ago."""
    target, events = Target(), list[FaultEvent]()
    schedule = FaultSchedule(plans, target, 7, "stripe")

    async def main() -> None:
        schedule.arm(Clock(time.monotonic_ns() - elapsed_ns), events.append)
        try:
            await act(schedule, events)
        finally:
            schedule.close()

    uvloop.run(main())
    return events, target


async def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.001)


def told(events: list[FaultEvent]) -> list[tuple[str, str]]:
    return [(event.id, event.phase) for event in events]


def test_a_fault_that_flaps_and_repeats_is_written_down_each_time() -> None:
    flapping = plan(
        "outage", at_ns=5 * MS, for_ns=10 * MS, flap=Flap(3 * MS, 4 * MS), repeat=Repeat(20 * MS, 2)
    )

    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        await until(lambda: len(events) == 9)
        assert schedule.listed() == ()

    events, target = run((flapping,), act)
    assert [(event.phase, event.due_ns // MS) for event in events] == [
        ("armed", 5),
        *(("started", 5), ("stopped", 8), ("started", 12), ("stopped", 15)),
        *(("started", 25), ("stopped", 28), ("started", 32), ("stopped", 35)),
    ]
    assert all(event.at_ns >= event.due_ns for event in events if event.phase != "armed")
    assert target.done == ["dark", "back"] * 4
    assert [event.hits for event in events] == [0, 3, 3, 6, 6, 9, 9, 12, 12]


def test_what_lies_in_the_past_happens_in_order_at_once() -> None:
    flapping = plan("outage", for_ns=10 * MS, flap=Flap(3 * MS, 4 * MS))

    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        assert [event.phase for event in events] == ["armed", "started", "stopped", "started", "stopped"]

    run((flapping,), act, elapsed_ns=10**9)


def test_faults_come_and_are_cleared_while_it_runs() -> None:
    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        now = schedule.now_ns
        schedule.add(plan("outage", id="now", at_ns=now, for_ns=LONG))
        schedule.add(plan("outage", id="later", at_ns=now + LONG, for_ns=LONG))
        listed = schedule.listed()
        assert [(row.plan.id, row.on, row.hits) for row in listed] == [("now", True, 3), ("later", False, 0)]
        with pytest.raises(ValueError, match="there is a fault now already"):
            schedule.add(plan("outage", id="now", at_ns=now, for_ns=LONG))
        with pytest.raises(KeyError):
            schedule.clear("never")
        assert schedule.clear("now") == ("now",)
        with pytest.raises(KeyError):
            schedule.clear("now")
        assert schedule.clear() == ("later",)
        assert schedule.clear() == () and schedule.listed() == () and schedule.active == []
        # What was cleared may come again.
        schedule.add(plan("outage", id="now", at_ns=schedule.now_ns, for_ns=LONG))
        assert len(schedule.active) == 1

    events, target = run((), act)
    assert told(events) == [
        *(("now", "armed"), ("now", "started"), ("later", "armed"), ("now", "stopped")),
        *(("now", "armed"), ("now", "started"), ("now", "stopped")),
    ]
    assert target.done == ["dark", "back"] * 2
    assert events[3].at_ns < events[3].due_ns


def test_a_cleared_flapping_fault_does_not_come_back() -> None:
    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        await until(lambda: len(events) >= 4)
        schedule.clear("f1")
        so_far = len(events)
        # Another alarm, later than several phases would have been.
        schedule.add(plan("outage", id="f2", at_ns=schedule.now_ns + 20 * MS, for_ns=MS))
        await until(lambda: schedule.listed() == ())
        assert {event.id for event in events[so_far:]} == {"f2"}

    _, target = run((plan("outage", for_ns=LONG, flap=Flap(2 * MS, 2 * MS)),), act)
    assert target.done.count("dark") == target.done.count("back")


def test_a_fault_that_is_over_cannot_be_added() -> None:
    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        with pytest.raises(ValueError, match="over before it begins"):
            schedule.add(plan("outage", at_ns=0, for_ns=MS))
        assert schedule.listed() == ()

    run((), act, elapsed_ns=10**9)


def test_an_added_fault_ends_by_itself() -> None:
    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        schedule.add(plan("outage", at_ns=schedule.now_ns, for_ns=10 * MS))
        await until(lambda: [row.plan.id for row in schedule.listed()] == ["far"])

    events, target = run((plan("latency", id="far", at_ns=LONG, params={"add": MS}),), act)
    assert [phase for id, phase in told(events) if id == "f1"] == ["armed", "started", "stopped"]
    assert target.done == ["dark", "back"]


def test_a_fault_inside_a_gateway_can_be_ruled_out() -> None:
    with pytest.raises(ValueError, match="fault f1: keys_lost is not for this"):
        FaultSchedule((plan("keys_lost"),), Target(), 7, "stripe", not_inside="is not for this")
    FaultSchedule((plan("outage"),), Target(), 7, "stripe", not_inside="is not for this")


def test_faults_act_in_the_order_of_their_starts_and_ids() -> None:
    names = ("f10", "f2", "f1")

    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        assert [fault.plan.id for fault in schedule.active] == ["early", "f1", "f2", "f10"]
        schedule.add(plan("http_error", id="f3", at_ns=2))
        assert [fault.plan.id for fault in schedule.active] == ["early", "f1", "f2", "f3", "f10"]

    same = [plan("http_error", id=name, at_ns=2) for name in names]
    run((*same, plan("http_error", id="early", at_ns=1)), act, elapsed_ns=10)


def test_the_first_that_decides_wins_and_delays_add_up() -> None:
    plans = (
        plan("latency", id="f1", params={"add": 20 * MS}),
        plan("http_error", id="f2", params={"status": 502}),
        plan("http_error", id="f3", params={"status": 500}),
        plan("outage", id="f4", endpoint="payment_intents.create"),
        plan("latency", id="f5", params={"add": 30 * MS}),
    )
    with Running("stripe", faults=plans) as running:
        answer = stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment())
        assert answer[0] == 502
        (request,) = running.requests
        assert request.fault == "latency+http_error+latency"
        assert request.answered_ns is not None and request.answered_ns - request.received_ns >= 49 * MS
        running.thread.call(running.service.schedule.close)  # type: ignore[union-attr]
        hits = {event.id: event.hits for event in running.fault_events if event.phase == "stopped"}
        assert hits == {"f1": 1, "f2": 1, "f3": 0, "f4": 0, "f5": 1}


@pytest.mark.parametrize("method", ["start", "stop"])
def test_a_fault_that_breaks_keeps_nothing_else_from_ending(
    method: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(fault: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(FAULTS["latency"], method, broken)

    async def act(schedule: FaultSchedule, events: list[FaultEvent]) -> None:
        schedule.add(plan("outage", id="f3", at_ns=schedule.now_ns, for_ns=LONG))
        await until(lambda: ("f2", "stopped") in told(events))
        assert set(schedule.clear()) == {"f1", "f3"} and schedule.active == []

    add = {"add": MS}
    plans = (plan("latency", for_ns=LONG, params=add), plan("latency", id="f2", for_ns=5 * MS, params=add))
    events, target = run(plans, act)
    assert {id for id, phase in told(events) if phase == "stopped"} == {"f1", "f2", "f3"}
    assert target.done == ["dark", "back"]
    assert "stripe: fault f1: RuntimeError at " in capfd.readouterr().err
