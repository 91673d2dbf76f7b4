"""Plays a shard of a plan: one greenlet per arrival, each at its due time, whatever the platform does.

An arrival that is late is sent at once and its latency still counts from its due time; nothing is skipped
to catch up. Only when ``max_in_flight`` payments are open is one given up, and recorded as never sent.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gevent
import orjson

from journal.clock import SECOND, Clock
from journal.records import Intent, Payment
from journal.writer import FLUSH_EVERY, Writer
from scenarios.checkout import Checkout, PlannedPayment, order_id
from scenarios.generator_watch import GeneratorWatch, Tally
from scenarios.wire import Answer, NeverSentError, NoAnswerError, Wire

_OUTCOMES = frozenset({"succeeded", "declined", "pending", "canceled", "failed", "unknown"})
_STATUSES = {"succeeded": (201, 200), "declined": (402,), "pending": (202,), "unknown": (202,)}
"""Outcome -> the HTTP statuses that go with it; the other outcomes are never expected."""

GENERATOR = "generator: "
"""Begins the error of a payment that failed through the generator's own fault, and not the platform's."""

_YIELD_EVERY = 50
"""Overdue arrivals that are started in a row before the ones in flight get a turn."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one payment came to, as the client saw it. ``error`` is empty only if it went as planned."""

    outcome: str
    error: str
    gateway: str


def judge(planned: PlannedPayment, order: str, answer: Answer) -> Result:
    """Compare the platform's answer with the plan.

    An answer that is no payment is classed by its status: 4xx was refused before anything happened, any
    other may have been carried out, so its outcome is unknown.
    """
    try:
        claim = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        claim = None
    if not isinstance(claim, dict):
        claim = {}
    status = claim.get("status")
    outcome = status if isinstance(status, str) and status in _OUTCOMES else None
    if outcome is None:
        outcome = "failed" if 400 <= answer.status < 500 else "unknown"
        return Result(outcome, f"HTTP {answer.status} without a payment's status", "")
    gateway = claim.get("gateway")
    gateway = gateway if isinstance(gateway, str) else ""
    return Result(outcome, _deviation(planned, order, outcome, claim, answer.status), gateway)


def _deviation(
    planned: PlannedPayment, order: str, outcome: str, claim: dict[str, object], status: int
) -> str:
    if outcome != planned.expected:
        reason = claim.get("error") or claim.get("decline_code") or ""
        return f"{outcome}, expected {planned.expected}" + (f": {reason}" if reason else "")
    if status not in _STATUSES.get(outcome, ()):
        return f"says {outcome} with HTTP {status}"
    if claim.get("order_id", order) != order:
        return "answered with another order"
    if claim.get("amount_minor") != planned.amount_minor or claim.get("currency") != planned.currency:
        return f"asked {planned.amount_minor} {planned.currency}, answered with another amount or currency"
    if planned.decline_code and claim.get("decline_code") != planned.decline_code:
        return f"declined as {claim.get('decline_code')}, expected {planned.decline_code}"
    return ""


class Player:
    """Plays one shard once.

    Args:
        checkout: Plans the payments.
        arrivals: Pairs of (number, due time in ns since the epoch), in due order.
        wire: The client.
        clock: Time zero is the load's start.
        writer: The journal, or ``None``.
        run: Prefix of the order ids.
        timeout_ns: When the customer gives up, counted from the due time.
        max_in_flight: Payments open at once, at most.
        on_done: Called after each payment with (planned, result, latency in ns or None, bytes received).
    """

    def __init__(
        self,
        *,
        checkout: Checkout,
        arrivals: Iterator[tuple[int, int]],
        wire: Wire,
        clock: Clock,
        writer: Writer | None,
        run: str,
        timeout_ns: int,
        max_in_flight: int,
        on_done: Callable[[PlannedPayment, Result, int | None, int], None],
    ) -> None:
        self._checkout = checkout
        self._arrivals = arrivals
        self._wire = wire
        self._clock = clock
        self._writer = writer
        self._run = run
        self._timeout_ns = timeout_ns
        self._max_in_flight = max_in_flight
        self._on_done = on_done
        self._in_flight: set[gevent.Greenlet] = set()
        self._ended = False
        self._disk_complained = False
        self._flusher = gevent.spawn(self._flush_forever) if writer else None
        self.tally = Tally()
        self._watch = GeneratorWatch(writer.process, self.tally, wire, clock, writer) if writer else None

    def play(self) -> None:
        """Start every arrival at its due time; return when the last one has ended."""
        # What lives now lives to the end of the drill; scanning it again at each collection costs lateness.
        gc.collect()
        gc.freeze()
        if self._watch is not None:
            self._watch.start()
        in_a_row = 0
        for number, due in self._arrivals:
            wait = due - self._clock.now_ns()
            if wait > 0:
                gevent.sleep(wait / SECOND)
                in_a_row = 0
            elif (in_a_row := in_a_row + 1) % _YIELD_EVERY == 0:
                gevent.sleep(0)
            if self._ended:
                break
            planned = self._checkout.payment(number, due)
            self.tally.due += 1
            if len(self._in_flight) >= self._max_in_flight:
                self._never_sent(planned, f"{GENERATOR}{self._max_in_flight} payments in flight already")
            else:
                self._in_flight.add(greenlet := gevent.spawn(self._pay, planned))
                greenlet.rawlink(self._in_flight.discard)
        gevent.joinall(list(self._in_flight))

    def finish(self, grace: float) -> None:
        """End: wait at most ``grace`` seconds for what is in flight, record the rest as unknown, flush."""
        self._ended = True
        gevent.joinall(list(self._in_flight), timeout=grace)
        gevent.killall(list(self._in_flight))
        if self._flusher is not None:
            self._flusher.kill()
        if self._watch is not None:
            self._watch.stop()
        self._wire.close()
        if self._writer is not None:
            self._flush(self._writer.close)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def _pay(self, planned: PlannedPayment) -> None:
        order = order_id(self._run, planned.number)
        body = planned.body(order)
        sent = self._clock.now_ns()
        left = (planned.due_ns + self._timeout_ns - sent) / SECOND
        if left <= 0:
            self._never_sent(planned, f"{GENERATOR}its turn came after the customer's time-out")
            return
        self.tally.left(sent - planned.due_ns)
        if self._writer is not None:
            self._writer.write(Intent(order, planned.due_ns, sent))
        result = Result("unknown", "the load ended before the answer", "")
        done: int | None = None
        received = 0
        try:
            answer = self._wire.post("/payments", body, {"Idempotency-Key": order}, left)
            done = self._clock.now_ns()
            received = len(answer.body)
            result = judge(planned, order, answer)
        except NeverSentError as error:
            done = self._clock.now_ns()
            result = Result("failed", str(error), "")
            self.tally.socket_errors += result.error.startswith(GENERATOR)
        except NoAnswerError as error:
            result = Result("unknown", str(error), "")
        finally:
            self._record(planned, order, sent, done, result)
        self._on_done(planned, result, None if done is None else done - planned.due_ns, received)

    def _never_sent(self, planned: PlannedPayment, why: str) -> None:
        result = Result("failed", why, "")
        self._record(planned, order_id(self._run, planned.number), None, None, result)
        self._on_done(planned, result, None, 0)

    def _record(
        self, planned: PlannedPayment, order: str, sent: int | None, done: int | None, result: Result
    ) -> None:
        self.tally.ended += 1
        if self._writer is not None:
            self._writer.write(
                Payment(
                    id=order,
                    due_ns=planned.due_ns,
                    sent_ns=sent,
                    done_ns=done,
                    method=planned.method,
                    amount_minor=planned.amount_minor,
                    currency=planned.currency,
                    instrument=planned.instrument,
                    expected=planned.expected,
                    outcome=result.outcome,
                    error=result.error,
                    gateway=result.gateway,
                )
            )

    def _flush_forever(self) -> None:
        assert self._writer is not None
        while True:
            gevent.sleep(FLUSH_EVERY)
            self._flush(self._writer.flush)

    def _flush(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            if not self._disk_complained:
                self._disk_complained = True
                print(f"load: the journal cannot be written: {error}; still trying", file=sys.stderr)  # noqa: T201
