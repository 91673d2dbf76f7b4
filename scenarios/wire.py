"""The load's HTTP client: HTTP/1.1 over gevent sockets, parsed in C.

It tells apart what matters for money: a request that surely never left (``NeverSentError``) from one that
may have been carried out although no answer came (``NoAnswerError``). It never sends a request twice.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

import gevent
import httptools
from gevent import socket, ssl


class NeverSentError(Exception):
    """The request surely never left: no connection was made, or none was free."""


class NoAnswerError(Exception):
    """The request left at least in part, and no whole answer came back: the outcome is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Wire:
    """A pool of keep-alive connections to one base URL.

    Args:
        url: ``http://host:port`` or ``https://host:port``, with an optional path prefix.
        connect_timeout: Seconds for making a connection, TLS included.
    """

    def __init__(self, url: str, *, connect_timeout: float = 2.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http:// or https:// URL")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host = parts.hostname
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._connect_timeout = connect_timeout
        self._idle: deque[_Connection] = deque()
        self._authority = parts.netloc.rpartition("@")[2]
        self.connects = 0
        """Attempts to make a connection so far."""
        self.open_connections = 0
        """Connections that are open now."""

    def post(self, path: str, body: bytes, headers: dict[str, str], timeout: float) -> Answer:
        """Send one POST and wait for its whole answer.

        Args:
            path: Path below the base URL.
            body: JSON.
            headers: Further headers.
            timeout: Seconds until the answer must be there; connecting counts.

        Raises:
            NeverSentError: Nothing left.
            NoAnswerError: Something left, and no whole answer came in time.
        """
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {self._prefix}{path} HTTP/1.1\r\nHost: {self._authority}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
        )
        connection = None
        try:
            with gevent.Timeout(max(timeout, 0.001), _Late):
                connection = self._connection()
                answer = connection.exchange(head.encode("latin-1") + body)
        except _Late:
            if connection is None:
                raise NeverSentError("no connection in time") from None
            self._drop(connection)
            raise NoAnswerError(f"time-out after {timeout:.3g} s") from None
        except BaseException:
            if connection is not None:
                self._drop(connection)
            raise
        if connection.reusable:
            self._idle.append(connection)
        else:
            self._drop(connection)
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._drop(self._idle.pop())

    def _drop(self, connection: _Connection) -> None:
        connection.close()
        self.open_connections -= 1

    def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.alive():
                return connection
            self._drop(connection)
        connection = self._connected()
        self.open_connections += 1
        return connection

    def _connected(self) -> _Connection:
        self.connects += 1
        try:
            with gevent.Timeout(self._connect_timeout, _Late):
                plain = socket.create_connection((self._host, self._port))
        except _Late:
            raise NeverSentError(f"no connection within {self._connect_timeout:g} s") from None
        except OSError as error:
            raise NeverSentError(_say(error)) from error
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return _Connection(plain)
        try:
            return _Connection(self._tls.wrap_socket(plain, server_hostname=self._host))
        except OSError as error:
            plain.close()
            raise NeverSentError(f"TLS: {_say(error)}") from error


class _Late(BaseException):
    """A gevent time-out of ours; a BaseException so that no ``except Exception`` in between takes it."""


class _Connection:
    """One socket, and the parser's callbacks for the answer that is being read."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._complete = False
        self.reusable = False

    def alive(self) -> bool:
        """False if the other end has closed while the connection was idle."""
        if isinstance(self._socket, ssl.SSLSocket):
            return True
        try:
            self._socket.setblocking(False)
            return self._peek() is None
        finally:
            self._socket.setblocking(True)

    def _peek(self) -> bytes | None:
        try:
            return bytes(self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except (BlockingIOError, TimeoutError):
            return None
        except OSError:
            return b""

    def exchange(self, request: bytes) -> Answer:
        self._complete = self.reusable = False
        self._body.clear()
        try:
            self._socket.sendall(request)
        except OSError as error:
            raise NoAnswerError(f"connection lost while sending: {_say(error)}") from error
        while not self._complete:
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise NoAnswerError(f"connection lost before the answer: {_say(error)}") from error
            if not data:
                raise NoAnswerError("connection closed before the answer was whole")
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserError as error:
                raise NoAnswerError(f"the answer is not HTTP: {error}") from error
        return Answer(self._parser.get_status_code(), b"".join(self._body))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self._complete = True
            self.reusable = self._parser.should_keep_alive()


def _say(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError):
        return "connection reset"
    if isinstance(error, BrokenPipeError):
        return "broken pipe"
    return error.strerror or str(error) or type(error).__name__
