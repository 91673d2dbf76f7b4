"""The load's client on real sockets: what it says of each way in which a connection can end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.wire import NeverSentError, NoAnswerError, Wire

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
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode() + more + b"\r\n" + body


@contextmanager
def serving(handler: Handler) -> Iterator[tuple[Wire, list[int]]]:
    connections: list[int] = []

    def handle(connection: socket.socket, address: object) -> None:
        connections.append(1)
        handler(connection)

    server = StreamServer(("127.0.0.1", 0), handle)
    server.start()
    wire = Wire(f"http://127.0.0.1:{server.server_port}/base")
    try:
        yield wire, connections
    finally:
        wire.close()
        server.stop(timeout=1)


def test_one_connection_serves_request_after_request() -> None:
    seen: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        while request := request_of(connection):
            seen.append(request)
            connection.sendall(answer(b'{"n": %d}' % len(seen)))

    with serving(handler) as (wire, connections):
        answers = [wire.post("/payments", b"{}", {"Idempotency-Key": "k"}, 5) for _ in range(3)]
    assert [(a.status, a.body) for a in answers] == [
        (201, b'{"n": 1}'),
        (201, b'{"n": 2}'),
        (201, b'{"n": 3}'),
    ]
    assert len(connections) == 1
    assert seen[0].startswith(b"POST /base/payments HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Idempotency-Key: k\r\n" in seen[0]


def test_refused_was_never_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port, and it refuses
        with pytest.raises(NeverSentError, match="connection refused"):
            Wire(f"http://127.0.0.1:{taken.getsockname()[1]}").post("/", b"", {}, 5)


def test_a_connection_that_ends_before_the_answer_is_unknown() -> None:
    def close(connection: socket.socket) -> None:
        request_of(connection)
        connection.close()

    def reset(connection: socket.socket) -> None:
        request_of(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    def half(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(answer(b"x" * 100)[:-50])
        connection.close()

    def nonsense(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(b"HELLO\r\n\r\n")

    for handler, words in ((close, "closed"), (reset, "reset"), (half, "whole"), (nonsense, "not HTTP")):
        with serving(handler) as (wire, _), pytest.raises(NoAnswerError, match=words):
            wire.post("/", b"{}", {}, 5)


def test_silence_is_unknown_after_the_time_out_and_its_connection_is_not_used_again() -> None:
    def handler(connection: socket.socket) -> None:
        if request_of(connection).endswith(b"slow"):
            gevent.sleep(30)
        connection.sendall(answer(b"quick"))

    with serving(handler) as (wire, connections):
        with pytest.raises(NoAnswerError, match="time-out"):
            wire.post("/", b"slow", {}, 0.05)
        assert wire.post("/", b"quick", {}, 5).body == b"quick"
        assert len(connections) == 2


def test_a_kept_connection_that_the_server_has_closed_is_not_written_to() -> None:
    def once(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(answer(b"ok"))
        connection.close()

    with serving(once) as (wire, connections):
        for _ in range(3):
            assert wire.post("/", b"{}", {}, 5).body == b"ok"
            gevent.sleep(0.02)  # the server's close has to arrive; a write would be answered by a reset
        assert len(connections) == 3


def test_connection_close_is_obeyed() -> None:
    def handler(connection: socket.socket) -> None:
        while request_of(connection):
            connection.sendall(answer(b"ok", more=b"Connection: close\r\n"))

    with serving(handler) as (wire, connections):
        for _ in range(2):
            wire.post("/", b"{}", {}, 5)
        assert len(connections) == 2


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=8), st.booleans())
def test_any_split_of_an_answer_is_the_same_answer(body: bytes, cuts: list[int], chunked: bool) -> None:
    def handler(connection: socket.socket) -> None:
        request_of(connection)
        if chunked:
            raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            raw += b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            raw += b"0\r\n\r\n"
        else:
            raw = answer(body, "200 OK")
        for cut in cuts:
            connection.sendall(raw[:cut])
            raw = raw[cut:]
            gevent.sleep(0)
        connection.sendall(raw)

    with serving(handler) as (wire, _):
        got = wire.post("/", b"{}", {}, 5)
    assert (got.status, got.body) == (200, body)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:80", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        Wire(url)
