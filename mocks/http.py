"""The HTTP kernel: one HTTP/1.1 server on ``asyncio.Protocol`` and httptools, close to the socket.

A fault has to reach the socket (refuse, reset, answer half), so the mocks don't sit on a web framework. An
application is a function that gets an ``Exchange`` and answers it, at once or later; the kernel starts no
coroutine for a request.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

import httptools

BODY_LIMIT = 1 << 20
"""The largest request body in bytes; a larger one is answered 413."""

HEAD_LIMIT = 64 << 10
"""The largest request line with headers in bytes; a larger one is answered 431."""

PIPELINE_LIMIT = 64
"""Requests of one connection that may wait for their answers; beyond it, reading pauses."""

LINGER = 1.0
"""Seconds during which a refused request may go on sending, so that its client can read the refusal."""

BACKLOG = 1024


class PortInUseError(OSError):
    """Another process listens on the port that was asked for."""


class Request:
    """One whole request.

    ``path`` stands without the query and as sent (percent-decoding is the application's), ``query`` without
    the ``?``. Header names are lower-cased; repeated headers are joined by ``", "``. ``received_ns`` is
    ``time.monotonic_ns()`` when the last byte of the request had been read.
    """

    __slots__ = ("body", "headers", "method", "path", "query", "received_ns")

    def __init__(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes, received_ns: int
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.received_ns = received_ns


class Exchange:
    """One request and the handle by which it is answered, at once or later, once.

    Attributes:
        request: The request.
        on_lost: Called once if the connection goes away before the answer, whether the client left or
            ``Server.refuse`` reset it. A client that closes its sending side counts as gone.
    """

    __slots__ = ("_answered", "_connection", "_keep_alive", "_lost", "_old", "_reply", "on_lost", "request")

    def __init__(self, request: Request, connection: _Connection, *, keep_alive: bool, old: bool) -> None:
        self.request = request
        self.on_lost: Callable[[], None] | None = None
        self._connection = connection
        self._keep_alive = keep_alive
        self._old = old
        self._answered = False
        self._lost = False
        self._reply: bytes | None = None

    @property
    def lost(self) -> bool:
        """Whether the connection went away before the answer."""
        return self._lost

    def answer(
        self,
        status: int,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> bool:
        """Send the answer; on a pipelined connection, after those of the earlier requests.

        Returns:
            False when the client has gone.

        Raises:
            RuntimeError: The request has been answered before.
        """
        if self._lost:
            return False
        if self._answered:
            raise RuntimeError("this request has been answered already")
        self._answered = True
        connection = self._connection
        if connection.server.stopping:
            self._keep_alive = False
        has_body = status not in (204, 304)
        lines = [_status_line(status), _date()]
        if has_body:
            lines.append(f"\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}".encode("latin-1"))
        for name, value in headers:
            lines.append(f"\r\n{name}: {value}".encode("latin-1"))
        if not self._keep_alive:
            lines.append(b"\r\nconnection: close")
        elif self._old:
            lines.append(b"\r\nconnection: keep-alive")
        lines.append(b"\r\n\r\n")
        if has_body and self.request.method != "HEAD":
            lines.append(body)
        self._reply = b"".join(lines)
        connection.flush()
        return True

    def reset(self) -> None:
        """Reset the connection: the client sees RST, and other requests pipelined on it are lost."""
        if not self._lost:
            self._lost = True
            self.on_lost = None
            self._connection.reset()

    def _lose(self) -> None:
        if self._answered or self._lost:
            return
        self._lost = True
        tell, self.on_lost = self.on_lost, None
        if tell is not None:
            try:
                tell()
            except Exception as error:
                _complain(self.request, error)


Application = Callable[[Exchange], None]
"""Called on the event loop for each request; must not block, and may answer after it has returned."""


class Server:
    """Serves one application on one port of one address.

    Args:
        application: Answers the requests. An exception in it answers 500 and writes a line to stderr.
        host: The address to bind.
        port: The port; 0 lets the system choose one.
    """

    def __init__(self, application: Application, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.application = application
        self.host = host
        self.port = port
        self.stopping = False
        self.connections: set[_Connection] = set()
        self._refusing = False
        self._reserve: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Bind and listen.

        Returns:
            The port.

        Raises:
            PortInUseError: Another process listens there.
            OSError: The address cannot be bound for another reason.
        """
        try:
            if self.port:
                self._make_sure_nobody_listens()
            self._reserve = self._bound(self.port, reuse_address=False)
            self.port = self._reserve.getsockname()[1]
            self._open()
        except OSError as error:
            self._release()
            if error.errno == errno.EADDRINUSE:
                where = f"port {self.port} of {self.host}"
                hint = "stop what listens there or choose another port"
                raise PortInUseError(f"{where} is in use; {hint}") from error
            raise
        assert self._opening is not None
        await self._opening
        return self.port

    def refuse(self) -> int:
        """Stop listening and reset every open connection, as a host does whose process has died.

        A bound socket that doesn't listen keeps the port, so that nobody else can take it meanwhile.

        Returns:
            How many connections were reset, idle ones included.
        """
        self._refusing = True
        self._close_listener()
        connections = tuple(self.connections)
        for connection in connections:
            connection.reset()
        return len(connections)

    def resume(self) -> None:
        """Listen again on the same port; does nothing when already listening."""
        if self._refusing and not self.stopping:
            self._open()
            self._refusing = False

    @property
    def refusing(self) -> bool:
        """Whether connections are being refused."""
        return self._refusing

    async def stop(self, grace: float = 1.0) -> None:
        """Stop listening, wait until what is in flight is answered, then close.

        Args:
            grace: Seconds to wait; what is unanswered then is cut off.
        """
        self.stopping = True
        self._close_listener()
        give_up_ns = time.monotonic_ns() + int(grace * 1e9)
        while True:
            for connection in tuple(self.connections):
                if not connection.busy:
                    connection.close()
            if not self.connections or time.monotonic_ns() >= give_up_ns:
                break
            await asyncio.sleep(0.005)
        for connection in tuple(self.connections):
            connection.abort()
        self._release()
        await asyncio.sleep(0)

    def _open(self) -> None:
        # Listening starts here and now; the loop begins to accept in its next step.
        self._listener = self._bound(self.port, reuse_address=True)
        self._listener.listen(BACKLOG)
        self._opening = asyncio.get_running_loop().create_task(self._accept(self._listener))

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._accepting = await loop.create_server(lambda: _Connection(self), sock=listener, backlog=BACKLOG)

    def _close_listener(self) -> None:
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
        if self._accepting is not None:
            self._accepting.close()
        elif self._listener is not None:
            self._listener.close()
        self._opening = self._accepting = self._listener = None

    def _release(self) -> None:
        if self._reserve is not None:
            self._reserve.close()
            self._reserve = None

    def _bound(self, port: int, *, reuse_address: bool) -> socket.socket:
        bound = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        try:
            bound.setblocking(False)
            # The reserve must not carry SO_REUSEADDR: with it on both, a stranger could take the port
            # while nobody listens.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if reuse_address:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self.host, port))
        except OSError:
            bound.close()
            raise
        return bound

    def _make_sure_nobody_listens(self) -> None:
        # SO_REUSEPORT would let two servers of one user share the port without a word.
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((self.host, self.port))
            trial.listen(1)


class _RefusedError(Exception):
    """The kernel itself refuses a request, with this status."""

    def __init__(self, status: int) -> None:
        self.status = status


class _Connection(asyncio.Protocol):
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
        "_lingering",
        "_old",
        "_parser",
        "_paused",
        "_queue",
        "_transport",
        "_unparsed",
        "_url",
        "server",
    )

    def __init__(self, server: Server) -> None:
        self.server = server
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Exchange] = deque()
        self._ended = False  # what is read from here on is no request
        self._lingering = False  # the kernel refused a request: let the client read why before closing
        self._paused = False
        self._unparsed = 0  # bytes fed of a head that is not complete yet
        self._begin()

    def _begin(self) -> None:
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
    def busy(self) -> bool:
        """Whether a request waits for its answer."""
        return bool(self._queue)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.server.connections.add(self)
        if self.server.refusing:
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.server.connections.discard(self)
        self._lose_all()

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

    def pause_writing(self) -> None:
        self._pause_reading()

    def resume_writing(self) -> None:
        self._resume_reading()

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4)
        if self._head_done:
            return  # a trailer of a chunked body: legal, and of no use to a mock
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        self._head_done = True
        self._unparsed = 0
        parser = self._parser
        self._old = parser.get_http_version() == "1.0"
        self._keep_alive = parser.should_keep_alive() and not parser.should_upgrade()
        if int(self._headers.get("content-length", "0")) > BODY_LIMIT:
            raise _RefusedError(413)
        if "expect" in self._headers and not self._old:
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
        target = self._url.decode("latin-1")
        if not target.startswith("/"):
            target = _origin_form(target)
        path, _, query = target.partition("?")
        method = self._parser.get_method().decode("ascii")
        request = Request(method, path, query, self._headers, b"".join(self._body), received_ns)
        exchange = Exchange(request, self, keep_alive=self._keep_alive, old=self._old)
        self._ended = not self._keep_alive
        self._queue.append(exchange)
        if len(self._queue) >= PIPELINE_LIMIT:
            self._pause_reading()
        try:
            self.server.application(exchange)
        except Exception as error:
            _complain(request, error)
            if not exchange._answered:
                exchange.answer(500, b"internal error\n", content_type="text/plain")

    # Answers, and the end of the connection.

    def flush(self) -> None:
        """Send the answers that are ready and next in order."""
        transport = self._transport
        queue = self._queue
        while queue and queue[0]._reply is not None:
            exchange = queue.popleft()
            if transport is None or transport.is_closing():
                continue
            transport.write(cast(bytes, exchange._reply))
            if not exchange._keep_alive:
                self._finish()
                return
        if self._paused and len(queue) < PIPELINE_LIMIT:
            self._resume_reading()
        if self._continue_due:
            self._send_continue()

    def reset(self) -> None:
        """Send RST; every request without an answer is lost."""
        self._ended = True
        transport = self._transport
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
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
            transport.write_eof()
            asyncio.get_running_loop().call_later(LINGER, transport.close)
            self._resume_reading()
        else:
            transport.close()
        self._lose_all()

    def _refuse(self, status: int) -> None:
        self._ended = True
        self._lingering = True
        request = Request("", "", "", {}, b"", time.monotonic_ns())
        exchange = Exchange(request, self, keep_alive=False, old=False)
        self._queue.append(exchange)
        exchange.answer(status, f"{HTTPStatus(status).phrase}\n".encode(), content_type="text/plain")

    def _lose_all(self) -> None:
        queue = self._queue
        while queue:
            queue.popleft()._lose()

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            raise _RefusedError(431)

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
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


def _origin_form(target: str) -> str:
    """The path and query of a request target in absolute form (``GET http://host/path``), which a proxy's
    client sends; any other form stands as it is."""
    scheme, separator, rest = target.partition("://")
    if not separator or not scheme.isalpha():
        return target
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"


def _complain(request: Request, error: Exception) -> None:
    # The text of the exception stays out: it may quote a card number or a key.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown place"
    sys.stderr.write(f"{request.method} {request.path} raised {type(error).__name__} at {where}\n")
    sys.stderr.flush()


@functools.cache
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


_date_of: tuple[int, bytes] = (0, b"")


def _date() -> bytes:
    """The ``Date`` header's line; made once a second."""
    global _date_of
    now = int(time.time())
    if _date_of[0] != now:
        _date_of = (now, f"date: {formatdate(now, usegmt=True)}".encode("ascii"))
    return _date_of[1]
