"""The faults: their parameters, their schedule, and what they do to a gateway over real sockets."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_args

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from journal.clock import Clock
from journal.records import FaultEvent
from mocks.exchange import Exchange
from mocks.faults import FAULTS, Fault, FaultPlan
from mocks.faults.alarm import Alarm
from mocks.faults.fault import Call, Kind
from mocks.faults.matcher import NOTHING, Traits
from mocks.faults.schedule import FaultSchedule
from mocks.reply import Reply
from mocks.transmission import Transmission
from tests.mocks.running import Running, adyen_call, adyen_payment, stripe_call, stripe_payment

MS = 1_000_000
LONG = 3600 * 10**9


def plan(fault: str, **more: Any) -> FaultPlan:
    values: dict[str, Any] = {"id": "f1", "fault": fault, "at_ns": 0, "for_ns": LONG}
    return FaultPlan(**(values | more))


class Target:
    """Notes what is done to it."""

    server = None

    def __init__(self) -> None:
        self.done: list[str] = []

    def go_dark(self, cause: str) -> int:
        self.done.append("dark")
        return 3

    def come_back(self) -> None:
        self.done.append("back")

    def limit_headers(self, requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
        return ()

    def cut_in_flight(self, chosen: Callable[[Call], bool], cause: str) -> int:
        self.done.append("cut")
        return 2


class Asked:
    """A request that notes what a fault does to it."""

    http_method = "POST"
    region = ""
    pays = True

    def __init__(self, endpoint: str = "payments", traits: Traits = NOTHING) -> None:
        self.endpoint = endpoint
        self.traits = traits
        self.done: list[object] = []

    def hit_by(self, fault: Fault) -> None:
        self.done.append(fault)

    @property
    def exchange(self) -> Exchange:
        raise NotImplementedError

    def error(self, status: int) -> Reply:
        return Reply(status, b"")

    def moved(self, reply: Reply) -> bool:
        return True

    def contradiction(self, reply: Reply) -> Reply | None:
        return None

    def slow(self, *, add_ns: int = 0, times: float = 1.0) -> None:
        self.done.append((add_ns, times))

    def fail(self, status: int) -> None:
        self.done.append(status)

    def reset(self) -> None:
        self.done.append("reset")

    def hold(self, gone: Callable[[], None] | None = None) -> None:
        self.done.append("hold")

    def transmit(self, reply: Reply, transmission: Transmission, *, keep_alive: bool = True) -> None:
        self.done.append(transmission)


def test_every_fault_says_what_it_is() -> None:
    assert set(FAULTS) >= {"outage", "latency", "http_error", "webhook_lost"}
    for name, fault in FAULTS.items():
        assert fault.name == name and fault.__module__ == f"mocks.faults.{name}"
        assert fault.__doc__ is not None and "Stands for:" in fault.__doc__
        for parameter in fault.PARAMETERS.values():
            assert parameter.about and parameter.kind in get_args(Kind)


def test_names_are_cheap_to_import() -> None:
    code = (
        "import sys, mocks.faults, mocks.gateways;"
        "print([name for name in ('uvloop', 'pyarrow', 'asyncio', 'httptools') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("fault", "params", "word"),
    [
        ("outage", {"status": 500}, "no parameter"),
        ("latency", {}, "add or times"),
        ("latency", {"add": -1}, "negative"),
        ("latency", {"times": 0.5}, "at least 1"),
        ("latency", {"add": "5s"}, "number"),
        ("http_error", {"status": 200}, "400 to 599"),
        ("http_error", {"status": 503.5}, "400 to 599"),
        ("http_error", {"statuss": 503}, "it takes: status"),
    ],
)
def test_wrong_parameters(fault: str, params: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        FAULTS[fault].parse(params)


def test_defaults_are_filled_in() -> None:
    assert FAULTS["http_error"].parse({}) == {"status": 503}
    assert FAULTS["latency"].parse({"add": 5 * MS}) == {"add": 5 * MS, "times": 1.0, "p50": 0, "p99": 0}


@pytest.mark.parametrize("change", [{"for_ns": 0}, {"share": 0.0}, {"share": 1.5}])
def test_impossible_plans(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="fault f1"):
        plan("outage", **change)


def test_a_plan_survives_its_message() -> None:
    one = plan("latency", endpoint="payments", share=0.5, params={"add": MS})
    assert FaultPlan.from_message(one.message()) == one
    with pytest.raises(ValueError, match="cannot be read"):
        FaultPlan.from_message({"id": "f1"})


@given(st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_a_share_is_drawn_per_request_from_the_seed(share: float, seed: int) -> None:
    def touched() -> list[bool]:
        fault = FAULTS["http_error"](plan("http_error", share=share), Target(), seed)
        return [fault.touches(Asked()) for _ in range(400)]

    once = touched()
    assert once == touched()
    # Six standard deviations: about one seed in a thousand million.
    assert abs(sum(once) - 400 * share) <= 6 * (400 * share * (1 - share)) ** 0.5


def test_other_endpoints_are_neither_touched_nor_counted() -> None:
    def touched(between: int) -> list[bool]:
        fault = FAULTS["http_error"](plan("http_error", share=0.5, endpoint="payments"), Target(), 7)
        answers = []
        for _ in range(50):
            for _ in range(between):
                assert not fault.touches(Asked("refunds.create"))
            answers.append(fault.touches(Asked("payments")))
        return answers

    assert touched(0) == touched(3)


def test_a_fault_can_act_on_the_answer() -> None:
    class Garbled(Fault):
        name = "garbled"

        def answering(self, call: Call, reply: Reply) -> Reply:
            return reply._replace(body=b'{"garbled": true}')

    with Running("stripe") as running:
        fault = Garbled(plan("garbled"), running.gateway, 7)
        running.thread.call(lambda: running.service.schedule.active.append(fault))  # type: ignore[union-attr]
        _, _, body = stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment())
        assert body == {"garbled": True}
        assert [m.kind for m in running.movements] == ["capture"]
        assert running.requests[-1].fault == "garbled" and fault.hits == 1


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_alarm_never_rings_early(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    loop = new_loop()
    rung: list[tuple[int, int]] = []
    dues = [time.monotonic_ns() + offset * MS // 2 for offset in (-5, 0, 1, 3, 7, 20, 33, 60)]

    def ring(due: int) -> None:
        rung.append((due, time.monotonic_ns()))
        if len(rung) == len(dues):
            loop.stop()

    for due in dues:
        Alarm(loop, due, lambda due=due: ring(due))  # type: ignore[misc]
    cancelled = Alarm(loop, dues[3], lambda: ring(0))
    cancelled.cancel()
    assert rung == []
    loop.run_forever()
    loop.close()
    assert sorted(due for due, _ in rung) == dues
    assert all(at >= due for due, at in rung)


def test_the_schedule_happens_in_order_and_is_written_down() -> None:
    target, events = Target(), list[FaultEvent]()
    plans = (
        plan("outage", id="f1", at_ns=30 * MS, for_ns=40 * MS),
        plan("latency", id="f2", at_ns=10 * MS, for_ns=40 * MS, params={"add": MS}),
        plan("outage", id="f3", at_ns=20 * MS, for_ns=10 * MS, endpoint="payments"),
        plan("http_error", id="f4", at_ns=3600_000 * MS),
    )
    schedule = FaultSchedule(plans, target, 7, "stripe")

    async def main() -> None:
        clock = Clock.starting_now()
        schedule.arm(clock, events.append)
        assert schedule.active == []
        give_up = time.monotonic() + 20
        while sum(event.phase == "stopped" for event in events) < 3 and time.monotonic() < give_up:
            await asyncio.sleep(0.002)
        schedule.close()

    uvloop.run(main())
    assert [(e.id, e.phase) for e in events if e.phase == "armed"] == [
        (f"f{n}", "armed") for n in range(1, 5)
    ]
    happened = [(e.id, e.phase) for e in events if e.phase != "armed"]
    assert happened == [
        ("f2", "started"),
        ("f3", "started"),
        ("f3", "stopped"),  # due at the same time as the next one
        ("f1", "started"),
        ("f2", "stopped"),
        ("f1", "stopped"),
    ]
    assert target.done == ["cut", "dark", "back"]
    assert all(e.at_ns >= e.due_ns for e in events if e.phase != "armed")
    assert [e.hits for e in events if e.phase == "stopped"] == [2, 0, 3]
    assert {e.on for e in events} == {"stripe"} and schedule.active == []


def test_a_process_that_wakes_up_late_keeps_the_order() -> None:
    target, events = Target(), list[FaultEvent]()
    plans = (plan("outage", id="f1", at_ns=2, for_ns=1), plan("http_error", id="f2", at_ns=1, for_ns=5))
    schedule = FaultSchedule(plans, target, 7, "stripe")

    async def main() -> None:
        schedule.arm(Clock(time.monotonic_ns() - MS), events.append)

    uvloop.run(main())
    assert [(e.id, e.phase) for e in events[2:]] == [
        ("f2", "started"),
        ("f1", "started"),
        ("f1", "stopped"),
        ("f2", "stopped"),
    ]


def test_closing_stops_what_is_active() -> None:
    target, events = Target(), list[FaultEvent]()
    schedule = FaultSchedule((plan("outage"),), target, 7, "stripe")

    async def main() -> None:
        schedule.arm(Clock.starting_now(), events.append)
        assert target.done == ["dark"]
        schedule.close()

    uvloop.run(main())
    assert target.done == ["dark", "back"]
    assert [e.phase for e in events] == ["armed", "started", "stopped"]
    assert events[-1].at_ns < events[-1].due_ns == LONG


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault 'meteor'; the faults are outage"):
        FaultSchedule((plan("meteor"),), Target(), 7, "stripe")


# Over real sockets.


@contextmanager
def faulty(kind: str, *plans: FaultPlan, **more: Any) -> Iterator[tuple[Running, http.client.HTTPConnection]]:
    with Running(kind, faults=plans, **more) as running:
        connection = running.connection()
        yield running, connection
        connection.close()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_http_error_executes_and_saves_nothing(status: int) -> None:
    with faulty("stripe", plan("http_error", params={"status": status})) as (running, connection):
        answer = stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment(), key="k")
        assert answer[0] == status
        assert answer[2]["error"]["type"] == ("invalid_request_error" if status == 429 else "api_error")
        assert ("stripe-rate-limited-reason" in answer[1]) == (status == 429)
        assert running.movements == [] and len(running.gateway.keys) == 0
        request = running.requests[-1]
        assert (request.status, request.result, request.fault) == (status, "error", "http_error")
        running.thread.call(running.service.schedule.close)  # type: ignore[union-attr]
        again = stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment(), key="k")
        assert again[2]["status"] == "succeeded" and "idempotent-replayed" not in again[1]
        assert len(running.movements) == 1
        assert running.fault_events[-1].hits == 1


def test_http_error_in_adyens_shape() -> None:
    with faulty("adyen", plan("http_error", endpoint="payments")) as (running, connection):
        status, headers, body = adyen_call(connection, "/v72/payments", adyen_payment(), key="k")
        assert (status, body["status"], body["errorType"]) == (503, 503, "internal")
        assert "transient-error" not in headers
        refund = {"merchantAccount": "M", "amount": {"currency": "EUR", "value": 1}}
        assert adyen_call(connection, "/v72/payments/X/refunds", refund)[0] == 422
        assert [r.fault for r in running.requests] == ["http_error", ""]


def test_share_of_errors_is_the_same_for_the_same_seed() -> None:
    def statuses(seed: int) -> list[int]:
        with faulty("stripe", plan("http_error", share=0.3), seed=seed) as (_, connection):
            return [
                stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment(f"o{n}"))[0]
                for n in range(200)
            ]

    once = statuses(11)
    assert once == statuses(11) != statuses(12)
    # 99.9999% of a binomial distribution with n = 200 and p = 0.3
    assert 30 <= once.count(503) <= 93 and once.count(503) + once.count(200) == 200


def test_latency_fault_slows_and_still_executes() -> None:
    slow = plan("latency", params={"add": 150 * MS}, endpoint="payment_intents.create")
    with faulty("stripe", slow) as (running, connection):
        before = time.monotonic_ns()
        assert stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment())[0] == 200
        assert time.monotonic_ns() - before >= 149 * MS
        stripe_call(connection, "GET", "/v1/payment_intents")
        first, second = running.requests
        assert first.fault == "latency" and second.fault == ""
        assert first.answered_ns is not None and first.answered_ns - first.received_ns >= 149 * MS
        assert [m.kind for m in running.movements] == ["capture"]
        assert first.received_ns <= running.movements[0].at_ns <= first.answered_ns


def test_latency_factor_multiplies() -> None:
    with faulty("stripe", plan("latency", params={"times": 10.0}), p50_ms=15) as (running, connection):
        stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment())
        request = running.requests[-1]
        assert request.answered_ns is not None and request.answered_ns - request.received_ns >= 149 * MS


def test_outage_of_one_endpoint_resets_its_requests_only() -> None:
    with faulty("stripe", plan("outage", endpoint="refunds.create")) as (running, connection):
        made = stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment())
        assert made[0] == 200
        refund = {"payment_intent": made[2]["id"]}
        with pytest.raises(ConnectionResetError):
            stripe_call(connection, "POST", "/v1/refunds", refund, key="r")
        connection.close()
        assert stripe_call(connection, "GET", "/v1/payment_intents")[0] == 200
        assert [m.kind for m in running.movements] == ["capture"]
        request = running.requests[1]
        assert (request.status, request.answered_ns, request.fault) == (0, None, "outage")
        running.thread.call(running.service.schedule.close)  # type: ignore[union-attr]
        assert stripe_call(connection, "POST", "/v1/refunds", refund, key="r")[0] == 200
        assert running.fault_events[-1].hits == 1


def test_overlapping_outages_end_with_the_last() -> None:
    with Running("stripe") as running:
        gateway = running.gateway
        running.thread.call(lambda: (gateway.go_dark("outage"), gateway.go_dark("outage")))
        running.thread.call(gateway.come_back)
        with pytest.raises(ConnectionRefusedError):
            stripe_call(running.connection(), "GET", "/v1/payment_intents")
        running.thread.call(gateway.come_back)
        assert stripe_call(running.connection(), "GET", "/v1/payment_intents")[0] == 200


def test_a_scheduled_outage_refuses_between_its_start_and_its_stop() -> None:
    outage = plan("outage", at_ns=100 * MS, for_ns=300 * MS)
    with faulty("stripe", outage) as (running, connection):
        clock = Clock(running.gateway._clock.epoch_ns)
        tries: list[tuple[int, int, str]] = []
        while not tries or (tries[-1][2] != "ok" or clock.now_ns() < 400 * MS):
            before = clock.now_ns()
            try:
                stripe_call(connection, "GET", "/v1/payment_intents")
                seen = "ok"
            except (ConnectionError, http.client.HTTPException) as error:
                connection.close()
                seen = type(error).__name__
            tries.append((before, clock.now_ns(), seen))
            assert before < 20_000 * MS
        started, stopped = (e for e in running.fault_events if e.phase != "armed")
        assert (started.phase, stopped.phase) == ("started", "stopped")
        assert started.at_ns >= 100 * MS and stopped.at_ns >= 400 * MS
        inside = [
            seen for begun, done, seen in tries if begun > started.at_ns + MS and done < stopped.at_ns - MS
        ]
        outside = [seen for begun, done, seen in tries if done < started.at_ns or begun > stopped.at_ns]
        assert inside and set(inside) <= {
            "ConnectionRefusedError",
            "ConnectionResetError",
            "RemoteDisconnected",
        }
        assert inside[-1] == "ConnectionRefusedError"
        assert outside and set(outside) == {"ok"}
