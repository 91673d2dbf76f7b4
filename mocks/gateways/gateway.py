"""What all gateways have in common: latency, the moment at which money moves, faults, loss, the journal."""

from __future__ import annotations

import asyncio
import math
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from journal.clock import Clock
from journal.records import GatewayRequest, Movement, Webhook
from journal.writer import Sink
from mocks.draws import Draws
from mocks.drift import Drift
from mocks.faults.fault import Fault
from mocks.faults.matcher import NOTHING, Traits
from mocks.gateways.call import Call, Prepared
from mocks.gateways.rate_limit import Limit, Limits, RateLimit
from mocks.gateways.recorder import Recorder
from mocks.http import Exchange, Request, Server
from mocks.idempotency import Keys
from mocks.latency import Latency
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock
from mocks.reply import Reply
from mocks.transmission import Transmission
from mocks.webhooks import Outbox, Rules

HEALTH = "health"
"""The endpoint that every mock has besides its gateway's own: ``GET /health`` without credentials, for
probes. It is a request like any other to faults and to the journal."""

QUICK = 0.1
"""The share of a payment's latency that reads, replays and refusals take: no bank is asked."""


class Gateway(ABC):
    """One gateway: an HTTP application, a ledger, idempotency keys, and whatever faults are active.

    A request that has something to execute is executed at a moment drawn uniformly within its latency; its
    answer goes out at the latency's end. So when a connection dies in flight, some payments have been
    captured and some have not, as in life. A gateway doesn't notice a client that leaves: the request is
    executed all the same. Only the gateway's own outage prevents what has not happened yet.

    Args:
        name: What the journal calls it.
        latency: Of a request that is executed; other requests take ``QUICK`` of it.
        seed: Of the run; settles the latency and the moment of execution of the n-th request.

    Attributes:
        capacity: Requests that it carries at a time at its own latency. One that finds more in flight takes
            in flight / capacity times as long, so that no more than capacity / mean latency are answered in
            a second, however many are sent (Little's law). No end to it, unless it is set.
        region: The one that it serves; empty when it has none.
    """

    idempotency_header = "idempotency-key"
    """The header that carries an idempotency key, in lower case."""

    key_lifetime_s: float = math.inf
    """Seconds of the mock's clock for which an idempotency key is kept."""

    webhook_secret: str = ""
    """What a receiver needs to verify its webhooks: the secret, for PayPal the webhook id; empty when they
    are not signed."""

    payment_endpoints: frozenset[str] = frozenset()
    """The endpoints that make money move: a payment, its capture."""

    limits: Limits = Limits(Limit(100))
    """Its rate limits, which are off until ``rate_limit.enforce`` is called; an assumption unless a gateway
    has its own."""

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        self.name = name
        self.seed = seed
        self.latency = latency
        self.ledger = Ledger(name, self._moved)
        self.mock_clock = MockClock()
        self.keys = Keys(self.mock_clock, self.key_lifetime_s)
        self.rate_limit = RateLimit(self.mock_clock, self.limits)
        self.capacity = math.inf
        self.region = ""
        self.outbox = Outbox(name, self.mock_clock, self.webhook_rules(), seed)
        self.outbox.record = self._delivered
        self.ids = Draws(seed, f"{name}/ids")
        self.faults: Sequence[Fault] = ()
        self.server: Server | None = None
        self._latencies = Draws(seed, f"{name}/latency")
        self._moments = Draws(seed, f"{name}/moment")
        self._arrived = 0
        self.made = 0
        self.recorder: Recorder | None = None
        self._dark = 0
        self._in_flight: dict[Call, None] = {}
        self._clock = Clock(0)
        self._writer: Sink | None = None

    # What each gateway does in its own way.

    @abstractmethod
    def endpoint(self, request: Request) -> str:
        """The name of the endpoint, empty if there is none."""

    @abstractmethod
    def prepare(self, call: Call) -> Prepared:
        """Authenticate, look at the idempotency key, validate; what is left is the execution."""

    @abstractmethod
    def error(self, status: int) -> Reply:
        """An error of the gateway's own making, in its own shape."""

    def refusal(self, status: int) -> Reply:
        """What is no request at all, too slow or too large: the error that such a request gets."""
        return self.error(status)

    def traits(self, call: Call) -> Traits:
        """What the body of a request says of a payment. What it does not say, or cannot be read, is left
        out; it may raise what reading it raises."""
        return NOTHING

    def headers(self, call: Call, reply: Reply) -> tuple[tuple[str, str], ...]:
        """The headers of an answer besides those of HTTP itself."""
        return reply.headers

    def webhook_rules(self) -> Rules:
        """How its events are named, signed and redelivered; called once, before the gateway's own state
        exists. Without rules of its own a gateway delivers unsigned, once."""
        return Rules(event_id=lambda number: f"event-{number}", sign=lambda body, at: (), redelivery_s=())

    # What faults inside it ask of it.

    def moved(self, call: Call, reply: Reply) -> bool:
        """Whether an answer is to a payment or refund that was made, or is on its way (a bank debit)."""
        return reply.result == "succeeded"

    def contradiction(self, reply: Reply) -> Reply | None:
        """HTTP 200 with the opposite of what an answer says of a payment; None when it says nothing of it."""
        return None

    def limit_headers(self, requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
        """The headers that tell of a used-up rate limit, besides those of the error 429."""
        return ()

    def known_key(self, call: Call) -> tuple[Keys, str] | None:
        """Where, and as what, the idempotency key of a request is known from one that is over."""
        return known(self.keys, call.idempotency_key)

    def decline_payments(self, on: bool) -> None:
        """Decline whatever payment is made from here on, or no longer; asked around one execution."""
        raise NotImplementedError(f"{self.name} cannot decline payments")

    def fail_later(self, reply: Reply, seconds: float) -> bool:
        """Take back the payment that this answer told of, after so many seconds of the mock's clock. Returns
        False when it told of none that could be."""
        return False

    @property
    def has_tokens(self) -> bool:
        """Whether callers have to fetch an access token."""
        return False

    def forget_tokens(self) -> None:  # noqa: B027
        """Let every access token be one that was never given out."""

    def add_drift(self, drift: Drift) -> None:
        """Let money that is booked from here on drift."""
        self.ledger.drifts.append(drift)

    def remove_drift(self, drift: Drift) -> None:
        """Undo ``add_drift``."""
        self.ledger.drifts.remove(drift)

    def settle(self, at_ns: int) -> None:  # noqa: B027
        """The run ends: book what the ledger has not been told yet (fees, as sums)."""

    def settle_by_time(self) -> None:
        """Let the mock's clock settle what a test account of this gateway leaves as it is until it is asked.

        Raises:
            ValueError: This gateway has nothing of the kind.
        """
        raise ValueError(f"{self.name} settles by the clock anyway; there is nothing to choose")

    # The way of a request.

    def __call__(self, exchange: Exchange) -> None:
        """Take a request; this is the application of the gateway's server."""
        number = self._arrived
        self._arrived += 1
        health = exchange.request.method == "GET" and exchange.request.path == "/health"
        call = Call(self, exchange, number, HEALTH if health else self.endpoint(exchange.request))
        self._in_flight[call] = None
        if self.faults:
            call.meet(self.faults)
            if call.over:
                return
        drawn_ns: float = self.latency.quantile(self._latencies.uniform(number))
        if call.reply is None:
            try:
                if health:
                    prepared: Prepared = Reply(200, b'{"status": "ok"}')
                else:
                    prepared = self.prepare(call) if self.recorder is None else self.recorder.prepare(call)
            except Exception as error:
                prepared = self._broken(call, error)
            if isinstance(prepared, Reply):
                call.reply = prepared
                drawn_ns *= QUICK
            else:
                call.execute = prepared
                if exchange.request.method == "GET":
                    drawn_ns *= QUICK
        if len(self._in_flight) > self.capacity:
            call.slow(times=len(self._in_flight) / self.capacity)
        latency_ns = call.latency_ns(drawn_ns)
        if latency_ns <= 0:
            self._decide(call, 0)
            return
        loop = asyncio.get_running_loop()
        if call.execute is None:
            call.timer = loop.call_later(latency_ns / 1e9, self._answer, call)
        else:
            moment_ns = latency_ns * self._moments.uniform(number)
            call.timer = loop.call_later(moment_ns / 1e9, self._decide, call, latency_ns)

    def _decide(self, call: Call, latency_ns: float) -> None:
        """Execute: from here on it has happened, whether or not the caller hears of it."""
        if call.execute is not None:
            try:
                at_ns = time.monotonic_ns()
                if call.faults:
                    call.reply = self._execute_faulty(call, at_ns)
                elif self.recorder is None:
                    call.reply = call.execute(at_ns)
                else:
                    call.reply = self.recorder.execute(call, at_ns)
            except Exception as error:
                call.reply = self._broken(call, error)
            if call.use is not None:
                call.use.save(call.reply)
                call.use.order_id = call.order_id
        left_ns = latency_ns - (time.monotonic_ns() - call.exchange.request.received_ns)
        if left_ns <= 0:
            self._answer(call)
        else:
            call.timer = asyncio.get_running_loop().call_later(left_ns / 1e9, self._answer, call)

    def _execute_faulty(self, call: Call, at_ns: int) -> Reply:
        """Execute a request that faults have touched: one may stand in the way, others change what comes of
        it."""
        assert call.execute is not None
        for fault in call.faults:
            instead = fault.executing(call)
            if instead is not None:
                return instead
        if call.declined:
            self.decline_payments(True)
        try:
            reply = call.execute(at_ns) if self.recorder is None else self.recorder.execute(call, at_ns)
        finally:
            if call.declined:
                self.decline_payments(False)
        for fault in call.faults:
            reply = fault.executed(call, reply)
        return reply

    def _answer(self, call: Call) -> None:
        assert call.reply is not None
        reply = call.reply
        for fault in call.faults:
            reply = fault.answering(call, reply)
        for fault in call.faults:
            if fault.sending(call, reply):
                return
        self._end(call)
        sent = call.exchange.answer(
            reply.status, reply.body, content_type=reply.content_type, headers=self.headers(call, reply)
        )
        self._journal(call, reply.status if sent else 0, time.monotonic_ns() if sent else None)

    def _end(self, call: Call) -> None:
        call.over = True
        # The execution knows the call: left in place, the two would live until the collector comes by.
        call.execute = None
        del self._in_flight[call]
        if self.recorder is not None:
            self.recorder.ended(call)
        if call.timer is not None:
            call.timer.cancel()
        if call.use is not None:
            call.use.end()

    def _broken(self, call: Call, error: Exception) -> Reply:
        # The text of the exception stays out: it may quote what a caller sent.
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{self.name}: {call.endpoint or 'no endpoint'}: {type(error).__name__}"
        sys.stderr.write(f"{what} at {where.filename}:{where.lineno}\n")
        return self.error(500)

    def transmit(self, call: Call, reply: Reply, transmission: Transmission, *, keep_alive: bool) -> None:
        """Send an answer in another way than whole and at once. The journal has the time of its last byte;
        of an answer that never is out whole it says that there was none."""
        self._end(call)
        transmission.on_answered = lambda at_ns: self._journal(
            call, 0 if at_ns is None else reply.status, at_ns
        )
        if not keep_alive:
            call.exchange.keep_alive = False
        if not call.exchange.answer(
            reply.status,
            reply.body,
            content_type=reply.content_type,
            headers=self.headers(call, reply),
            by=transmission,
        ):
            transmission.lose()

    # What faults do to the server.

    def lose(self, call: Call) -> None:
        """End a request without an answer. What it has not executed yet never happens, and its idempotency
        key is free again unless it was executed."""
        self._end(call)
        self._journal(call, 0, None)

    def go_dark(self, cause: str) -> int:
        """Refuse connections, reset the open ones, and lose what is in flight, even what its client has
        long left. Returns how many connections were reset plus how many requests were lost."""
        self._dark += 1
        self.outbox.hold()
        lost = tuple(self._in_flight)
        for call in lost:
            call.name_fault(cause)
            self.lose(call)
        return len(lost) + (self.server.refuse() if self.server is not None else 0)

    def come_back(self) -> None:
        """Serve again, once as many outages have ended as began."""
        self._dark -= 1
        if self._dark == 0:
            self.outbox.release()
            if self.server is not None:
                self.server.resume()

    def cut_in_flight(self, chosen: Callable[[Call], bool], cause: str) -> int:
        """Reset the connections of the chosen requests in flight. Returns how many there were."""
        cut = [call for call in self._in_flight if chosen(call)]
        for call in cut:
            call.name_fault(cause)
            call.reset()
        return len(cut)

    def begin_anew(self) -> None:
        """Forget everything: no money has moved, and identifiers start over. Requests in flight are lost and
        their connections reset; server, faults and journal stay. Events are no longer delivered, and what was
        set after the gateway had been made (speed, rate limit, settlement) is as when it was made."""
        for call in tuple(self._in_flight):
            call.reset()
        self.mock_clock.clear()
        kept = {
            name: getattr(self, name) for name in ("faults", "server", "region", "_dark", "_clock", "_writer")
        }
        held, webhook_faults = self.outbox.held, self.outbox.faults
        drifts = self.ledger.drifts
        type(self).__init__(self, self.name, self.latency, self.seed)
        self.ledger.drifts = drifts
        for name, value in kept.items():
            setattr(self, name, value)
        self.outbox.held, self.outbox.faults = held, webhook_faults

    def resume_at(self, number: int) -> None:
        """Number the requests from here on: the ones before have been answered by another process."""
        self._arrived = number

    def close(self, *, goes_on: bool = False) -> None:
        """Lose what is still in flight: the process ends, and with it the run, unless another process goes
        on."""
        for call in tuple(self._in_flight):
            self.lose(call)
        if not goes_on:
            self.settle(time.monotonic_ns())

    # Names and records.

    def next_id(self, length: int, alphabet: str) -> str:
        """A new random-looking identifier; the n-th is the same for the same seed."""
        self.made += 1
        return self.ids.text(self.made, length, alphabet)

    def begin(self, clock: Clock, writer: Sink | None) -> None:
        """The run begins: what ends or moves from here on is written down."""
        self._clock = clock
        self._writer = writer

    def _moved(self, movement: Movement) -> None:
        if self._writer is not None:
            # Each movement and each attempt at a webhook comes by here: much cheaper than ``_replace``.
            self._writer.write(Movement(*movement[:-1], self._clock.at(movement.at_ns)))

    def _delivered(self, webhook: Webhook) -> None:
        if self._writer is not None:
            gateway, event_id, kind, attempt, due_ns, delivered_ns, status, fault = webhook
            at = self._clock.at
            done_ns = None if delivered_ns is None else at(delivered_ns)
            self._writer.write(Webhook(gateway, event_id, kind, attempt, at(due_ns), done_ns, status, fault))

    def _journal(self, call: Call, status: int, answered_ns: int | None) -> None:
        if self._writer is None:
            return
        clock = self._clock
        self._writer.write(
            GatewayRequest(
                gateway=self.name,
                endpoint=call.endpoint,
                received_ns=clock.at(call.exchange.request.received_ns),
                answered_ns=None if answered_ns is None else clock.at(answered_ns),
                status=status,
                result=call.reply.result if call.reply is not None else "",
                fault=call.fault,
                idempotency_key=call.idempotency_key,
                order_id=call.order_id,
                replayed=call.replayed,
            )
        )


def known(keys: Keys, key: str) -> tuple[Keys, str] | None:
    """Both, if the key is known there from a request that is over."""
    use = keys.find(key) if key else None
    return None if use is None or use.in_progress else (keys, key)
