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

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from journal.clock import Clock
from journal.writer import Writer
from mocks.draws import Draws
from mocks.faults.fault import Fault
from mocks.http import Server
from mocks.proxy.answering import TOLD, Answering
from mocks.proxy.behind import Behind
from mocks.proxy.call import ProxyCall
from mocks.proxy.credentials import refusal
from mocks.proxy.forwarding import Forwarding, later
from mocks.proxy.head import RequestHead
from mocks.proxy.records import Records
from mocks.proxy.upstream import Upstream
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.exchange import Exchange
    from mocks.gateways.kind import GatewayType
    from mocks.proxy.downstream import Downstream
    from mocks.sandboxes.pace import Pace

WAIT_LIMIT = 64 << 10
"""Bytes of a body for which a request waits when a fault is on, so that the fault can look into it. A larger
one, or one whose client waits for 100 Continue, is passed on as it comes, and says nothing of its payment."""


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
        behind: What is known of the gateway behind it.
        records: What is written down of its requests.
        answering: How they are answered.
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
        self.behind = Behind(name, seed, kind)
        self.records = Records(name, self.behind)
        self.region = ""
        self.faults: Sequence[Fault] = ()
        self.server: Server | None = None
        self.pace = pace
        self.answering = Answering(self.behind, self.records, self._end)
        self._forwarding = Forwarding(name, upstream, pace, self.answering.say)
        self._moments = Draws(seed, f"{name}/moment")
        self._arrived = 0
        self._in_flight: dict[ProxyCall, None] = {}
        self._dark = 0

    @property
    def arrived(self) -> int:
        """How many requests have come in."""
        return self._arrived

    @property
    def in_flight(self) -> int:
        """How many of them have neither been answered nor lost."""
        return len(self._in_flight)

    def limit_headers(self, requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
        """The headers that tell of a used-up rate limit, of a gateway that is known."""
        return self.behind.limit_headers(requests, resets_at)

    def refusal(self, status: int) -> Reply:
        """What is no request that a proxy could pass on."""
        return self.behind.error(status)._replace(headers=((TOLD, "refused"),))

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
                self.answering.say(call, 403, "refused", why)
                return
        call.noted = self.records.wants(call)
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
        else:
            self._forwarding.more(call, data)

    def _consider(self, call: ProxyCall) -> None:
        """Let the faults have their say before anything is passed on."""
        call.endpoint = self.behind.endpoint(call.head)
        call.meet(self.faults)
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
            later(call, call.delayed_ns, self._turn)
        else:
            later(call, added_ns, self.answering.answer)

    def _turn(self, call: ProxyCall) -> None:
        """Pass it on when its turn has come."""
        if call.kept is None and self.records.kept and self.behind.kind is not None and call.writes:
            call.copy = []
        self._forwarding.turn(call)

    # What goes wrong.

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
        self.records.note(call, None)
        self._end(call)
        self.records.end(call, 0, None)

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
            call.endpoint = self.behind.endpoint(call.head)
        cut = [call for call in self._in_flight if chosen(call)]
        for call in cut:
            call.name_fault(cause)
            call.reset()
        return len(cut)

    # Its beginning and its end.

    def begin(self, clock: Clock, writer: Writer | None) -> None:
        """The run begins: what ends from here on is written down."""
        self.records.begin(clock, writer)

    def close(self) -> None:
        """Lose what is still on its way, and close the connections to the origin."""
        for call in tuple(self._in_flight):
            self.lose(call)
        self._forwarding.close()
