"""One request on its way through a proxy, from its head to its answer or its loss."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import orjson

from mocks.exchange import Exchange, Request
from mocks.faults.matcher import Traits
from mocks.faults.touched import Touched
from mocks.proxy.body import Body
from mocks.proxy.head import RequestHead, ResponseHead, fields
from mocks.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocks.gateways.call import Call
    from mocks.proxy.downstream import Downstream
    from mocks.proxy.proxy import Proxy
    from mocks.proxy.upstream import UpstreamConnection
    from mocks.transmission import Transmission


COPY_LIMIT = 256 << 10
"""Bytes of an answer that are looked at for the journal; a larger one is not of a payment."""


class ProxyCall(Touched):
    """One request. Most are passed on as they come, and so is the answer; of one that a fault has touched the
    answer is kept until it is whole.

    Attributes:
        head: Its head, as it came.
        number: How many requests arrived before it.
        endpoint: Its name, once a fault or the journal has asked for it; see ``Behind.endpoint``.
        received_ns: ``time.monotonic_ns()`` of its head.
        received: All of it has come in.
        body: Where its body ends; None once it is received.
        seen: The part of its body that came with the head or was waited for.
        waiting: It waits for the rest of its body, so that faults can look into it.
        unsent: What came after that while there was no connection to the origin yet.
        unsent_size: Bytes of it.
        upstream: The connection on which it was passed on.
        forwarded: Something of it was sent: what becomes of it is the origin's.
        forwarded_ns: When, by ``time.monotonic_ns()``.
        delayed_ns: What part of the latency that faults add lay before that.
        kept: What came back, of a call whose answer is kept; None when it goes on as it comes.
        copy: The same of one that goes on as it comes, for the journal; None when that needs none.
        kept_size: Bytes of either.
        noted: It is to be noted with its answer, which is kept for that, and has not been yet.
        answer: The head of the answer.
        reply: The answer that the proxy itself gives, or the origin's once it is whole.
        result: What the origin decided, in the journal's words, as far as its answer tells.
        order_id: The order it belongs to, likewise.
        replayed: The answer says that it is the one to an earlier request.
        client_gone: The client has left; the call goes on, as faults have touched it.
    """

    __slots__ = (
        "_exchange",
        "_traits",
        "answer",
        "body",
        "client_gone",
        "copy",
        "delayed_ns",
        "downstream",
        "endpoint",
        "forwarded",
        "forwarded_ns",
        "head",
        "kept",
        "kept_size",
        "noted",
        "number",
        "order_id",
        "proxy",
        "received",
        "received_ns",
        "replayed",
        "result",
        "seen",
        "timer",
        "unsent",
        "unsent_size",
        "upstream",
        "waiting",
    )

    def __init__(
        self, proxy: Proxy, downstream: Downstream, head: RequestHead, number: int, received_ns: int
    ) -> None:
        super().__init__()
        self.proxy = proxy
        self.downstream = downstream
        self.head = head
        self.number = number
        self.received_ns = received_ns
        self.received = True
        self.body: Body | None = None
        self.unsent: list[bytes] = []
        self.unsent_size = 0
        self.seen = b""
        self.waiting = False
        self.upstream: UpstreamConnection | None = None
        self.forwarded = False
        self.forwarded_ns = 0
        self.delayed_ns: float = 0
        self.kept: list[bytes] | None = None
        self.copy: list[bytes] | None = None
        self.answer: ResponseHead | None = None
        self.kept_size = 0
        self.noted = False
        self.result = ""
        self.order_id = ""
        self.replayed = False
        self.client_gone = False
        self.endpoint = ""
        self.timer: asyncio.Handle | None = None
        self._exchange: Exchange | None = None
        self._traits: Traits | None = None

    # What faults and the journal ask. It is read when it is asked: most requests are asked nothing.

    @property
    def exchange(self) -> Exchange:
        """The request as an application of the kernel sees it. Its body is there when it came with the head
        or was waited for, and empty otherwise."""
        if self._exchange is None:
            head = self.head
            path, _, query = head.target.decode("latin-1").partition("?")
            headers: dict[str, str] = {}
            for name, value in fields(head.raw):
                key = name.lower()
                headers[key] = f"{headers[key]}, {value}" if key in headers else value
            request = Request(
                head.method.decode("ascii"), path, query, headers, self._contents(), self.received_ns
            )
            self._exchange = Exchange(request, self.downstream, keep_alive=head.stays, old=head.old)
        return self._exchange

    @property
    def http_method(self) -> str:
        """As sent."""
        return self.head.method.decode("ascii")

    @property
    def region(self) -> str:
        """The proxy's; empty when it has none."""
        return self.proxy.region

    @property
    def traits(self) -> Traits:
        """What the body says of a payment, to one who knows the gateway; read when it is asked for, and
        once."""
        if self._traits is None:
            self._traits = self.proxy.behind.traits(self)
        return self._traits

    @property
    def pays(self) -> bool:
        """Whether its endpoint is one that makes money move; of a gateway that is not known, a POST."""
        kind = self.proxy.behind.kind
        return self.head.method == b"POST" if kind is None else self.endpoint in kind.payment_endpoints

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.head.method not in (b"GET", b"HEAD", b"OPTIONS")

    @property
    def idempotency_key(self) -> str:
        """As sent, empty without one."""
        return self.proxy.behind.idempotency_key(self.head)

    def _contents(self) -> bytes:
        """The body, of a request that is whole."""
        if not self.received:
            return b""
        if self.head.length >= 0:
            return self.seen
        body = Body(self.head.length, keep=True)
        body.feed(self.seen)
        return b"".join(body.data or ())

    # What faults do.

    def error(self, status: int) -> Reply:
        """An answer of this status, in the shape of the gateway's own if it is known."""
        return self.proxy.behind.error(status)

    def moved(self, reply: Reply) -> bool:
        """Whether an answer is to a payment or refund that was made, or is on its way; of a gateway that is
        not known, to a write that was carried out, as far as its status tells."""
        kind = self.proxy.behind.kind
        if kind is None:
            return self.writes and 200 <= reply.status < 300
        if reply.result == "processing":
            # Real gateways write spaces into their JSON, which the mocks that are asked here never do.
            with contextlib.suppress(ValueError):
                reply = reply._replace(body=orjson.dumps(orjson.loads(reply.body)))
        return kind.moved(cast("Call", self), reply)

    def contradiction(self, reply: Reply) -> Reply | None:
        """HTTP 200 with the opposite of what an answer says of a payment; None when it says nothing of it, or
        the gateway is not known."""
        kind = self.proxy.behind.kind
        return None if kind is None else kind.contradiction(reply)

    def added_ns(self, taken_ns: int = 0) -> float:
        """What the faults add to a latency of the origin's, which is what they multiply."""
        return taken_ns * (self._times - 1) + self._add_ns

    def fail(self, status: int) -> None:
        """Don't pass on: answer this status, in the shape of the gateway's own errors if it is known."""
        self.reply = self.proxy.behind.error(status)

    def reset(self) -> None:
        """Reset the client's connection, even if it was on hold. What has not been passed on never is."""
        if not self.over:
            self.proxy.lose(self)
        self.downstream.reset()

    def hold(self, gone: Callable[[], None] | None = None) -> None:
        """Never answer, and leave the connection open. What has not been passed on never is. The answers to
        requests that follow on the connection wait behind it. ``gone`` is called once when its client has
        left."""
        self.downstream.queue(self)
        self.exchange.on_lost = gone
        self.proxy.lose(self)
        self.downstream.settled(self)

    def transmit(self, reply: Reply, transmission: Transmission, *, keep_alive: bool = True) -> None:
        """Send the answer in the transmission's way. ``keep_alive`` false tells the client that the
        connection will be closed."""
        self.proxy.answering.transmit(self, reply, transmission, keep_alive=keep_alive)

    # What the connection to the origin tells.

    @property
    def sent(self) -> bool:
        """The origin has been sent all of the request."""
        return self.received and self.forwarded and not self.unsent

    def answer_interim(self, data: bytes) -> None:
        """An interim answer (1xx) goes on at once, whatever becomes of the final one."""
        self.downstream.pass_on(data)

    def answer_begins(self, head: ResponseHead) -> None:
        """The head of the answer has come."""
        self.answer = head

    def answer_data(self, data: bytes) -> None:
        """Bytes of the answer, as they came."""
        if self.kept is None:
            self.downstream.pass_on(data)
        else:
            self.proxy.answering.keep(self, data)
            return
        if self.copy is not None:
            self.kept_size += len(data)
            if self.kept_size <= COPY_LIMIT:
                self.copy.append(data)
            else:
                self.copy = None

    def answer_ends(self) -> None:
        """The answer has come whole."""
        self.upstream = None
        self.proxy.answering.answered(self)

    def origin_lost(self) -> None:
        """The connection has ended before the answer did."""
        self.upstream = None
        self.proxy.origin_lost(self)

    def pause(self) -> None:
        """The origin takes no more for now."""
        self.downstream.pause()

    def resume(self) -> None:
        """The origin takes more again."""
        self.downstream.resume()
