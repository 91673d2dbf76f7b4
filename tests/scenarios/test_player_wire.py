"""The player with the load's own client, against servers that answer, stall or never answer."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import orjson
import pytest
from gevent import socket

from journal.clock import MILLISECOND, SECOND, Clock
from journal.reader import Journal
from journal.writer import Writer
from scenarios.checkout import Checkout, PlannedPayment
from scenarios.player import Player
from scenarios.reading import parse
from scenarios.result import Result
from scenarios.share import EVER, Share, of
from scenarios.wire import Exchange, Wire
from tests.scenarios.serving import Handler, answer, request_of, serving

SCENARIO = parse(
    "name: p\ngateways: {stripe: {}}\nload: {arrivals: [{duration: 1s, rate: 1/s}], declines: 0%}\n", "p.yaml"
)


@pytest.fixture(autouse=True, scope="module")
def little_to_collect() -> Iterator[None]:
    """A player collects garbage before it begins; what the other tests left would take it half a second."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    assert gc.isenabled()


def accept(connection: socket.socket) -> None:
    """Answer as the plan expects."""
    while request := request_of(connection):
        asked = orjson.loads(request.partition(b"\r\n\r\n")[2])
        claim = {name: asked[name] for name in ("order_id", "amount_minor", "currency")}
        connection.sendall(answer(orjson.dumps({**claim, "status": "succeeded", "gateway": "stripe"})))


@contextmanager
def playing(
    handler: Handler,
    folder: Path,
    share: Share,
    *,
    timeout_ns: int = 5 * SECOND,
    max_in_flight: int = 100,
    on_done: Callable[[PlannedPayment, Result, int | None, int], None] = lambda *_: None,
) -> Iterator[tuple[Player, Clock]]:
    clock = Clock.starting_now()
    with serving(handler) as (wire, _):
        player = Player(
            checkout=Checkout(SCENARIO.load, 1),
            share=share,
            wire=wire,
            clock=clock,
            writer=Writer(folder, "load-0"),
            run="run",
            timeout_ns=timeout_ns,
            max_in_flight=max_in_flight,
            on_done=on_done,
        )
        yield player, clock


def recorded(folder: Path) -> list[dict[str, Any]]:
    return sorted(Journal(folder).table("payment").to_pylist(), key=lambda payment: str(payment["id"]))


def test_every_arrival_is_sent_once_at_or_after_its_due_time_and_judged(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        while request := request_of(connection):
            seen.append(request.partition(b"Idempotency-Key: ")[2].partition(b"\r\n")[0])
            asked = orjson.loads(request.partition(b"\r\n\r\n")[2])
            claim = {name: asked[name] for name in ("order_id", "amount_minor", "currency")}
            connection.sendall(answer(orjson.dumps({**claim, "status": "succeeded"})))

    dues = [n * MILLISECOND // 2 for n in range(60)]
    with playing(handler, tmp_path, of(dues, 0, 1)) as (player, _):
        player.play()
        player.finish(1)
    payments = recorded(tmp_path)
    assert [p["due_ns"] for p in payments] == dues
    assert all(p["error"] == "" and p["due_ns"] <= p["sent_ns"] <= p["done_ns"] for p in payments)
    assert sorted(seen) == [b"run-%07d" % n for n in range(60)]
    assert (player.tally.due, player.tally.sent, player.tally.ended) == (60, 60, 60)


def test_a_platform_that_never_answers_keeps_nothing_from_being_sent(tmp_path: Path) -> None:
    arrived: list[int] = []

    def silent(connection: socket.socket) -> None:
        request_of(connection)
        arrived.append(1)
        gevent.sleep(30)

    with playing(silent, tmp_path, of(range(0, 40 * MILLISECOND, MILLISECOND), 0, 1), timeout_ns=SECOND) as (
        player,
        _,
    ):  # fmt: skip
        player.play()
        player.finish(1)
    payments = recorded(tmp_path)
    assert len(arrived) == len(payments) == 40
    assert {(p["outcome"], p["error"], p["done_ns"]) for p in payments} == {
        ("unknown", "time-out after 1 s", None)
    }


def test_latency_counts_from_the_due_time_through_a_stall(tmp_path: Path) -> None:
    open_again = gevent.event.Event()

    def stalling(connection: socket.socket) -> None:
        open_again.wait()
        accept(connection)

    told: dict[int, int | None] = {}

    def on_done(planned: PlannedPayment, result: Result, latency_ns: int | None, received: int) -> None:
        told[planned.due_ns] = latency_ns

    share = of([0, MILLISECOND, 2 * MILLISECOND], 0, 1)
    with playing(stalling, tmp_path, share, on_done=on_done) as (player, clock):
        play = gevent.spawn(player.play)
        with gevent.Timeout(5):
            while player.in_flight < 3:
                gevent.sleep(0.001)
        gevent.sleep(0.05)
        opened = clock.now_ns()
        open_again.set()
        play.join(5)
        player.finish(1)
    payments = recorded(tmp_path)
    assert len(payments) == 3
    assert all(p["error"] == "" and p["sent_ns"] < opened <= p["done_ns"] for p in payments)
    assert told == {p["due_ns"]: p["done_ns"] - p["due_ns"] for p in payments}


def test_an_intent_is_written_before_the_first_byte_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    send = Wire.send

    with playing(accept, tmp_path, of([0, 0, 0], 0, 1)) as (player, _):
        writer: Any = player._writer

        def checked_send(wire: Wire, exchange: Exchange) -> None:
            written.append(
                sum(len(rows) for kind, rows in writer._pending.items() if kind.__name__ == "Intent")
            )
            send(wire, exchange)

        monkeypatch.setattr(Wire, "send", checked_send)
        player.play()
        player.finish(1)
    assert written == [1, 2, 3]
    assert len(Journal(tmp_path).table("intent")) == 3


def test_what_is_not_granted_is_not_sent_until_the_player_is_woken(tmp_path: Path) -> None:
    share = Share([0, MILLISECOND, 2 * MILLISECOND], granted_ns=2 * MILLISECOND)
    share.reshard(-EVER, 0, 1)
    with playing(accept, tmp_path, share) as (player, _):
        play = gevent.spawn(player.play)
        with gevent.Timeout(5):
            while player.tally.ended < 2:
                gevent.sleep(0.001)
        gevent.sleep(0.02)
        assert player.tally.due == 2
        share.grant(SECOND)
        player.wake()
        play.join(5)
        assert play.ready()
        player.finish(1)
    assert len(recorded(tmp_path)) == 3


def test_what_is_in_flight_at_the_end_is_unknown_and_what_was_not_due_is_not_there(tmp_path: Path) -> None:
    arrived = gevent.event.Event()

    def silent(connection: socket.socket) -> None:
        request_of(connection)
        arrived.set()
        gevent.sleep(30)

    with playing(silent, tmp_path, of([0, 3600 * SECOND], 0, 1)) as (player, _):
        play = gevent.spawn(player.play)
        assert arrived.wait(5)
        player.finish(0.01)
        play.join(5)
        assert play.ready()
    (payment,) = recorded(tmp_path)
    assert (payment["outcome"], payment["error"]) == ("unknown", "the load ended before the answer")


def test_the_journal_is_written_while_the_load_is_played(tmp_path: Path) -> None:
    with playing(accept, tmp_path, of([0, 3600 * SECOND], 0, 1)) as (player, _):
        play = gevent.spawn(player.play)
        with gevent.Timeout(10):
            while not list(tmp_path.glob("load-0.payment.arrow")):
                gevent.sleep(0.01)
        # As after a kill: nobody has closed the journal.
        assert len(Journal(tmp_path).table("payment")) == len(Journal(tmp_path).table("intent")) == 1
        player.finish(1)
        play.join(5)
