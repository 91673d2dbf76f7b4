"""Plays a share of a plan: every arrival at its due time, whatever the platform does.

An arrival that is late is sent at once and its latency still counts from its due time; nothing is skipped
to catch up. Only when ``max_in_flight`` payments are open is one given up, and recorded as never sent.

One greenlet keeps the schedule. It plans and encodes a payment before it is due, so that at the due time
nothing is left to do but to send; what comes back is taken in by callbacks of the event loop.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from time import monotonic_ns

import gevent
import gevent.event

from journal.clock import SECOND, Clock
from journal.records import Intent, Payment
from journal.writer import FLUSH_EVERY, Recorder
from scenarios.alarm import Alarm
from scenarios.checkout import Checkout, PlannedPayment, order_id
from scenarios.generator_watch import GeneratorWatch, Tally
from scenarios.result import Result, judge
from scenarios.share import Share
from scenarios.wire import GENERATOR, Answer, Exchange, NeverSentError, NoAnswerError, Wire

_YIELD_EVERY = 50
"""Overdue arrivals that are sent in a row before the answers to the ones in flight get a turn."""

_LOOK_AT_MOST = 1000
"""Arrivals of other workers that are passed over in a row."""


_LOOK_EVERY = 0.1
_FULL_COLLECTION_EVERY = 40
_FLUSH_AT_LEAST = 2000
"""Records that are written before ``FLUSH_EVERY`` has passed: the more at once, the longer the load stands
still, about a microsecond a record."""


class Player:
    """Plays one share once.

    Args:
        checkout: Plans the payments.
        share: Which arrivals are played; due times in ns since the epoch.
        wire: The client.
        clock: Time zero is the load's start.
        writer: The journal, or ``None``.
        run: Prefix of the order ids.
        timeout_ns: When the customer gives up, counted from the due time.
        max_in_flight: Payments open at once, at most.
        on_done: Called after each payment with (planned, result, latency in ns or None, bytes received). It
            must not block: it is called from the event loop, too.

    Attributes:
        in_flight: Payments that are open now.
        max_in_flight: Payments open at once, at most; may be changed.
        tally: What was done so far.
    """

    def __init__(
        self,
        *,
        checkout: Checkout,
        share: Share,
        wire: Wire,
        clock: Clock,
        writer: Recorder | None,
        run: str,
        timeout_ns: int,
        max_in_flight: int,
        on_done: Callable[[PlannedPayment, Result, int | None, int], None],
    ) -> None:
        self._checkout = checkout
        self._share = share
        self._wire = wire
        self._form = wire.form("/payments", ("Idempotency-Key",))
        self._epoch_ns = clock.epoch_ns
        self._writer = writer
        self._run = run
        self._timeout_ns = timeout_ns
        self.max_in_flight = max_in_flight
        self._on_done = on_done
        self._alarm = Alarm()
        self._ended = False
        self._disk_complained = False
        self._none_in_flight = gevent.event.Event()
        self._none_in_flight.set()
        self._housekeeping = gevent.spawn(self._keep_house)
        self.in_flight = 0
        self.tally = Tally()
        self._watch = GeneratorWatch(writer.process, self.tally, wire, clock, writer) if writer else None

    def play(self) -> None:
        """Send every arrival at its due time; return when the last one has ended."""
        # What lives now lives to the end of the drill; scanning it again at each collection costs lateness.
        gc.collect()
        gc.freeze()
        # From here on, garbage is collected where it costs least; see _keep_house.
        gc.disable()
        if self._watch is not None:
            self._watch.start()
        epoch = self._epoch_ns
        in_a_row = 0
        while (arrival := self._next_arrival()) is not None:
            number, due = arrival
            planned = self._checkout.payment(number, due)
            order = order_id(self._run, number)
            request = self._form.encode(planned.body(order), order.encode("ascii"))
            if due > monotonic_ns() - epoch:
                in_a_row = 0
                while due > monotonic_ns() - epoch and not self._ended:
                    self._alarm.sleep_until(epoch + due)
            elif (in_a_row := in_a_row + 1) % _YIELD_EVERY == 0 or self.in_flight >= self.max_in_flight:
                # Answers that have come and were not read yet make room for this one.
                gevent.sleep(0)
            if self._ended:
                break
            self._pay(planned, order, request)
        self._none_in_flight.wait()

    def wake(self) -> None:
        """Look at the share again: it has been granted more, or was dealt anew."""
        self._alarm.wake()

    def finish(self, grace: float) -> None:
        """End: wait at most ``grace`` seconds for what is in flight, record the rest as unknown, flush."""
        self._ended = True
        self._alarm.wake()
        self._none_in_flight.wait(grace)
        self._wire.close()
        self._alarm.close()
        self._housekeeping.kill()
        gc.enable()
        if self._watch is not None:
            self._watch.stop()
        if self._writer is not None:
            self._flush(self._writer.close)

    def _next_arrival(self) -> tuple[int, int] | None:
        """Number and due time of the next arrival; None when there are no more or the load was ended."""
        share = self._share
        while not self._ended:
            if not share.pass_over(_LOOK_AT_MOST):
                gevent.sleep(0)
            elif share.next_due() is None:
                return None
            elif share.withheld:
                self._alarm.sleep_until(None)
            else:
                return share.take()
        return None

    def _pay(self, planned: PlannedPayment, order: str, request: bytes) -> None:
        tally = self.tally
        tally.due += 1
        if self.in_flight >= self.max_in_flight:
            self._never_sent(planned, order, f"{GENERATOR}{self.max_in_flight} payments in flight already")
            return
        sent = monotonic_ns() - self._epoch_ns
        deadline = planned.due_ns + self._timeout_ns
        if sent >= deadline:
            self._never_sent(planned, order, f"{GENERATOR}its turn came after the customer's time-out")
            return
        tally.left(sent - planned.due_ns)
        if self._writer is not None:
            self._writer.write(Intent(order, planned.due_ns, sent))
        if not self.in_flight:
            self._none_in_flight.clear()
        self.in_flight += 1
        patience = self._timeout_ns
        self._wire.send(_Attempt(request, deadline + self._epoch_ns, patience, self, planned, order, sent))

    def ended(self, attempt: _Attempt, done: int | None, result: Result, received: int) -> None:
        """An attempt of this player has come to its end, at ``done``, or without an answer."""
        self.in_flight -= 1
        if not self.in_flight:
            self._none_in_flight.set()
        planned = attempt.planned
        self._record(planned, attempt.order, attempt.sent_ns, done, result)
        self._on_done(planned, result, None if done is None else done - planned.due_ns, received)

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return monotonic_ns() - self._epoch_ns

    def _never_sent(self, planned: PlannedPayment, order: str, why: str) -> None:
        result = Result("failed", why, "")
        self._record(planned, order, None, None, result)
        self._on_done(planned, result, None, 0)

    def _record(
        self, planned: PlannedPayment, order: str, sent: int | None, done: int | None, result: Result
    ) -> None:
        self.tally.ended += 1
        if self._writer is not None:
            self._writer.write(
                Payment(
                    order,
                    planned.due_ns,
                    sent,
                    done,
                    planned.method,
                    planned.amount_minor,
                    planned.currency,
                    planned.instrument,
                    planned.expected,
                    result.outcome,
                    result.error,
                    result.gateway,
                )
            )

    def _keep_house(self) -> None:
        """Write the journal, and collect garbage right after it: there is least to look through then."""
        done_ns = monotonic_ns()
        done = rounds = 0
        while True:
            gevent.sleep(_LOOK_EVERY)
            records = self.tally.sent + self.tally.ended
            next_look_ns = monotonic_ns() + _LOOK_EVERY * SECOND
            if next_look_ns > done_ns + FLUSH_EVERY * SECOND or records - done >= _FLUSH_AT_LEAST:
                if self._writer is not None:
                    self._flush(self._writer.flush)
                if not gc.isenabled():
                    rounds += 1
                    gc.collect(1 if rounds % _FULL_COLLECTION_EVERY else 2)
                done_ns, done = monotonic_ns(), records

    def _flush(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            if not self._disk_complained:
                self._disk_complained = True
                print(f"load: the journal cannot be written: {error}; still trying", file=sys.stderr)  # noqa: T201


class _Attempt(Exchange):
    """One payment on its way."""

    __slots__ = ("order", "planned", "player", "sent_ns")

    def __init__(
        self,
        request: bytes,
        deadline_ns: int,
        timeout_ns: int,
        player: Player,
        planned: PlannedPayment,
        order: str,
        sent_ns: int,
    ) -> None:
        super().__init__(request, deadline_ns, timeout_ns)
        self.player = player
        self.planned = planned
        self.order = order
        self.sent_ns = sent_ns

    def answered(self, answer: Answer) -> None:
        done = self.player.now_ns()
        result = Result("unknown", "the answer could not be judged", "")
        try:
            result = judge(self.planned, self.order, answer)
        finally:
            self.player.ended(self, done, result, len(answer.body))

    def failed(self, error: NeverSentError | NoAnswerError) -> None:
        player = self.player
        if isinstance(error, NoAnswerError):
            player.ended(self, None, Result("unknown", str(error), ""), 0)
            return
        result = Result("failed", str(error), "")
        player.tally.socket_errors += result.error.startswith(GENERATOR)
        player.ended(self, player.now_ns(), result, 0)
