"""The runner, against servers on real sockets: due times, overlaps, rechecks, cleaning up, ends.

Timing decides nothing here: a slow machine makes probes later, and the assertions say what holds even then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
import pytest
import uvloop

from journal.clock import MILLISECOND, SECOND, Clock
from journal.records import Mark, ProbeResult
from mocks.http import Exchange, Server
from probes import watch as watch_module
from probes.cleanup import Cleanups
from probes.plan import ProbePlan, planned
from probes.watch import watch


@dataclass
class Watched:
    """A watch under way, and what it said so far."""

    plans: list[ProbePlan]
    until_ns: int | None = None
    allow_hosts: dict[str, float] | None = None
    results: list[ProbeResult] = field(default_factory=list)
    notes: list[Mark] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Clock = field(default_factory=Clock.starting_now)
    task: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self) -> Watched:
        self.task = asyncio.create_task(
            watch(
                self.plans,
                self.clock,
                self._take,
                self.until_ns,
                run="r",
                stop=self.stop,
                on_note=self.notes.append,
                allow_hosts=self.allow_hosts,
            )
        )
        return self

    def _take(self, result: ProbeResult) -> None:
        self.results.append(result)
        self._news.set()

    async def until(self, condition: Callable[[ProbeResult], bool]) -> ProbeResult:
        """The first result for which this holds."""
        while True:
            for result in self.results:
                if condition(result):
                    return result
            self._news.clear()
            assert self.task is not None
            news = asyncio.create_task(self._news.wait())
            await asyncio.wait({news, self.task}, return_when=asyncio.FIRST_COMPLETED)
            if self.task.done():
                self.task.result()

    async def end(self) -> None:
        self.stop.set()
        assert self.task is not None
        await self.task

    def dues(self) -> list[int]:
        return sorted(result.due_ns for result in self.results)


@asynccontextmanager
async def serving(application: Callable[[Exchange], None]) -> AsyncIterator[Server]:
    server = Server(application)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work()

    uvloop.run(bounded())


def fine(exchange: Exchange) -> None:
    exchange.answer(200, b"fine")


def http(server: Server, **options: Any) -> ProbePlan:
    return planned("http", "it", f"http://127.0.0.1:{server.port}/", **options)


def payment(server: Server, **options: Any) -> ProbePlan:
    return planned("payment", "platform", f"http://127.0.0.1:{server.port}", **options)


def test_due_times_count_from_the_epoch_without_drift() -> None:
    async def work() -> None:
        async with serving(fine) as server:
            watched = Watched(
                [http(server, every_ns=50 * MILLISECOND)],
                until_ns=300 * MILLISECOND,
                clock=Clock(time.monotonic_ns() + 200 * MILLISECOND),
            ).start()
            assert watched.task is not None
            await watched.task
            assert watched.dues() == [n * 50 * MILLISECOND for n in range(6)]
            assert watched.notes == []
            for result in watched.results:
                assert result.due_ns <= result.sent_ns <= result.done_ns
                assert (result.probe, result.target) == ("http", "it")
                if result.outcome == "ok":
                    assert (result.phase, result.detail) == ("", "")
                else:
                    assert (result.outcome, result.phase) == ("unknown", "schedule")
            assert any(result.outcome == "ok" for result in watched.results)

    run(work)


def test_a_due_time_right_before_the_end_is_kept() -> None:
    async def work() -> None:
        async with serving(fine) as server:
            clock = Clock(time.monotonic_ns() + 200 * MILLISECOND)
            watched = Watched([http(server)], until_ns=1, clock=clock).start()
            assert watched.task is not None
            await watched.task
            assert [(r.due_ns, r.outcome) for r in watched.results] == [(0, "ok")]

    run(work)


def test_a_probe_does_not_delay_the_next_one() -> None:
    held: list[Exchange] = []

    async def work() -> None:
        async with serving(held.append) as server:
            watched = Watched([http(server, every_ns=50 * MILLISECOND, timeout_ns=20 * SECOND)]).start()
            while len(held) < 3:
                await asyncio.sleep(0.01)
            assert not any(result.outcome == "ok" for result in watched.results)
            for exchange in held:
                exchange.answer(200)
            await watched.until(lambda result: result.outcome == "ok")
            server.application = fine
            for exchange in held:
                exchange.reset()
            await watched.end()

    run(work)


def test_a_due_time_beyond_the_bound_of_overlaps_is_skipped_and_written_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "MOST_IN_FLIGHT", 2)
    held: list[Exchange] = []

    async def work() -> None:
        async with serving(held.append) as server:
            watched = Watched([http(server, every_ns=50 * MILLISECOND, timeout_ns=20 * SECOND)]).start()
            skipped = await watched.until(lambda result: "under way" in result.detail)
            assert (skipped.outcome, skipped.phase) == ("unknown", "schedule")
            assert skipped.detail == "skipped: 2 earlier probes are still under way"
            while len(held) < 2:
                await asyncio.sleep(0.01)
            assert len(held) == 2
            for exchange in held:
                exchange.answer(200)
            await watched.end()

    run(work)


def test_due_times_that_passed_while_the_prober_was_held_up_are_skipped_and_written_down() -> None:
    async def work() -> None:
        async with serving(fine) as server:
            watched = Watched([http(server, every_ns=50 * MILLISECOND)]).start()
            first = await watched.until(lambda result: result.outcome == "ok")
            time.sleep(0.3)  # Holds up the loop, as a busy machine would.
            after = await watched.until(
                lambda result: result.outcome == "ok" and result.due_ns > first.due_ns + 200 * MILLISECOND
            )
            await watched.end()
            between = [r for r in watched.results if first.due_ns < r.due_ns < after.due_ns]
            late = [r for r in between if r.phase == "schedule"]
            assert len(late) >= 4
            assert all("the prober was" in r.detail and r.outcome == "unknown" for r in late)
            dues = watched.dues()
            assert dues == [n * 50 * MILLISECOND for n in range(len(dues))]

    run(work)


def test_an_outage_is_rechecked_faster_until_it_is_over() -> None:
    every, recheck = SECOND, 50 * MILLISECOND

    async def work() -> None:
        async with serving(fine) as server:
            watched = Watched([http(server, every_ns=every, recheck_ns=recheck)]).start()
            await watched.until(lambda result: result.outcome == "ok")
            server.refuse()
            first_fail = await watched.until(lambda result: result.outcome == "fail")
            assert first_fail.due_ns % every == 0
            assert first_fail.detail == "connection refused"
            await watched.until(lambda _: sum(r.outcome == "fail" for r in watched.results) >= 3)
            server.resume()
            back = await watched.until(lambda r: r.outcome == "ok" and r.due_ns > first_fail.due_ns)
            await watched.until(lambda result: result.due_ns > back.done_ns)
            await watched.end()
            rechecks = [r.due_ns for r in watched.results if first_fail.due_ns < r.due_ns <= back.due_ns]
            assert any(due % every != 0 for due in rechecks)
            assert all((due - first_fail.due_ns) % recheck == 0 for due in rechecks)
            after = [r.due_ns for r in watched.results if r.due_ns > back.done_ns]
            assert all(due % every == 0 for due in after)

    run(work)


class Platform:
    """A platform that answers as a test says, and counts the money."""

    def __init__(self) -> None:
        self.answers = True
        self.paid: set[str] = set()
        self.refunded: set[str] = set()
        self.creates = 0
        self.swallow: list[Exchange] = []

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        key = request.headers["idempotency-key"]
        if request.path == "/payments":
            order = orjson.loads(request.body)
            self.creates += 1
            self.paid.add(order["order_id"])
            assert key == order["order_id"]
            if not self.answers:
                self.swallow.append(exchange)
                return
            body = {**order, "id": f"pay_{key}", "status": "succeeded"}
            exchange.answer(201, orjson.dumps(body))
        else:
            order_id = request.path.split("/")[2].removeprefix("pay_")
            assert key == f"{order_id}-refund"
            self.refunded.add(order_id)
            exchange.answer(201, b'{"status": "succeeded", "amount_minor": 100}')


def test_a_payment_whose_answer_is_lost_is_refunded_at_the_end_at_the_latest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "Cleanups", partial(Cleanups, delays=(3600.0,)))
    platform = Platform()
    platform.answers = False

    async def work() -> None:
        async with serving(platform) as server:
            plan = payment(server, every_ns=60 * SECOND, recheck_ns=60 * SECOND, timeout_ns=5 * SECOND)
            watched = Watched([plan]).start()
            while not platform.swallow:
                await asyncio.sleep(0.01)
            platform.answers = True
            platform.swallow[0].reset()
            lost = await watched.until(lambda result: result.outcome == "unknown")
            assert (lost.phase, lost.detail) == (
                "answer",
                "connection reset; probe-r-0 may have been charged",
            )
            await watched.end()
            assert watched.notes == []

    run(work)
    assert platform.paid == platform.refunded == {"probe-r-0"}


def test_a_payment_whose_answer_is_lost_is_refunded_while_the_watch_goes_on() -> None:
    platform = Platform()
    platform.answers = False

    async def work() -> None:
        async with serving(platform) as server:
            plan = payment(server, every_ns=60 * SECOND, recheck_ns=60 * SECOND, timeout_ns=5 * SECOND)
            watched = Watched([plan]).start()
            while not platform.swallow:
                await asyncio.sleep(0.01)
            platform.answers = True
            platform.swallow[0].reset()
            while not platform.refunded:
                await asyncio.sleep(0.01)
            assert not watched.stop.is_set()
            await watched.end()
            assert watched.notes == []

    run(work)
    assert platform.paid == platform.refunded == {"probe-r-0"}


def test_money_that_cannot_be_refunded_is_not_passed_over_in_silence() -> None:
    platform = Platform()
    platform.answers = False

    async def work() -> None:
        async with serving(platform) as server:
            plan = payment(server, every_ns=60 * SECOND, recheck_ns=60 * SECOND, timeout_ns=300 * MILLISECOND)
            watched = Watched([plan]).start()
            lost = await watched.until(lambda result: result.outcome == "unknown")
            assert "no whole answer within 0.3 s" in lost.detail
            await watched.end()
            (note,) = watched.notes
            assert (note.kind, note.source) == ("note", "probes")
            assert note.text.startswith("probe-r-0 may have been charged")

    run(work)
    assert platform.paid == {"probe-r-0"}


def test_the_end_waits_for_what_is_in_flight() -> None:
    platform = Platform()
    platform.answers = False

    async def work() -> None:
        async with serving(platform) as server:
            watched = Watched([payment(server, timeout_ns=20 * SECOND)], until_ns=MILLISECOND).start()
            while not platform.swallow:
                await asyncio.sleep(0.01)
            watched.stop.set()
            await asyncio.sleep(0)
            exchange = platform.swallow[0]
            order = orjson.loads(exchange.request.body)
            body = {**order, "id": f"pay_{order['order_id']}", "status": "succeeded"}
            exchange.answer(201, orjson.dumps(body))
            assert watched.task is not None
            await watched.task
            assert [(r.due_ns, r.outcome) for r in watched.results] == [(0, "ok")]

    run(work)
    assert platform.refunded == platform.paid


def test_cancelling_ends_at_once_and_says_what_may_be_left() -> None:
    platform = Platform()
    platform.answers = False

    async def work() -> None:
        async with serving(platform) as server:
            plans = [payment(server, timeout_ns=3600 * SECOND), http(server, timeout_ns=3600 * SECOND)]
            server.application = lambda e: platform(e) if e.request.path == "/payments" else None
            watched = Watched(plans, until_ns=MILLISECOND).start()
            while not platform.swallow:
                await asyncio.sleep(0.01)
            assert watched.task is not None
            watched.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await watched.task
            stopped = {r.probe: (r.outcome, r.phase, r.detail) for r in watched.results}
            assert stopped == {
                "http": ("unknown", "prober", "stopped before it ended"),
                "payment": (
                    "unknown",
                    "prober",
                    "stopped before it ended; probe-r-0 may have been charged",
                ),
            }
            assert [note.text for note in watched.notes] == ["probe-r-0 may have been charged"]

    run(work)


def test_a_probe_that_breaks_says_nothing_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("a\nmistake")

    monkeypatch.setattr("probes.http.probe", broken)

    async def work() -> None:
        async with serving(fine) as server:
            watched = Watched([http(server)], until_ns=MILLISECOND).start()
            assert watched.task is not None
            await watched.task
            (result,) = watched.results
            assert (result.outcome, result.phase) == ("unknown", "prober")
            assert result.detail == r"the probe broke: RuntimeError('a\nmistake')"

    run(work)


@pytest.mark.parametrize("error", [RuntimeError("no room"), SystemExit(1)])
def test_an_error_of_the_callback_brings_the_end_and_is_raised(error: BaseException) -> None:
    platform = Platform()

    async def work() -> None:
        async with serving(platform) as server:

            def complain(result: ProbeResult) -> None:
                raise error

            with pytest.raises(type(error)) as raised:
                await watch([payment(server)], Clock.starting_now(), complain, run="r")
            assert raised.value is error

    run(work)
    assert platform.paid == platform.refunded != set()


def test_an_error_of_the_callback_about_a_skipped_probe_is_raised_too() -> None:
    def complain(result: ProbeResult) -> None:
        if result.phase == "schedule":
            raise RuntimeError("no room")

    async def work() -> None:
        async with serving(fine) as server:
            plans = [http(server, every_ns=SECOND)]
            with pytest.raises(RuntimeError, match="no room"):
                await watch(plans, Clock(time.monotonic_ns() - 10 * SECOND), complain, run="r")

    run(work)


def test_order_ids_of_several_payment_probes_differ() -> None:
    platform = Platform()

    async def work() -> None:
        async with serving(platform) as server:
            plans = [payment(server), payment(server, params={"currency": "USD"})]
            watched = Watched(plans, until_ns=MILLISECOND).start()
            assert watched.task is not None
            await watched.task
            assert [r.outcome for r in watched.results] == ["ok", "ok"]

    run(work)
    assert platform.paid == platform.refunded == {"probe-r-0", "probe-r-1"}


def test_a_host_with_a_limit_gets_no_more_than_that() -> None:
    arrived: list[int] = []

    def application(exchange: Exchange) -> None:
        arrived.append(exchange.request.received_ns)
        exchange.answer(200)

    async def work() -> None:
        async with serving(application) as server:
            url = f"http://localhost:{server.port}/"
            plans = [
                planned("http", name, url, every_ns=60 * SECOND, timeout_ns=20 * SECOND) for name in "abc"
            ]
            watched = Watched(plans, until_ns=MILLISECOND, allow_hosts={"Localhost.": 10.0}).start()
            assert watched.task is not None
            await watched.task
            assert [result.outcome for result in watched.results] == ["ok"] * 3

    run(work)
    # Sent at least 100 ms apart; the first may be delayed on its way, which the others do not make up for.
    assert arrived[2] - arrived[0] >= 150 * MILLISECOND
