"""The connections from a proxy to its origin: kept alive, one request at a time on each, streaming."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from mocks.connection import HEAD_LIMIT
from mocks.proxy.body import Body, BodyError
from mocks.proxy.head import END, HeadError, RequestHead, ResponseHead, read_response
from mocks.proxy.origin import Origin

CONNECT_LIMIT = 10.0
"""Seconds that a connection may take to be made, its TLS handshake included."""


IDLE_LIMIT = 30.0
"""Seconds after which an unused connection is not used again: servers and load balancers drop idle ones after
a minute or so, and a request on one that is just being dropped has an unknown outcome."""


class UnreachableError(Exception):
    """No connection to the origin: nothing was sent. The text says why."""


class Caller(Protocol):
    """A request on its way, as far as its connection to the origin tells of it."""

    head: RequestHead

    @property
    def sent(self) -> bool:
        """The origin has been sent all of the request."""

    def answer_interim(self, data: bytes) -> None:
        """An interim answer (1xx) has come."""

    def answer_begins(self, head: ResponseHead) -> None:
        """The head of the answer has come; its bytes follow by ``answer_data``."""

    def answer_data(self, data: bytes) -> None:
        """Bytes of the answer, as they came."""

    def answer_ends(self) -> None:
        """The answer has come whole."""

    def origin_lost(self) -> None:
        """The connection has ended before the answer did."""

    def pause(self) -> None:
        """The origin takes no more for now."""

    def resume(self) -> None:
        """The origin takes more again."""


class Upstream:
    """All connections to one origin.

    Args:
        origin: The service.
        tls: Whom to trust; needed for ``https`` and for nothing else.
        now: Seconds, ``time.monotonic``.
    """

    def __init__(
        self,
        origin: Origin,
        tls: ssl.SSLContext | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if (tls is not None) != (origin.scheme == "https"):
            raise ValueError("https needs to know whom to trust, and http does not")
        self.origin = origin
        self._tls = tls
        self._now = now
        self._idle: deque[UpstreamConnection] = deque()
        self.connections: set[UpstreamConnection] = set()

    def idle(self) -> UpstreamConnection | None:
        """A connection that is open and free; None when there is none."""
        # The one used last: its peer is the least likely to have closed it.
        while self._idle:
            connection = self._idle.pop()
            if not connection.usable:
                continue
            if self._now() - connection.freed_at < IDLE_LIMIT:
                return connection
            connection.leave()
        return None

    async def connect(self) -> UpstreamConnection:
        """A new connection.

        Raises:
            UnreachableError: There is none to be had.
        """
        loop = asyncio.get_running_loop()
        origin = self.origin
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self),
                    origin.address,
                    origin.port,
                    ssl=self._tls,
                    server_hostname=origin.host if self._tls is not None else None,
                )
        except TimeoutError:
            raise UnreachableError(f"{origin.url}: no connection within {CONNECT_LIMIT:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise UnreachableError(
                f"{origin.url}: its certificate is refused: {error.verify_message}"
            ) from None
        except ssl.SSLError as error:
            raise UnreachableError(f"{origin.url}: no TLS: {error.reason or 'it closed'}") from None
        except OSError as error:
            raise UnreachableError(f"{origin.url}: {error.strerror or error}") from None
        return connection

    def free(self, connection: UpstreamConnection) -> None:
        """The connection has done its work, and takes another request."""
        connection.freed_at = self._now()
        self._idle.append(connection)

    def gone(self, connection: UpstreamConnection) -> None:
        """The connection has ended."""
        self.connections.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)

    def close(self) -> None:
        """End every connection; requests on them are lost."""
        for connection in tuple(self.connections):
            connection.abort()
        self._idle.clear()


class UpstreamConnection(asyncio.Protocol):
    """One connection to the origin. It passes on the bytes of the answer as they come."""

    __slots__ = ("_answer", "_body", "_buffer", "_call", "_transport", "_upstream", "freed_at")

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport | None = None
        self._call: Caller | None = None
        self._answer: ResponseHead | None = None
        self._body: Body | None = None
        self._buffer = b""
        self.freed_at = 0.0

    @property
    def usable(self) -> bool:
        """Whether a request can be sent: as far as is known, the origin has not gone."""
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, call: Caller, data: bytes) -> None:
        """Send a request, or its beginning."""
        assert self._transport is not None and self._call is None
        self._call = call
        self._transport.write(data)

    def send(self, data: bytes) -> None:
        """Send more of it."""
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        """End it now; the call on it hears nothing more."""
        self._call = None
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """The caller has gone: close, as it did. The call hears nothing more."""
        self._call = None
        if self._transport is not None:
            self._transport.close()

    @property
    def reading(self) -> bool:
        """Whether it reads what the origin sends."""
        return self._transport is not None and self._transport.is_reading()

    def pause_reading(self) -> None:
        """The client reads more slowly than the origin sends."""
        if self.usable:
            assert self._transport is not None
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """The client has caught up."""
        if self.usable:
            assert self._transport is not None
            self._transport.resume_reading()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._upstream.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._upstream.gone(self)
        call, self._call = self._call, None
        if call is None:
            return
        if exc is None and self._answer is not None and self._body is not None and self._body.until_close:
            call.answer_ends()
        else:
            call.origin_lost()

    def pause_writing(self) -> None:
        if self._call is not None:
            self._call.pause()

    def resume_writing(self) -> None:
        if self._call is not None:
            self._call.resume()

    def data_received(self, data: bytes) -> None:
        call = self._call
        if call is None:
            # An answer that nobody asked for: whose would the next one be?
            self.abort()
            return
        try:
            if self._answer is None:
                self._head(call, data)
            else:
                self._more(call, data)
        except (HeadError, BodyError):
            self.abort()
            call.origin_lost()

    def _head(self, call: Caller, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        end = data.find(END) + 4
        if end < 4:
            if len(data) > HEAD_LIMIT:
                raise HeadError(502, "a head without an end")
            self._buffer = data
            return
        asked = call.head
        answer = read_response(data[:end], asked.method, request_stays=asked.stays)
        if answer.status < 200:
            if answer.status == 101:
                raise HeadError(502, "an upgrade that nobody asked for")
            call.answer_interim(answer.raw)
            if len(data) > end:
                self._head(call, data[end:])
            return
        self._answer = answer
        call.answer_begins(answer)
        if answer.length == len(data) - end:
            call.answer_data(data)
            self._end(call, answer)
            return
        call.answer_data(answer.raw)
        self._body = Body(answer.length)
        if len(data) > end or not answer.length:
            self._more(call, data[end:])

    def _more(self, call: Caller, data: bytes) -> None:
        body = self._body
        assert body is not None and self._answer is not None
        taken = body.feed(data)
        if taken:
            call.answer_data(data if taken == len(data) else data[:taken])
        if body.whole:
            stays = self._answer.stays and taken == len(data)
            self._end(call, self._answer._replace(stays=stays))

    def _end(self, call: Caller, answer: ResponseHead) -> None:
        if self._call is not call:
            return  # what came was too much for the call, and it has left
        self._call = self._answer = self._body = None
        transport = self._transport
        if answer.stays and call.sent and self.usable:
            if not self.reading:  # the client is still behind with this answer; the next one is not its own
                self.resume_reading()
            self._upstream.free(self)
        elif transport is not None:
            transport.close()
        call.answer_ends()
