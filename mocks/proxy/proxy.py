"""A reverse proxy into which faults can be injected, and which writes down what passed through it.

Without a fault, what arrives at the origin is what the client sent, and what comes back is what the origin
answered, byte by byte, connection management included: a ``Connection: close`` of either side closes both.
The exceptions:

- the value of ``Host`` names the origin; ``Upgrade`` and ``HTTP2-Settings`` are left out, so that nobody
  leaves HTTP/1.1,
- what a proxy could misread is refused: a folded header line, a line end without carriage return, two
  lengths, a transfer coding other than chunked, CONNECT (400, 405, 501),
- empty lines before a request are passed over.

Links and redirects to the origin in an answer stay as they are: a client that follows them leaves the proxy.

An origin that can't be reached, or isn't who its certificate should say, is answered for with 502 and
``Paydrill-Proxy: unreachable``. When it is lost after anything was sent, nobody knows what became of the
request: the client's connection is reset. The proxy never sends a request twice.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from journal.clock import Clock
from journal.records import GatewayRequest
from journal.writer import Writer
from mocks.draws import Draws
from mocks.faults.fault import Fault
from mocks.faults.matcher import NOTHING, Traits
from mocks.http import Request, Server
from mocks.latency import Latency
from mocks.outbound import Answer
from mocks.proxy.answer import reply_of
from mocks.proxy.call import ProxyCall
from mocks.proxy.credentials import refusal
from mocks.proxy.head import RequestHead, ResponseHead, addressed, fields
from mocks.proxy.outcome import outcome_of
from mocks.proxy.upstream import UnreachableError, Upstream, UpstreamConnection
from mocks.reply import Reply
from mocks.sandboxes.sandbox import Forwarded

if TYPE_CHECKING:
    from mocks.exchange import Exchange
    from mocks.gateways.call import Call
    from mocks.gateways.gateway import Gateway
    from mocks.gateways.kind import GatewayType
    from mocks.proxy.downstream import Downstream
    from mocks.sandboxes.pace import Pace
    from mocks.sandboxes.sandbox import Notes
    from mocks.transmission import Transmission

WAIT_LIMIT = 64 << 10
"""Bytes of a body for which a request waits when a fault is on, so that the fault can look into it. A larger
one, or one whose client waits for 100 Continue, is passed on as it comes, and says nothing of its payment."""

UNSENT_LIMIT = 256 << 10
"""Bytes of a request that are read while its connection to the origin is being made."""

KEEP_LIMIT = 8 << 20
"""Bytes of an answer that are kept for a fault to act on it; a larger one goes on as it comes, unchanged."""

REPLAYED = "idempotent-replayed"
"""The header by which Stripe says that an answer is the one to an earlier request under the same key."""

TOLD = "Paydrill-Proxy"
"""The header of every answer that the proxy makes up without having been told to by a fault."""


class Proxy:
    """In front of one origin; a target of faults like a gateway.

    A request that faults have touched is passed on at a moment drawn uniformly within the latency that they
    add, and its answer is kept until it is whole. From then on it is the origin's to carry out, whether or
    not the client hears of it: when the proxy goes dark, what is on its way may or may not happen.

    Args:
        name: What the journal calls it.
        upstream: The origin.
        seed: Of the run; settles the moments.
        kind: What stands behind the proxy, when it is a gateway that is known: its endpoints, errors and
            bodies.
        pace: What every request waits for; None: they are passed on as they come.

    Attributes:
        region: The one that it serves; empty when it has none.
        server: Its server, once it has one.
        faults: Those that are on.
        pace: As given.
        gateway: The kind's name; empty when it is not known.
        notes: Told of the requests that it wants and of their answers; None: nobody is.
    """

    def __init__(
        self,
        name: str,
        upstream: Upstream,
        seed: int,
        *,
        kind: GatewayType | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self.upstream = upstream
        self.gateway = "" if kind is None else kind.name
        # It serves nothing; it is asked what its requests and answers look like.
        self.kind: Gateway | None = None if kind is None else kind.make(name, Latency(0, 0), seed)
        self.region = ""
        self.faults: Sequence[Fault] = ()
        self.server: Server | None = None
        self.notes: Notes | None = None
        self.pace = pace
        self._host = upstream.origin.authority
        self._moments = Draws(seed, f"{name}/moment")
        self._arrived = 0
        self._in_flight: dict[ProxyCall, None] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._complained = ""
        self._dark = 0
        self._clock = Clock(0)
        self._writer: Writer | None = None

    @property
    def arrived(self) -> int:
        """How many requests have come in."""
        return self._arrived

    @property
    def in_flight(self) -> int:
        """How many of them have neither been answered nor lost."""
        return len(self._in_flight)

    # What is known of the gateway behind it.

    def endpoint(self, head: RequestHead) -> str:
        """The name of a request's endpoint at the gateway that stands behind the proxy; ``POST /path`` where
        that is not known."""
        method = head.method.decode("ascii")
        path = head.target.decode("latin-1").partition("?")[0]
        if self.kind is None:
            return f"{method} {path}"
        return self.kind.endpoint(Request(method, path, "", {}, b"", 0))

    def traits(self, call: ProxyCall) -> Traits:
        """What the body says of a payment."""
        assert self.kind is not None
        try:
            return self.kind.traits(cast("Call", call))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
            return NOTHING

    def idempotency_key(self, head: RequestHead) -> str:
        """As sent, empty without one."""
        wanted = "idempotency-key" if self.kind is None else self.kind.idempotency_header
        return next((value for name, value in fields(head.raw) if name.lower() == wanted), "")

    def error(self, status: int) -> Reply:
        """An error in the gateway's own shape; without one, in a load balancer's."""
        if self.kind is not None:
            return self.kind.error(status)
        return Reply(status, b"", result="error", content_type="text/plain")

    def limit_headers(self, requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
        """The headers that tell of a used-up rate limit, of a gateway that is known."""
        return () if self.kind is None else self.kind.limit_headers(requests, resets_at)

    def refusal(self, status: int) -> Reply:
        """What is no request that a proxy could pass on."""
        return self.error(status)._replace(headers=((TOLD, "refused"),))

    def __call__(self, exchange: Exchange) -> None:
        """The kernel's way to hand over a whole request, which the connections of a proxy never take."""
        raise NotImplementedError

    # The way of a request.

    def call(self, downstream: Downstream, head: RequestHead, received_ns: int) -> ProxyCall:
        """A request has begun."""
        number = self._arrived
        self._arrived += 1
        return ProxyCall(self, downstream, head, number, received_ns)

    def take(self, call: ProxyCall) -> None:
        """Its head is there, and what came along with it."""
        self._in_flight[call] = None
        head = call.head
        if head.credentials:
            why = refusal(head.credentials, self.upstream.origin.host)
            if why:
                self._say(call, 403, "refused", why)
                return
        if self.notes is not None:
            call.noted = self.notes.wants(call.http_method, head.target.decode("latin-1"))
        if not self.faults and not call.noted:
            self._turn(call)
        elif call.received or head.expects or not 0 <= head.length <= WAIT_LIMIT:
            self._consider(call)
        else:
            call.waiting = True

    def more(self, call: ProxyCall, data: bytes) -> None:
        """More of its body has come."""
        if call.over:
            return
        if call.waiting:
            call.seen += data
            if call.received:
                call.waiting = False
                self._consider(call)
        elif call.forwarded and call.upstream is not None:
            call.upstream.send(data)
        elif not call.forwarded:
            call.unsent.append(data)
            call.unsent_size += len(data)
            if call.unsent_size > UNSENT_LIMIT:
                call.downstream.pause()

    def _consider(self, call: ProxyCall) -> None:
        """Let the faults have their say before anything is passed on."""
        call.endpoint = self.endpoint(call.head)
        for fault in tuple(self.faults):
            if fault.touches(call) and not (fault.decides and call.reply is not None):
                call.faults.append(fault)
                if not fault.late:
                    call.hit_by(fault)
                fault.arrive(call)
                if call.over:
                    return
        if not call.faults:
            if call.noted:
                call.downstream.queue(call)
                call.kept = []
            self._turn(call)
            return
        call.downstream.queue(call)
        added_ns = call.added_ns()
        if call.reply is None:
            call.kept = []
            call.delayed_ns = added_ns * self._moments.uniform(call.number)
            self._later(call, call.delayed_ns, self._turn)
        else:
            self._later(call, added_ns, self._answer)

    def _turn(self, call: ProxyCall) -> None:
        """Pass it on when its turn has come."""
        if call.kept is None and self._writer is not None and self.kind is not None and call.writes:
            call.copy = []
        if self.pace is None:
            self._forward(call)
            return
        wait_s = self.pace.turn()
        if wait_s is None:
            self._say(call, 503, "pace", "too many requests wait for their turn under the agreed pace")
        else:
            self._later(call, wait_s * 1e9, self._forward)

    def _forward(self, call: ProxyCall) -> None:
        connection = self.upstream.idle()
        if connection is not None:
            self._begin(call, connection)
            return
        task = asyncio.get_running_loop().create_task(self._connect(call))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, call: ProxyCall) -> None:
        try:
            connection = await self.upstream.connect()
        except UnreachableError as error:
            if not call.over:
                self._unreachable(call, str(error))
            return
        if call.over:
            self.upstream.free(connection)
        elif not connection.usable:
            self._unreachable(call, f"{self.upstream.origin.url}: it closed the connection at once")
        else:
            self._begin(call, connection)

    def _begin(self, call: ProxyCall, connection: UpstreamConnection) -> None:
        call.forwarded = True
        call.forwarded_ns = time.monotonic_ns()
        call.upstream = connection
        data = addressed(call.head, self._host)
        if call.seen or call.unsent:
            data = b"".join((data, call.seen, *call.unsent))
            call.unsent.clear()
        connection.begin(call, data)
        if call.unsent_size > UNSENT_LIMIT:
            call.downstream.resume()

    def keep(self, call: ProxyCall, data: bytes) -> None:
        """Bytes of an answer that a fault may act on."""
        assert call.kept is not None
        call.kept.append(data)
        call.kept_size += len(data)
        if call.kept_size > KEEP_LIMIT:
            call.downstream.unqueue(call)
            for piece in call.kept:
                call.downstream.pass_on(piece)
            call.kept = None

    def answered(self, call: ProxyCall) -> None:
        """The origin's answer is whole."""
        answer = call.answer
        assert answer is not None
        if call.kept is None:
            if call.copy is not None:
                self._reply(call, answer, b"".join(call.copy))
            self._note(call, None)
            self._end(call)
            self._journal(call, answer.status, time.monotonic_ns())
            call.downstream.passed_on(call, stays=answer.stays)
            return
        call.reply = self._reply(call, answer, b"".join(call.kept))
        self._note(call, call.reply)
        taken_ns = time.monotonic_ns() - call.forwarded_ns
        self._later(call, call.added_ns(taken_ns) - call.delayed_ns, self._answer)

    def _answer(self, call: ProxyCall) -> None:
        reply = original = call.reply
        assert reply is not None
        for fault in call.faults:
            reply = fault.answering(call, reply)
        if not call.received:
            call.downstream.last(call)
        for fault in call.faults:
            if fault.sending(call, reply):
                return
        self._end(call)
        exchange = call.exchange
        if call.answer is not None and reply is original:
            assert call.kept is not None
            exchange.keep_alive = exchange.keep_alive and call.answer.stays
            sent = exchange.answer_raw(b"".join(call.kept))
        else:
            sent = exchange.answer(
                reply.status, reply.body, content_type=reply.content_type, headers=reply.headers
            )
        self._journal(call, reply.status if sent else 0, time.monotonic_ns() if sent else None)
        call.downstream.settled(call)

    def transmit(
        self, call: ProxyCall, reply: Reply, transmission: Transmission, *, keep_alive: bool
    ) -> None:
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
            headers=reply.headers,
            by=transmission,
        ):
            transmission.lose()
        call.downstream.settled(call)

    def _reply(self, call: ProxyCall, answer: ResponseHead, raw: bytes) -> Reply:
        """The origin's answer as faults and the journal see it."""
        reply = reply_of(answer, raw)
        if self.kind is not None and call.writes:
            call.result, call.order_id = outcome_of(self.gateway, reply.status, reply.body)
            call.replayed = any(name.lower() == REPLAYED and value == "true" for name, value in reply.headers)
        return reply._replace(result=call.result)

    def _note(self, call: ProxyCall, reply: Reply | None) -> None:
        """Tell what became of a request that was passed on, once; None: its answer was not to be had."""
        if not call.noted or not call.forwarded:
            return
        call.noted = False
        assert self.notes is not None
        request = call.exchange.request
        answer = None
        if reply is not None:
            headers = {name.lower(): value for name, value in reply.headers}
            answer = Answer(reply.status, headers, reply.body)
        target = call.head.target.decode("latin-1")
        self.notes.take(Forwarded(request.method, target, request.headers, request.body, answer))

    def _later(self, call: ProxyCall, delay_ns: float, then: Callable[[ProxyCall], None]) -> None:
        if delay_ns <= 0:
            then(call)
        else:
            call.timer = asyncio.get_running_loop().call_later(delay_ns / 1e9, then, call)

    # What goes wrong.

    def _unreachable(self, call: ProxyCall, why: str) -> None:
        if why != self._complained:
            self._complained = why
            sys.stderr.write(f"{self.name}: {why}\n")
            sys.stderr.flush()
        self._say(call, 502, "unreachable", why)

    def _say(self, call: ProxyCall, status: int, told: str, why: str) -> None:
        """Answer in the proxy's own name: nothing was passed on."""
        self._end(call)
        call.downstream.queue(call)
        if not call.received:
            call.downstream.last(call)
        call.reply = Reply(status, f"{why}\n".encode(), "error")
        sent = call.exchange.answer(
            status, call.reply.body, content_type="text/plain", headers=((TOLD, told),)
        )
        self._journal(call, status if sent else 0, time.monotonic_ns() if sent else None)
        call.downstream.settled(call)

    def origin_lost(self, call: ProxyCall) -> None:
        """The origin has gone after it had been sent something: what became of it, nobody knows."""
        if not call.over:
            call.reset()

    def client_left(self, call: ProxyCall) -> None:
        """The client's connection has gone. What faults have touched goes on without it, as at a gateway that
        doesn't notice."""
        if call.over:
            return
        if (call.faults or call.noted) and call.received:
            call.client_gone = True
        else:
            self.lose(call)

    def lose(self, call: ProxyCall) -> None:
        """End a request without an answer. What has not been passed on never is."""
        self._note(call, None)
        self._end(call)
        self._journal(call, 0, None)

    def _end(self, call: ProxyCall) -> None:
        call.over = True
        self._in_flight.pop(call, None)
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        connection, call.upstream = call.upstream, None
        if connection is not None:
            connection.leave()

    # What faults do to the server.

    def go_dark(self, cause: str) -> int:
        """Refuse connections, reset the open ones, and lose what is on its way. Returns how many connections
        were reset plus how many requests were lost."""
        self._dark += 1
        lost = tuple(self._in_flight)
        for call in lost:
            call.name_fault(cause)
            self.lose(call)
        return len(lost) + (self.server.refuse() if self.server is not None else 0)

    def come_back(self) -> None:
        """Serve again, once as many outages have ended as began."""
        self._dark -= 1
        if self._dark == 0 and self.server is not None:
            self.server.resume()

    def cut_in_flight(self, chosen: Callable[[ProxyCall], bool], cause: str) -> int:
        """Reset the connections of the chosen requests in flight. Returns how many there were."""
        for call in self._in_flight:
            call.endpoint = self.endpoint(call.head)
        cut = [call for call in self._in_flight if chosen(call)]
        for call in cut:
            call.name_fault(cause)
            call.reset()
        return len(cut)

    # Its beginning, its end, its records.

    def begin(self, clock: Clock, writer: Writer | None) -> None:
        """The run begins: what ends from here on is written down."""
        self._clock = clock
        self._writer = writer

    def close(self) -> None:
        """Lose what is still on its way, and close the connections to the origin."""
        for call in tuple(self._in_flight):
            self.lose(call)
        for task in tuple(self._connecting):
            task.cancel()
        self.upstream.close()

    def _journal(self, call: ProxyCall, status: int, answered_ns: int | None) -> None:
        if self._writer is None:
            return
        clock = self._clock
        self._writer.write(
            GatewayRequest(
                gateway=self.name,
                endpoint=call.endpoint or self.endpoint(call.head),
                received_ns=clock.at(call.received_ns),
                answered_ns=None if answered_ns is None else clock.at(answered_ns),
                status=status,
                result=call.reply.result if call.reply is not None else call.result,
                fault=call.fault,
                idempotency_key=call.idempotency_key,
                order_id=call.order_id,
                replayed=call.replayed,
            )
        )
