"""One request and its answer, as an application sees them."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mocks.transmission import Transmission


class Pipe(Protocol):
    """A connection, as far as an exchange needs it."""

    @property
    def stopping(self) -> bool:
        """The server ends: this is the connection's last answer."""

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""

    def flush(self) -> None:
        """Send the answers that are ready and next in order."""

    def transmit(self, exchange: Exchange, transmission: Transmission) -> None:
        """Begin the transmission once the answers to earlier requests are out."""

    def reset(self) -> None:
        """Send RST; every request without an answer is lost."""


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
            ``Server.refuse`` reset it. A client that closes its sending side counts as gone once
            ``HALF_CLOSED_LIMIT`` is over.
        answered: It has been answered, though the answer may wait for those before it.
        reply: The answer's bytes, once it has been answered; for the connection.
        keep_alive: Whether the connection stays open after the answer; for the connection.
    """

    __slots__ = ("_connection", "_lost", "_old", "answered", "keep_alive", "on_lost", "reply", "request")

    def __init__(self, request: Request, connection: Pipe, *, keep_alive: bool, old: bool) -> None:
        self.request = request
        self.on_lost: Callable[[], None] | None = None
        self._connection = connection
        self.keep_alive = keep_alive
        self._old = old
        self.answered = False
        self._lost = False
        self.reply: bytes | None = None

    @property
    def scheme(self) -> str:
        """``http`` or ``https``: how the client reached the server, for URLs that an answer holds."""
        return self._connection.scheme

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
        by: Transmission | None = None,
    ) -> bool:
        """Send the answer; on a pipelined connection, after those of the earlier requests.

        Args:
            status: The HTTP status.
            body: Left out of what is sent when the request or the status doesn't allow one.
            content_type: Of the body.
            headers: Besides those of HTTP itself.
            by: Send it in this way, instead of whole and at once.

        Returns:
            False when the client has gone.

        Raises:
            RuntimeError: The request has been answered before.
        """
        if not self._begin():
            return False
        connection = self._connection
        has_body = status != 204 and status != 304
        head = f"{_status_line(status)}{_date()}"
        if has_body:
            head += f"\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}"
        for name, value in headers:
            head += f"\r\n{name}: {value}"
        if not self.keep_alive:
            head += "\r\nconnection: close"
        elif self._old:
            head += "\r\nconnection: keep-alive"
        reply = (head + "\r\n\r\n").encode("latin-1")
        if by is not None:
            by.load(reply, body if has_body and self.request.method != "HEAD" else b"")
            connection.transmit(self, by)
            return True
        if has_body and self.request.method != "HEAD":
            reply += body
        self.reply = reply
        connection.flush()
        return True

    def answer_raw(self, reply: bytes) -> bool:
        """Send an answer that was rendered elsewhere, as it is, in its turn like any other.

        Returns:
            False when the client has gone.

        Raises:
            RuntimeError: The request has been answered before.
        """
        if not self._begin():
            return False
        self.reply = reply
        self._connection.flush()
        return True

    def _begin(self) -> bool:
        """The one answer begins; False when the client has gone."""
        if self._lost:
            return False
        if self.answered:
            raise RuntimeError("this request has been answered already")
        self.answered = True
        if self._connection.stopping:
            self.keep_alive = False
        return True

    def reset(self) -> None:
        """Reset the connection: the client sees RST, and other requests pipelined on it are lost."""
        if not self._lost:
            self._lost = True
            self.on_lost = None
            self._connection.reset()

    def lose(self) -> None:
        """The connection has gone; told by the connection."""
        if self.answered or self._lost:
            return
        self._lost = True
        tell, self.on_lost = self.on_lost, None
        if tell is not None:
            try:
                tell()
            except Exception as error:
                complain(self.request, error)


Application = Callable[[Exchange], None]
"""Called on the event loop for each request; must not block, and may answer after it has returned.

One that has a method ``refusal(status) -> Reply`` puts what the kernel itself refuses into words: a request
that is no HTTP (400), too slow (408) or too large (413, 431)."""


def complain(request: Request, error: Exception) -> None:
    """Tell of an application's exception, in a line on stderr."""
    # Its text stays out: it may quote a card number or a key.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown place"
    sys.stderr.write(f"{request.method} {request.path} raised {type(error).__name__} at {where}\n")
    sys.stderr.flush()


@functools.cache
def _status_line(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n"


_date_of: tuple[int, str] = (0, "")


def _date() -> str:
    """The ``Date`` header's line; made once a second."""
    global _date_of
    now = int(time.time())
    if _date_of[0] != now:
        _date_of = (now, f"date: {formatdate(now, usegmt=True)}")
    return _date_of[1]
