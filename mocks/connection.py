"""One HTTP/1.1 connection: parses requests, hands them to the application, sends the answers in order."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast

import httptools

from mocks.exchange import Application, Exchange, Request, complain
from mocks.listener import reset_on_close, unacknowledged
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.transmission import Transmission

BODY_LIMIT = 1 << 20
"""The largest request body in bytes; a larger one is answered 413."""

HEAD_LIMIT = 64 << 10
"""The largest request line with headers in bytes; a larger one is answered 431."""

PIPELINE_LIMIT = 64
"""Requests of one connection that may wait for their answers; beyond it, reading pauses."""

ARRIVAL_LIMIT = 30.0
"""Seconds in which a request that has begun must have arrived whole; a slower one is answered 408. Between
requests a connection may rest for as long as it likes."""

HALF_CLOSED_LIMIT = 2.0
"""Seconds for which a client that has closed its sending side can still get its answers. Nobody can tell it
from one that has left, and those must not keep their sockets while a fault answers nobody."""

LINGER = 1.0
"""Seconds during which a refused request may go on sending, so that its client can read the refusal."""


class Owner(Protocol):
    """A server, as far as a connection needs it."""

    application: Application
    stopping: bool
    connections: set[Connection]
    scheme: str
    stalled: int

    @property
    def refusing(self) -> bool:
        """Whether connections are being refused."""


class _RefusedError(Exception):
    """The kernel itself refuses a request, with this status."""

    def __init__(self, status: int) -> None:
        self.status = status


class Connection(asyncio.Protocol):
    """One connection: parses requests, hands them to the application, sends the answers in order."""

    __slots__ = (
        "_body",
        "_body_size",
        "_continue_due",
        "_ended",
        "_fresh",
        "_head_done",
        "_head_size",
        "_headers",
        "_keep_alive",
        "_late",
        "_lingering",
        "_old",
        "_parser",
        "_paused",
        "_queue",
        "_transmissions",
        "_transport",
        "_unparsed",
        "_url",
        "_whole",
        "server",
    )

    def __init__(self, server: Owner) -> None:
        self.server = server
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Exchange] = deque()
        self._transmissions: dict[Exchange, Transmission] | None = None  # answers that go out in another way
        self._ended = False  # what is read from here on is no request
        self._lingering = False  # the kernel refused a request: let the client read why before closing
        self._paused = False
        self._late: asyncio.TimerHandle | None = None  # set while a request arrives in more than one piece
        self._unparsed = 0  # bytes fed of a head that is not complete yet
        self._begin()
        self._whole = True

    def _begin(self) -> None:
        self._whole = False
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_size = 0
        self._head_size = 0
        self._head_done = False
        self._keep_alive = True
        self._old = False
        self._continue_due = False
        self._fresh = True

    @property
    def stopping(self) -> bool:
        """The server ends: this is the connection's last answer."""
        return self.server.stopping

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return self.server.scheme

    @property
    def busy(self) -> bool:
        """Whether a request waits for its answer."""
        return bool(self._queue)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.server.connections.add(self)
        if self.server.refusing:
            self.reset()
        elif self.server.stalled:
            self.hold_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.server.connections.discard(self)
        self._in_time()
        self._lose_all()
        # It knows the connection: left in place, the two would live until the collector comes by.
        del self._parser

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        self._fresh = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.status if isinstance(cause, _RefusedError) else 400)
            return
        if not self._head_done:
            # A header line without an end makes no call-back, so its bytes are counted here. How much of
            # this piece belongs to a head that began in it is not known; it is less than one read.
            self._unparsed = 0 if self._fresh else self._unparsed + len(data)
            if self._unparsed > HEAD_LIMIT:
                self._refuse(431)
                return
        if not self._whole and self._late is None and not self._ended:
            self._late = asyncio.get_running_loop().call_later(ARRIVAL_LIMIT, self._too_late)

    def eof_received(self) -> bool:
        transport = self._transport
        if not self._queue or transport is None or not transport.can_write_eof():
            return False  # close; with TLS there are no half-closed connections
        self._ended = True
        self._in_time()
        self._queue[-1].keep_alive = False
        asyncio.get_running_loop().call_later(HALF_CLOSED_LIMIT, transport.close)
        return True

    def pause_writing(self) -> None:
        self._pause_reading()

    def resume_writing(self) -> None:
        self._resume_reading()

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_size += len(url)
        if self._head_size > HEAD_LIMIT:
            raise _RefusedError(431)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + 4
        if self._head_size > HEAD_LIMIT:
            raise _RefusedError(431)
        if self._head_done:
            return  # a trailer of a chunked body: legal, and of no use to a mock
        key = _lowered(name) if len(name) < 64 else name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers = self._headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        self._head_done = True
        self._unparsed = 0
        parser = self._parser
        self._old = parser.get_http_version() == "1.0"
        self._keep_alive = parser.should_keep_alive() and not parser.should_upgrade()
        headers = self._headers
        if "content-length" in headers and int(headers["content-length"]) > BODY_LIMIT:
            raise _RefusedError(413)
        if "expect" in headers and not self._old:
            self._continue_due = self._headers["expect"].lower() == "100-continue"
            self._send_continue()

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size > BODY_LIMIT:
            raise _RefusedError(413)
        self._body.append(body)

    def on_message_complete(self) -> None:
        received_ns = time.monotonic_ns()
        if self._ended:
            return
        self._continue_due = False
        self._whole = True
        if self._late is not None:
            self._in_time()
        target = self._url.decode("latin-1")
        if not target.startswith("/"):
            target = _origin_form(target)
        path, _, query = target.partition("?")
        method = self._parser.get_method().decode("ascii")
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(method, path, query, self._headers, body, received_ns)
        exchange = Exchange(request, self, keep_alive=self._keep_alive, old=self._old)
        self._ended = not self._keep_alive
        self._queue.append(exchange)
        if len(self._queue) >= PIPELINE_LIMIT:
            self._pause_reading()
        try:
            self.server.application(exchange)
        except Exception as error:
            complain(request, error)
            if not exchange.answered:
                exchange.answer(500, b"internal error\n", content_type="text/plain")

    # Answers, and the end of the connection.

    def flush(self) -> None:
        """Send the answers that are ready and next in order."""
        transport = self._transport
        queue = self._queue
        while queue and queue[0].reply is not None:
            exchange = queue.popleft()
            if transport is None or transport.is_closing():
                continue
            transport.write(cast(bytes, exchange.reply))
            if not exchange.keep_alive:
                self._finish()
                return
        if queue and self._transmissions is not None and queue[0] in self._transmissions:
            self._transmissions[queue[0]].begin(self)
        if self._paused and len(queue) < PIPELINE_LIMIT:
            self._resume_reading()
        if self._continue_due:
            self._send_continue()

    def transmit(self, exchange: Exchange, transmission: Transmission) -> None:
        """Begin the transmission once the answers to earlier requests are out."""
        if self._transmissions is None:
            self._transmissions = {}
        self._transmissions[exchange] = transmission
        self.flush()

    def transmitted(self) -> None:
        """The answer that was next in order is out."""
        exchange = self._queue.popleft()
        assert self._transmissions is not None
        del self._transmissions[exchange]
        if self._transport is None or self._transport.is_closing():
            return
        if exchange.keep_alive:
            self.flush()
        else:
            self._finish()

    @property
    def unsent(self) -> int:
        """Bytes that were written and that the client's system has not got yet."""
        transport = self._transport
        if transport is None:
            return 0
        return transport.get_write_buffer_size() + unacknowledged(transport.get_extra_info("socket").fileno())

    def write(self, data: bytes) -> None:
        """Send bytes of the answer that is next in order."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def stop_reading(self) -> None:
        """What the client sends from here on is no request."""
        self._ended = True
        self._in_time()

    def hold_reading(self) -> None:
        """Leave what the client sends unread, until ``read_again``."""
        self._pause_reading()

    def read_again(self) -> None:
        """Undo ``hold_reading``."""
        if len(self._queue) < PIPELINE_LIMIT:
            self._resume_reading()

    def retire(self) -> None:
        """Close once the requests that have been read whole are answered, and take no more of them."""
        self.stop_reading()
        if self._queue:
            self._queue[-1].keep_alive = False
        else:
            self.close()

    def reset(self) -> None:
        """Send RST; every request without an answer is lost."""
        self._ended = True
        transport = self._transport
        if transport is not None:
            with contextlib.suppress(OSError):
                reset_on_close(transport.get_extra_info("socket"))
            transport.abort()
        self._lose_all()

    def close(self) -> None:
        """Close once everything that was written has left."""
        self._ended = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()
        self._lose_all()

    def _finish(self) -> None:
        self._ended = True
        transport = self._transport
        assert transport is not None
        if self._lingering:
            # Closing with unread bytes in the socket's buffer sends RST, which can overtake the answer.
            if transport.can_write_eof():  # TLS has no half-closed connections
                transport.write_eof()
            asyncio.get_running_loop().call_later(LINGER, transport.close)
            self._resume_reading()
        else:
            transport.close()
        self._lose_all()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self._paused:
            # The client may have sent all of it: it is us who don't read.
            self._late = asyncio.get_running_loop().call_later(ARRIVAL_LIMIT, self._too_late)
        elif not self._ended:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        self._ended = True
        self._in_time()
        self._lingering = True
        request = Request("", "", "", {}, b"", time.monotonic_ns())
        exchange = Exchange(request, self, keep_alive=False, old=False)
        self._queue.append(exchange)
        # The kernel doesn't know the application's way to say no; the application may.
        words = getattr(self.server.application, "refusal", None)
        if words is None:
            exchange.answer(status, f"{HTTPStatus(status).phrase}\n".encode(), content_type="text/plain")
            return
        reply: Reply = words(status)
        exchange.answer(status, reply.body, content_type=reply.content_type, headers=reply.headers)

    def _lose_all(self) -> None:
        queue = self._queue
        transmissions, self._transmissions = self._transmissions, None
        while queue:
            queue.popleft().lose()
        if transmissions is not None:
            for transmission in transmissions.values():
                transmission.lose()

    def _send_continue(self) -> None:
        # An interim answer must not overtake the answers of earlier requests.
        if self._continue_due and not self._queue and self._transport is not None:
            self._continue_due = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _pause_reading(self) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self.server.stalled:
            return
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


@functools.lru_cache(1024)
def _lowered(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _origin_form(target: str) -> str:
    """The path and query of a request target in absolute form (``GET http://host/path``), which a proxy's
    client sends; any other form stands as it is."""
    scheme, separator, rest = target.partition("://")
    if not separator or not scheme.isalpha():
        return target
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"
