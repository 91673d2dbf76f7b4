"""Closed-loop users against a small platform on a real socket: what they ask for, record and notice."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import gevent
import gevent.event
import gevent.monkey
import orjson
import pytest
from gevent import socket
from gevent.server import StreamServer

from journal.clock import Clock
from journal.reader import Journal
from journal.writer import Writer
from mocks.platform.vault import INSTRUMENTS
from scenarios.checkout import Checkout, user_order_id, user_payment
from scenarios.generator_watch import Tally
from scenarios.load import Load
from scenarios.task_result import OwnPayment, judge_look_up, judge_refund
from scenarios.wire import Answer, Wire

with pytest.MonkeyPatch.context() as patch:
    # Locust changes the whole process when it is imported, unless it is told not to.
    patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    from locust.env import Environment
    from locust.event import Events

    from scenarios.closed_loop import ClosedLoop

S = 1_000_000_000
MS = 1_000_000
STATUS = {"succeeded": "201 Created", "declined": "402 Payment Required", "pending": "202 Accepted"}


@dataclass
class Platform:
    """Pays, answers look-ups and refunds, and may lie: ``lie`` changes what a look-up answers."""

    lie: Callable[[dict[str, Any]], dict[str, Any]] = lambda claim: claim
    hold: gevent.event.Event | None = None
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, key: str, body: bytes) -> tuple[str, dict[str, Any]]:
        if method == "POST" and path == "/payments":
            if self.hold is not None:
                self.hold.wait()
            asked = orjson.loads(body)
            instrument = INSTRUMENTS[asked["instrument"]]
            claim = {
                "id": f"pay/{asked['order_id']}",
                "order_id": asked["order_id"],
                "amount_minor": asked["amount_minor"],
                "currency": asked["currency"],
                "status": instrument.outcome,
                "gateway": "stripe",
            }
            if instrument.declined_at_once:
                claim["decline_code"] = instrument.declined_at_once
            self.payments[claim["id"]] = claim
            self.keys.append(key)
            return STATUS[instrument.outcome], claim
        id = path.removeprefix("/payments/").removesuffix("/refunds").replace("%2F", "/")
        if method == "GET":
            return "200 OK", self.lie(self.payments[id])
        assert path.endswith("/refunds")
        self.keys.append(key)
        return "201 Created", {"status": "succeeded", "amount_minor": self.payments[id]["amount_minor"]}


@contextmanager
def running(platform: Platform) -> Iterator[str]:
    def handle(connection: socket.socket, address: object) -> None:
        stream = connection.makefile("rb")
        while line := stream.readline():
            method, path, _ = line.decode().split(" ")
            headers = {}
            while (header := stream.readline().decode().strip()) != "":
                name, _, value = header.partition(": ")
                headers[name.lower()] = value
            body = stream.read(int(headers.get("content-length", "0")))
            status, claim = platform.answer(method, path, headers.get("idempotency-key", ""), body)
            said = orjson.dumps(claim)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said)

    server = StreamServer(("127.0.0.1", 0), handle)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stop(timeout=1)


@dataclass
class Played:
    """What users did: the journal's rows, what Locust was told, and the counts."""

    payments: list[dict[str, Any]]
    intents: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    told: list[dict[str, Any]]
    tally: Tally


def play(
    folder: Path,
    platform: Platform,
    *,
    worker: tuple[int, int] = (0, 1),
    seed: int = 5,
    for_: str = "300ms",
    then: Callable[[ClosedLoop], None] = lambda loop: loop.join(),
    **users: Any,
) -> Played:
    asked = {"count": 4, "for": for_, "think_time": "10ms..30ms", "tasks": {"pay": 3, "look_up": 2, "refund": 1}}  # fmt: skip
    load = Load.model_validate({"users": asked | users, "declines": "20%"})
    assert load.users is not None
    told: list[dict[str, Any]] = []
    events = cast(Any, Events)()
    events.request.add_listener(lambda **event: told.append(event))
    tally, writer = Tally(), Writer(folder, "load-0")
    with running(platform) as url:
        wire = Wire(url)
        loop = ClosedLoop(
            Environment(events=events),
            load.users,
            end_ns=load.users_end_ns,
            seed=seed,
            checkout=Checkout(load, seed),
            wire=wire,
            clock=Clock.starting_now(),
            recorder=writer,
            run="run",
            timeout_ns=5 * S,
            tally=tally,
        )
        try:
            loop.start(*worker)
            with gevent.Timeout(30):
                then(loop)
        finally:
            loop.finish(0.01)
            wire.close()
            writer.close()
    journal = Journal(folder)
    payments, intents, tasks = (
        journal.table(name).to_pylist() for name in ("payment", "intent", "user_task")
    )
    return Played(payments, intents, tasks, told, tally)


def after(payments: int) -> Callable[[ClosedLoop], None]:
    """Let the users go on until so many payments have ended, however long that takes."""

    def wait(loop: ClosedLoop) -> None:
        with gevent.Timeout(20):
            while tally_of(loop).ended < payments:
                gevent.sleep(0.001)
        loop.end()
        loop.join()

    return wait


def test_users_pay_look_up_and_refund(tmp_path: Path) -> None:
    platform = Platform()
    played = play(tmp_path, platform, then=after(50), for_="1h")
    assert {row["error"] for row in played.payments} == {""}
    assert {row["loop"] for row in played.payments + played.intents} == {"closed"}
    orders = [row["id"] for row in played.payments]
    assert len(set(orders)) == len(orders) == len(platform.payments) >= 50
    assert {row["outcome"] for row in played.payments} >= {"succeeded", "declined"}
    assert Counter(row["task"] for row in played.tasks).keys() == {"look_up", "refund"}
    assert {(row["outcome"], row["error"]) for row in played.tasks} == {("ok", "")}
    refunds = [row["order_id"] for row in played.tasks if row["task"] == "refund"]
    assert len(set(refunds)) == len(refunds)
    assert {f"{order}-refund" for order in refunds} == {key for key in platform.keys if "refund" in key}
    assert all(row["due_ns"] <= row["sent_ns"] <= row["done_ns"] for row in played.payments + played.tasks)
    assert (played.tally.due, played.tally.sent, played.tally.ended) == (len(orders),) * 3
    assert Counter(event["request_type"] for event in played.told) == {
        "PAY": len(orders),
        **{task.upper(): n for task, n in Counter(row["task"] for row in played.tasks).items()},
    }
    assert all(event["name"].endswith(" (users)") for event in played.told)


def test_a_users_payments_are_planned_by_its_number_whatever_worker_it_lives_on(tmp_path: Path) -> None:
    def of(played: Played) -> dict[str, tuple[object, ...]]:
        return {row["id"]: (row["amount_minor"], row["currency"], row["instrument"]) for row in played.payments}  # fmt: skip

    folders = [tmp_path / name for name in ("all", "even", "odd")]
    for folder in folders:
        folder.mkdir()
    alone = of(play(folders[0], Platform(), then=after(24), for_="1h"))
    even = of(play(folders[1], Platform(), worker=(0, 2), then=after(20), for_="1h"))
    odd = of(play(folders[2], Platform(), worker=(1, 2), then=after(20), for_="1h"))
    assert {order.split("-")[1] for order in even} == {"u00000", "u00002"}
    assert {order.split("-")[1] for order in odd} == {"u00001", "u00003"}
    # Who was faster differs; the payments that were made are the same.
    common = alone.keys() & (even.keys() | odd.keys())
    assert len(common) > 4
    assert {order: alone[order] for order in common} == {order: (even | odd)[order] for order in common}
    checkout = Checkout(Load.model_validate({"users": {"count": 1, "for": "1s"}, "declines": "20%"}), 5)
    planned = checkout.payment(user_payment(3, 0), 0)
    assert alone[user_order_id("run", 3, 0)][0] == planned.amount_minor


def test_users_stop_when_their_time_is_over(tmp_path: Path) -> None:
    played = play(tmp_path, Platform(), for_="100ms")
    assert all(0 <= row["due_ns"] < 100 * MS for row in played.payments + played.tasks)
    assert len(played.payments) >= 4


def test_users_start_one_after_the_other(tmp_path: Path) -> None:
    played = play(tmp_path, Platform(), ramp="200ms", think_time="5s")
    assert sorted(row["due_ns"] for row in played.payments) == [0, 50 * MS, 100 * MS, 150 * MS]


def test_a_payment_that_the_platform_forgot_or_changed_is_noticed(tmp_path: Path) -> None:
    liar = Platform(lie=lambda claim: claim | {"status": "failed"})
    played = play(tmp_path, liar, then=after(30), for_="1h")
    looked = [row for row in played.tasks if row["task"] == "look_up"]
    assert {row["outcome"] for row in looked} == {"failed"}
    assert all("look-up says failed" in row["error"] for row in looked)
    assert sum(event["exception"] is not None for event in played.told) == len(looked) > 0


def test_what_is_in_flight_when_the_load_is_stopped_is_recorded_as_unknown(tmp_path: Path) -> None:
    hold = gevent.event.Event()

    def stop(loop: ClosedLoop) -> None:
        with gevent.Timeout(10):
            while tally_of(loop).sent < 4:
                gevent.sleep(0.001)

    try:
        played = play(tmp_path, Platform(hold=hold), then=stop)
    finally:
        hold.set()
    assert [(row["outcome"], row["done_ns"]) for row in played.payments] == [("unknown", None)] * 4
    assert {row["error"] for row in played.payments} == {"the load ended before the answer"}


def tally_of(loop: ClosedLoop) -> Tally:
    return loop._tally


PLANNED = Checkout(Load.model_validate({"users": {"count": 1, "for": "1s"}}), 1).payment(0, 0)
OWN = OwnPayment(PLANNED, "o", "p", "succeeded")
TOLD = {"order_id": "o", "amount_minor": PLANNED.amount_minor, "currency": PLANNED.currency, "status": "succeeded"}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "status", "change", "outcome", "words"),
    [
        ("succeeded", 200, {}, "ok", ""),
        ("pending", 200, {}, "ok", ""),
        ("unknown", 200, {"status": "failed"}, "ok", ""),
        ("succeeded", 200, {"status": "pending"}, "failed", "was told succeeded, look-up says pending"),
        ("declined", 200, {}, "failed", "was told declined, look-up says succeeded"),
        ("succeeded", 200, {"order_id": "other"}, "failed", "another order"),
        ("succeeded", 200, {"amount_minor": 1}, "failed", "another amount"),
        ("succeeded", 200, {"currency": "XXX"}, "failed", "another amount or currency"),
        ("succeeded", 404, {}, "failed", "HTTP 404"),
        ("succeeded", 503, {}, "unknown", "HTTP 503"),
    ],
)
def test_a_look_up_is_compared_with_what_was_told(
    told: str, status: int, change: dict[str, Any], outcome: str, words: str
) -> None:
    own = OwnPayment(PLANNED, "o", "p", told)
    result = judge_look_up(own, Answer(status, orjson.dumps(TOLD | change)))
    assert result.outcome == outcome
    assert (words in result.error) if words else result.error == ""


@pytest.mark.parametrize(
    ("status", "claim", "outcome"),
    [
        (201, {"status": "succeeded", "amount_minor": PLANNED.amount_minor}, "ok"),
        (201, {"status": "succeeded", "amount_minor": 1}, "failed"),
        (201, {"status": "pending"}, "failed"),
        (202, {"status": "unknown"}, "unknown"),
        (409, {}, "failed"),
        (503, {"status": "failed"}, "failed"),
        (500, {}, "unknown"),
    ],
)
def test_a_refund_is_judged(status: int, claim: dict[str, Any], outcome: str) -> None:
    assert judge_refund(OWN, Answer(status, orjson.dumps(claim))).outcome == outcome


def test_an_answer_that_is_no_json_is_judged_all_the_same() -> None:
    assert judge_look_up(OWN, Answer(200, b"oops")).outcome == "failed"
    assert judge_refund(OWN, Answer(201, b"[1]")).outcome == "failed"


def test_locust_was_imported_without_changing_this_process() -> None:
    assert "LOCUST_SKIP_MONKEY_PATCH" not in os.environ
    assert not gevent.monkey.is_module_patched("socket")
