"""Outbound HTTP: a small client that knows how far a request got before it failed.

For money it is not enough that a call failed: a request that was never sent may go elsewhere, one that was
sent may have been carried out. So every failure says which of the two it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

from journal.clock import MILLISECOND, SECOND

ANSWER_LIMIT = 4 << 20
"""The largest answer in bytes that is read; a larger one counts as lost."""


class OutboundError(Exception):
    """A call that brought no answer. Its text says what happened, without the request's contents."""


class NeverSentError(OutboundError):
    """Not one byte of the request left: the peer surely knows nothing of it."""


class LostError(OutboundError):
    """The connection ended after the request, or a part of it, was sent: it may have been carried out."""


class AnswerTimeoutError(OutboundError):
    """The request was sent and the time was up before the answer: it may have been carried out, or may be
    yet."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a peer; ``headers`` stand besides those that the client writes itself (``host``,
    ``content-length``)."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer answered; header names are lower-cased, the last of repeated headers stands."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """Calls one peer over kept-alive HTTP/1.1 connections, one call at a time on each. To be used from one
    event loop.

    Args:
        url: The peer, ``http://host:port``; ``https`` with ``tls``.
        connect_timeout_ns: How long a connection may take to be made.
        limit: How many calls may be under way at once (the bulkhead); one more is refused unsent.
        tls: Whom to trust, for a peer that speaks TLS.
        address: What connections are made to, when it is not the URL's host; the certificate must be the
            host's all the same.

    Raises:
        ValueError: The URL is not of that form.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout_ns: int = 500 * MILLISECOND,
        limit: int = 2000,
        tls: ssl.SSLContext | None = None,
        address: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        scheme = "http" if tls is None else "https"
        if parts.scheme != scheme or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError(
                f"{url!r} is not the base URL of a gateway; it must look like {scheme}://127.0.0.1:12111"
            )
        self._host = parts.hostname
        self._port = parts.port or (80 if tls is None else 443)
        self._tls = tls
        self._address = address or parts.hostname
        self._host_header = f"\r\nhost: {parts.netloc.rpartition('@')[2]}\r\n".encode("ascii")
        self._connect_timeout = connect_timeout_ns / SECOND
        self._limit = limit
        self._idle: deque[_Connection] = deque()
        self._open: set[_Connection] = set()
        self._under_way = 0
        self._closed = False

    @property
    def under_way(self) -> int:
        """How many calls have no answer yet."""
        return self._under_way

    async def call(self, call: Call, timeout_ns: int) -> Answer:
        """Send and wait for the whole answer, whatever its status.

        Args:
            call: The request.
            timeout_ns: For the whole call, connecting included.

        Raises:
            NeverSentError: Refused, unreachable, or over the limit: nothing was sent.
            LostError: The connection ended, or what came was no HTTP, after it was sent.
            AnswerTimeoutError: No whole answer in time after it was sent.
        """
        if self._closed:
            raise NeverSentError("the client is closed")
        if self._under_way >= self._limit:
            raise NeverSentError(f"{self._limit} calls are under way already")
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + timeout_ns / SECOND
            connection = self._take_idle() or await self._connect(deadline - loop.time())
            return await connection.exchange(self._bytes(call), deadline - loop.time())
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """Close every connection; calls that are under way are lost."""
        self._closed = True
        for connection in tuple(self._open):
            connection.abort()
        self._idle.clear()
        await asyncio.sleep(0)

    def _bytes(self, call: Call) -> bytes:
        lines = [f"{call.method} {call.target} HTTP/1.1".encode("ascii"), self._host_header]
        for name, value in call.headers:
            lines.append(f"{name}: {value}\r\n".encode("latin-1"))
        if call.method != "GET":
            lines.append(b"content-length: %d\r\n" % len(call.body))
        lines.append(b"\r\n")
        lines.append(call.body)
        return b"".join(lines)

    def _take_idle(self) -> _Connection | None:
        # The one used last: its peer is the least likely to have closed it.
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, timeout: float) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(min(timeout, self._connect_timeout)):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self),
                    self._address,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls is not None else None,
                )
        except TimeoutError:
            raise NeverSentError("no connection in time") from None
        except OSError as error:
            raise NeverSentError(f"no connection: {error.strerror or error}") from None
        if not connection.usable:
            raise NeverSentError("the connection was closed before anything was sent")
        return connection

    def opened(self, connection: _Connection) -> None:
        self._open.add(connection)

    def finished(self, connection: _Connection) -> None:
        if not self._closed:
            self._idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        self._open.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)


class _Connection(asyncio.Protocol):
    """One connection: sends a request, parses its answer, and goes back to the idle ones."""

    __slots__ = (
        "_body",
        "_client",
        "_headers",
        "_parser",
        "_size",
        "_timer",
        "_transport",
        "_waiter",
    )

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    @property
    def usable(self) -> bool:
        """Whether a request can be sent: as far as is known, the peer has not gone."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes, timeout: float) -> Answer:
        transport = self._transport
        assert transport is not None and self._waiter is None
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        self._timer = loop.call_later(max(timeout, 0.0), self._time_out)
        transport.write(request)
        try:
            answer: Answer = await waiter
            return answer
        finally:
            if self._waiter is waiter:  # cancelled: the answer would meet the next request
                self._waiter = None
                self._timer.cancel()
                self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._fail(LostError("the client was closed"))

    def _time_out(self) -> None:
        self._fail(AnswerTimeoutError("no answer in time"))
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: OutboundError) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            assert self._timer is not None
            self._timer.cancel()
            if not waiter.done():
                waiter.set_exception(error)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._client.lost(self)
        self._fail(LostError("the connection was reset" if exc is not None else "the connection was closed"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(LostError("what came back was no HTTP answer"))
            if self._transport is not None:
                self._transport.abort()

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._headers = {}
        self._body = []
        self._size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > ANSWER_LIMIT:
            self._fail(LostError("the answer was too large"))
            self._headers["connection"] = "close"
            if self._transport is not None:
                self._transport.abort()
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return  # an interim answer; the real one follows
        waiter = self._waiter
        if waiter is None:
            # An answer that nobody asked for (or asks for no more): whose would the next one be?
            if self._transport is not None:
                self._transport.abort()
            return
        self._waiter = None
        assert self._timer is not None
        self._timer.cancel()
        if not waiter.done():
            waiter.set_result(Answer(status, self._headers, b"".join(self._body)))
        if self._parser.should_keep_alive() and self.usable:
            self._client.finished(self)
        elif self._transport is not None:
            self._transport.close()
