"""Servers that answer as a test says, on real sockets, and the load's client for them."""

from __future__ import annotations

import ssl as plain_ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic_ns

import gevent.event
from gevent import socket
from gevent.server import StreamServer

from scenarios.wire import Answer, Exchange, NeverSentError, NoAnswerError, Wire

Handler = Callable[[socket.socket], None]


def request_of(connection: socket.socket) -> bytes:
    """Read one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(body: bytes, status: str = "201 Created", more: bytes = b"") -> bytes:
    """One plain answer, as it goes over the wire."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode() + more + b"\r\n" + body


def always(raw: bytes) -> Handler:
    """Give the same bytes to every request, as long as the connection is open."""

    def handler(connection: socket.socket) -> None:
        while request_of(connection):
            connection.sendall(raw)

    return handler


def reset(connection: socket.socket) -> None:
    """End a connection by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


@contextmanager
def serving(
    handler: Handler,
    *,
    tls: plain_ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    connect_timeout: float = 2.0,
    read_timeout: float | None = None,
) -> Iterator[tuple[Wire, list[int]]]:
    """A server and a client for it; the list grows by one with every connection that is accepted."""
    connections: list[int] = []

    def handle(connection: socket.socket, address: object) -> None:
        connections.append(1)
        try:
            handler(connection)
        except OSError:
            return  # the client has gone, as tests of bad luck let it do
        finally:
            connection.close()

    secure = {"ssl_context": tls} if tls else {}
    server = StreamServer(("127.0.0.1", 0), handle, **secure)
    server.start()
    wire = Wire(
        f"{'https' if tls else 'http'}://{host}:{server.server_port}/base",
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
    )
    try:
        yield wire, connections
    finally:
        wire.close()
        server.stop(timeout=1)


class Kept(Exchange):
    """An exchange that keeps what became of it."""

    def __init__(self, wire: Wire, body: bytes = b"{}", timeout: float = 5) -> None:
        patience = round(timeout * 1e9)
        super().__init__(wire.form("/payments").encode(body), monotonic_ns() + patience, patience)
        self.endings: list[Answer | NeverSentError | NoAnswerError] = []
        self.over = gevent.event.Event()

    def answered(self, answer: Answer) -> None:
        self.endings.append(answer)
        self.over.set()

    def failed(self, error: NeverSentError | NoAnswerError) -> None:
        self.endings.append(error)
        self.over.set()
