"""Outbound HTTP: a small client that knows how far a request got before it failed.

For money it is not enough that a call failed: a request that was never sent may go elsewhere, one that was
sent may have been carried out. So every failure says which of the two it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
from collections import deque
from functools import partial
from urllib.parse import urlsplit

from journal.clock import MILLISECOND, SECOND
from mocks.outbound_call import (
    Answer,
    AnswerTimeoutError,
    Call,
    LostError,
    NeverSentError,
    OutboundError,
    Then,
)
from mocks.outbound_connection import ANSWER_LIMIT, OutboundConnection

__all__ = [
    "ANSWER_LIMIT",
    "Answer",
    "AnswerTimeoutError",
    "Call",
    "Client",
    "LostError",
    "NeverSentError",
    "OutboundError",
    "Then",
]

_LATE = 0.02
_GRACE = 0.05
"""Seconds: a loop that looks at a deadline later than ``_LATE`` was kept from it, and what its peer said in
time may lie unread; it reads for ``_GRACE`` before it says that the peer was silent."""

_TICK = 0.001
"""Seconds: what uvloop's clock and timers count in."""


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
        self._idle: deque[OutboundConnection] = deque()
        self._open: set[OutboundConnection] = set()
        self._sending: set[asyncio.Task[Answer | OutboundError]] = set()
        self._under_way = 0
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None  # of the first deadline; one for all connections
        self._timer_due = math.inf
        self._excused = False

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
            waiter: asyncio.Future[Answer] = loop.create_future()
            then = partial(_settle, waiter)
            self._exchange(connection, call, deadline, then)
            try:
                return await waiter
            finally:
                if waiter.cancelled():
                    connection.abandon(then)
        finally:
            self._under_way -= 1

    def send(self, call: Call, timeout_ns: int, then: Then) -> None:
        """The same for a caller that is no coroutine: ``then`` is called with the answer or the error, once,
        and never from in here."""
        connection = None
        if not self._closed and self._under_way < self._limit:
            connection = self._take_idle()
        loop = asyncio.get_running_loop()
        if connection is None:
            task = loop.create_task(self._send(call, timeout_ns))
            self._sending.add(task)
            task.add_done_callback(partial(self._sent, then))
            return
        self._under_way += 1

        def over(outcome: Answer | OutboundError) -> None:
            self._under_way -= 1
            then(outcome)

        self._exchange(connection, call, loop.time() + timeout_ns / SECOND, over)

    async def _send(self, call: Call, timeout_ns: int) -> Answer | OutboundError:
        try:
            return await self.call(call, timeout_ns)
        except OutboundError as error:
            return error

    def _sent(self, then: Then, task: asyncio.Task[Answer | OutboundError]) -> None:
        self._sending.discard(task)
        then(LostError("the client was closed") if task.cancelled() else task.result())

    async def close(self) -> None:
        """Close every connection; calls that are under way are lost."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for connection in tuple(self._open):
            connection.abort()
        for task in tuple(self._sending):
            task.cancel()
        self._idle.clear()
        await asyncio.sleep(0)

    def _exchange(self, connection: OutboundConnection, call: Call, deadline: float, then: Then) -> None:
        connection.exchange(self._bytes(call), deadline, then)
        if deadline < self._timer_due:
            self._watch(deadline)

    def _watch(self, deadline: float) -> None:
        """Look at the deadlines when the first of them has come. Calls of one client mostly have the same
        time-out, so that this is done once in so long, and not for each."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer_due = deadline
        self._timer = loop.call_later(max(0.0, deadline - loop.time()), self._look)

    def _look(self) -> None:
        now, due = asyncio.get_running_loop().time(), self._timer_due
        self._timer, self._timer_due = None, math.inf
        if now - due > _LATE and not self._excused:
            self._excused = True
            self._watch(now + _GRACE)
            return
        self._excused = False
        first = math.inf
        for connection in tuple(self._open):
            if connection.deadline <= now + _TICK:
                connection.time_out()
            else:
                first = min(first, connection.deadline)
        if first < self._timer_due and not self._closed:
            self._watch(first)

    def _bytes(self, call: Call) -> bytes:
        lines = "".join([f"{name}: {value}\r\n" for name, value in call.headers])
        if call.method != "GET":
            lines += f"content-length: {len(call.body)}\r\n"
        head = f"{call.method} {call.target} HTTP/1.1".encode("ascii")
        return b"".join((head, self._host_header, lines.encode("latin-1"), b"\r\n", call.body))

    def _take_idle(self) -> OutboundConnection | None:
        # The one used last: its peer is the least likely to have closed it.
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, timeout: float) -> OutboundConnection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as patience:
                wait = max(0.0, min(timeout, self._connect_timeout))
                timer = loop.call_later(wait, _lose_patience, patience, loop.time() + wait)
                try:
                    _, connection = await loop.create_connection(
                        lambda: OutboundConnection(self),
                        self._address,
                        self._port,
                        ssl=self._tls,
                        server_hostname=self._host if self._tls is not None else None,
                    )
                finally:
                    timer.cancel()
        except TimeoutError:
            raise NeverSentError("no connection in time") from None
        except OSError as error:
            raise NeverSentError(f"no connection: {error.strerror or error}") from None
        if not connection.usable:
            raise NeverSentError("the connection was closed before anything was sent")
        return connection

    def opened(self, connection: OutboundConnection) -> None:
        self._open.add(connection)

    def finished(self, connection: OutboundConnection) -> None:
        if not self._closed:
            self._idle.append(connection)

    def lost(self, connection: OutboundConnection) -> None:
        self._open.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)


def _lose_patience(patience: asyncio.Timeout, due: float) -> None:
    now = asyncio.get_running_loop().time()
    patience.reschedule(now + (_GRACE if now - due > _LATE else 0.0))


def _settle(waiter: asyncio.Future[Answer], outcome: Answer | OutboundError) -> None:
    if waiter.done():
        return
    if isinstance(outcome, Answer):
        waiter.set_result(outcome)
    else:
        waiter.set_exception(outcome)
