"""Playing the schedules: sends every probe at its due time and hands on what it found."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from journal.clock import MILLISECOND, SECOND, Clock
from journal.records import Mark, ProbeResult
from probes.cleanup import Cleanups, end
from probes.pace import Pace
from probes.plan import ProbePlan
from probes.probe import Attempt, Finding, unknown
from probes.schedule import Schedule
from probes.target import plain_host
from probes.wire import Wire, open_clients

MOST_IN_FLIGHT = 64
"""Runs of one probe that may overlap. A due time beyond it is skipped."""

DETAIL_LIMIT = 300
"""The most characters of a detail that are written down."""


async def watch(
    probes: Sequence[ProbePlan],
    clock: Clock,
    on_result: Callable[[ProbeResult], None],
    until_ns: int | None = None,
    *,
    run: str,
    stop: asyncio.Event | None = None,
    on_note: Callable[[Mark], None] | None = None,
    allow_hosts: Mapping[str, float] | None = None,
) -> None:
    """Run probes at their due times, counted from the clock's epoch, until the end.

    A probe never delays the next one: they overlap. A due time that cannot be kept (the prober was late by
    a whole interval, or ``MOST_IN_FLIGHT`` runs are under way) is handed on as ``unknown`` in the phase
    ``schedule``. Results come in the order in which probes end, each as soon as it is known.

    At the end, no further probe is sent; what is in flight, and what has to be cleaned up, gets the longest
    of the probes' time-outs to finish. Cancelling the coroutine ends everything at once: what was in flight
    is handed on as ``unknown`` in the phase ``prober``, and what may be left behind as notes.

    Args:
        probes: What to watch; see ``probes.plan``.
        clock: Its epoch is due time 0, usually in the future.
        on_result: Called on the event loop with every result; it must not block.
        until_ns: No probe is due at or after this time; ``None`` for no end.
        run: Names the run in order ids and idempotency keys. Two runs against one platform need two names.
        stop: The end comes when this event is set, too.
        on_note: Called with a mark for everything that a probe left behind (a payment that was not
            refunded) after all tries to put it right.
        allow_hosts: Requests per second that hosts outside this machine may get from this process.

    Raises:
        Exception: What ``on_result`` or ``on_note`` raised first. It brings the end, as ``stop`` does.
    """
    stop = stop or asyncio.Event()
    longest = max((plan.timeout_ns for plan in probes), default=0) / SECOND
    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def deliver(result: ProbeResult) -> None:
        with _keeping(broken):
            on_result(result)

    def report(text: str) -> None:
        if on_note is not None:
            with _keeping(broken):
                on_note(Mark(clock.now_ns(), "note", "probes", _plain(text)))

    numbers = itertools.count()
    paces = {plain_host(host): Pace(rate) for host, rate in (allow_hosts or {}).items()}
    async with open_clients(paces) as clients:
        cleanups = Cleanups(report)
        lanes = [
            _Lane(plan, Wire(clients, plan.timeout_ns), clock, until_ns, deliver, cleanups, numbers, run)
            for plan in probes
        ]
        asked = asyncio.create_task(stop.wait())
        try:
            for lane in lanes:
                lane.start()
            if not await _first_of({asked, broken}, clock, until_ns):
                # The timers of the last due times may be a millisecond behind the one that came here.
                for lane in lanes:
                    lane.tick()
            deadline = asyncio.get_running_loop().time() + longest
            for lane in lanes:
                lane.stop()
            cleanups.hurry()
            for lane in lanes:
                await lane.finish(deadline)
            await cleanups.finish(deadline)
        finally:
            asked.cancel()
            for lane in lanes:
                lane.stop()
                await lane.finish(0)
            await cleanups.finish(0)
    if broken.done():
        broken.result()


async def _first_of(ends: set[asyncio.Future[Any]], clock: Clock, until_ns: int | None) -> bool:
    """Wait for one of these, or until this time; says whether one of them came.

    The loop's timers count from a time that it read before its last callbacks, so they may fire early: a
    wait that is over before its time is begun again, or the due times in between would be lost.
    """
    while True:
        rest_ns = None if until_ns is None else until_ns - clock.now_ns()
        if rest_ns is not None and rest_ns <= 0:
            return any(end.done() for end in ends)
        timeout = None if rest_ns is None else rest_ns / SECOND
        ended, _ = await asyncio.wait(ends, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if ended:
            return True


@contextmanager
def _keeping(broken: asyncio.Future[None]) -> Iterator[None]:
    """Keep the first error of a callback, which would be lost in a task or a timer."""
    try:
        yield
    except (Exception, SystemExit) as error:
        if not broken.done():
            broken.set_exception(error)


class _Lane:
    """One probe with its schedule, its timer and its runs in flight."""

    def __init__(
        self,
        plan: ProbePlan,
        wire: Wire,
        clock: Clock,
        until_ns: int | None,
        on_result: Callable[[ProbeResult], None],
        cleanups: Cleanups,
        numbers: Iterator[int],
        run: str,
    ) -> None:
        self._plan = plan
        self._function = plan.type.function()
        self._wire = wire
        self._clock = clock
        self._until_ns = math.inf if until_ns is None else until_ns
        self._on_result = on_result
        self._cleanups = cleanups
        self._numbers = numbers
        self._run = run
        self._schedule = Schedule(plan.every_ns, plan.recheck_ns, plan.phase_ns)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def start(self) -> None:
        self._arm()

    def stop(self) -> None:
        """Send no further probe."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    async def finish(self, deadline: float) -> None:
        """Wait for what is in flight until ``deadline`` (seconds on the loop's clock), then cancel it."""
        await end(self._in_flight, deadline)

    def tick(self) -> None:
        """Use every due time that has come."""
        now_ns = self._clock.now_ns()
        while self._schedule.due_ns <= now_ns and self._schedule.due_ns < self._until_ns:
            due_ns, late_ns = self._schedule.due_ns, now_ns - self._schedule.due_ns
            if late_ns >= self._schedule.step_ns:
                self._skip(due_ns, f"the prober was {late_ns / MILLISECOND:.0f} ms late")
            elif len(self._in_flight) >= MOST_IN_FLIGHT:
                self._skip(due_ns, f"{MOST_IN_FLIGHT} earlier probes are still under way")
            else:
                task = asyncio.create_task(self._probe(due_ns))
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
            self._schedule = self._schedule.advanced()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._stopped and self._schedule.due_ns < self._until_ns:
            wait_ns = max(0, self._schedule.due_ns - self._clock.now_ns())
            # The loop's timers count whole milliseconds and round to the nearest; one that fires early
            # would only be set again.
            wait = math.ceil(wait_ns / MILLISECOND) / 1000
            self._timer = asyncio.get_running_loop().call_later(wait, self.tick)

    def _skip(self, due_ns: int, why: str) -> None:
        now_ns = self._clock.now_ns()
        self._hand_on(due_ns, now_ns, unknown("schedule", f"skipped: {why}"))

    async def _probe(self, due_ns: int) -> None:
        sent_ns = self._clock.now_ns()
        attempt = Attempt(
            url=self._plan.url,
            params=self._plan.params,
            wire=self._wire,
            order_id=f"probe-{self._run}-{next(self._numbers)}",
            deadline=asyncio.get_running_loop().time() + self._wire.timeout,
        )
        try:
            finding = await self._function(attempt)
        except asyncio.CancelledError:
            why = "; ".join(filter(None, ("stopped before it ended", attempt.exposure)))
            self._hand_on(due_ns, sent_ns, unknown("prober", why))
            if attempt.exposure:
                self._cleanups.leave(attempt.exposure)
            raise
        except Exception as error:
            why = "; ".join(filter(None, (f"the probe broke: {error!r}", attempt.exposure)))
            finding = unknown("prober", why)
            if attempt.exposure:
                self._cleanups.leave(attempt.exposure)
        self._hand_on(due_ns, sent_ns, finding)
        if finding.of_target:
            self._schedule = self._schedule.judged(due_ns, finding.outcome == "ok", self._clock.now_ns())
            self._arm()
        if finding.cleanup is not None:
            self._cleanups.add(finding.cleanup, attempt.exposure)

    def _hand_on(self, due_ns: int, sent_ns: int, finding: Finding) -> None:
        self._on_result(
            ProbeResult(
                probe=self._plan.type.name,
                target=self._plan.target,
                due_ns=due_ns,
                sent_ns=sent_ns,
                done_ns=self._clock.now_ns(),
                outcome=finding.outcome,
                phase=finding.phase or "",
                detail=_plain(finding.detail),
            )
        )


def _plain(text: str) -> str:
    """One printable line."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= DETAIL_LIMIT else f"{line[: DETAIL_LIMIT - 3]}..."
