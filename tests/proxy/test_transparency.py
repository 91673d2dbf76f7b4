"""Without a fault every byte passes as it is: raw requests, raw answers, in any pieces."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocks.proxy.downstream import Downstream
from mocks.proxy.upstream import IDLE_LIMIT
from tests.proxy.proxying import Exact, Origin, Proxying, read_exactly, read_to_end

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Between:
    """A proxy with an exact origin behind it."""

    def __init__(self, exact: Exact, origin: Origin, proxying: Proxying) -> None:
        self.exact = exact
        self.origin = origin
        self.proxying = proxying

    def arrives_as(self, request: bytes) -> bytes:
        """The request as the origin must see it."""
        return request.replace(b"HOST-OF-CLIENT", f"127.0.0.1:{self.origin.port}".encode())


@pytest.fixture(scope="module")
def between() -> Iterator[Between]:
    exact = Exact()
    with Origin(exact) as origin, Proxying(origin.url) as proxying:
        yield Between(exact, origin, proxying)


REQUESTS = {
    "plain": b"GET / HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\n\r\n",
    "case, order, duplicates, spaces": (
        b"POST /a//b/../c?x=%41&y=a+b&&z HTTP/1.1\r\nuser-AGENT:none\r\nX-B:  two  \r\nhOST:  HOST-OF-CLIENT\r\n"
        b"x-b:\tthree\t\r\nX-Empty:\r\nCookie: a=1\r\nCookie: b=2\r\nCONTENT-length: 5\r\n\r\n12\x00\xff\n"
    ),
    "keep-alive": b"GET / HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n",
    "proxy's own words": b"GET / HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nVia: 1.1 a\r\nForwarded: for=1\r\nTE: trailers\r\n\r\n",
    "chunks with extensions and trailers": (
        b"POST /c HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        b'4;name="v a"\r\nWiki\r\n00a\r\n0123456789\r\n0;last\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n'
    ),
    "empty chunked body": b"PUT /c HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n",
    "body of no length": b"POST /c HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nContent-Length: 0\r\n\r\n",
    "a method of one's own": b"M-SEARCH /x HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\n\r\n",
    "the server itself": b"OPTIONS * HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\n\r\n",
    "bytes beyond ASCII": b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nX-Name: caf\xe9 \x80\r\n\r\n",
    "absolute form": b"GET http://somewhere/x HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\n\r\n",
    "GET with a body": b"GET /search HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nContent-Length: 3\r\n\r\nabc",
    "large": b"POST /l HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nContent-Length: 3000000\r\n\r\n"
    + b"0123456789" * 300_000,
}

ANSWERS = {
    "plain": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "case, order, duplicates, spaces": (
        b"HTTP/1.1 402 Any Thing (really)\r\nset-COOKIE: a=1\r\nX-A:  1  \r\nSet-Cookie: b=2\r\nDate: never\r\n"
        b"CONTENT-LENGTH: 4\r\n\r\n\x00\xff\r\n"
    ),
    "no reason": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "chunks with extensions and trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        b"5;a=b\r\nhello\r\n0\r\nX-Sum: 907060870\r\n\r\n"
    ),
    "204": b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: x\r\n\r\n",
    "interim, then final": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"
    ),
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"9876543210" * 300_000,
}  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_arrives_as_it_was_sent(between: Between, request_: bytes) -> None:
    expected = between.arrives_as(request_)
    between.exact.prepare(len(expected), OK)
    with between.proxying.socket() as client:
        client.sendall(request_)
        assert read_exactly(client, len(OK)) == OK
    assert between.exact.received == expected


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_comes_back_as_it_was_sent(between: Between, answer: bytes) -> None:
    with between.proxying.socket() as client:
        for _ in range(2):  # the connection is as good as before
            between.exact.prepare(len(between.arrives_as(REQUESTS["plain"])), answer)
            client.sendall(REQUESTS["plain"])
            assert read_exactly(client, len(answer)) == answer


def test_the_answer_to_head_has_no_body_whatever_it_says(between: Between) -> None:
    request = b"HEAD / HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n"
    with between.proxying.socket() as client:
        for _ in range(2):
            between.exact.prepare(len(between.arrives_as(request)), answer)
            client.sendall(request)
            assert read_exactly(client, len(answer)) == answer


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GET, b"HTTP/1.1 200 OK\r\n\r\nuntil the end"),
        (GET, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
        (GET, b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        (b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", OK),
        (b"GET / HTTP/1.0\r\n\r\n", OK),
    ],
)
def test_who_closes_closes_both(request_: bytes, answer: bytes) -> None:
    exact = Exact()
    with Origin(exact) as origin, Proxying(origin.url) as proxying, proxying.socket() as client:
        expected = request_.replace(b"here", f"127.0.0.1:{origin.port}".encode())
        exact.prepare(len(expected), answer, closes=b"Content-Length" not in answer)
        client.sendall(request_)
        assert read_to_end(client) == answer
        assert exact.received == expected
        proxying.until(lambda: not proxying.proxy.upstream.connections, "its connection is closed, too")


def test_one_connection_to_the_origin_serves_one_client_after_another() -> None:
    exact = Exact()
    with Origin(exact) as origin, Proxying(origin.url) as proxying:
        for _ in range(5):
            exact.prepare(len(GET) + len(str(origin.port)) + 6, OK)
            with proxying.socket() as client:
                for _ in range(3):
                    client.sendall(GET)
                    assert read_exactly(client, len(OK)) == OK
        assert origin.accepted == 1


def test_a_connection_that_has_rested_for_long_is_not_used_again() -> None:
    exact = Exact()
    with Origin(exact) as origin, Proxying(origin.url) as proxying:
        exact.prepare(len(GET) + len(str(origin.port)) + 6, OK)
        upstream = proxying.proxy.upstream
        clock = [100.0]
        upstream._now = lambda: clock[0]
        with proxying.socket() as client:
            for seconds, connections in ((0, 1), (IDLE_LIMIT - 1, 1), (IDLE_LIMIT + 1, 2)):
                clock[0] += seconds
                client.sendall(GET)
                assert read_exactly(client, len(OK)) == OK
                assert origin.accepted == connections
        proxying.until(lambda: len(upstream.connections) == 1, "the other is closed")


def test_a_client_that_is_behind_with_its_answer_holds_up_no_other(
    between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_on = Downstream.pass_on

    def full(self: Downstream, data: bytes) -> None:
        pass_on(self, data)
        self.pause_writing()

    between.exact.prepare(len(between.arrives_as(REQUESTS["plain"])), OK)
    with monkeypatch.context() as patched, between.proxying.socket() as client:
        patched.setattr(Downstream, "pass_on", full)  # as if every write had filled the client's buffers
        client.sendall(REQUESTS["plain"])
        assert read_exactly(client, len(OK)) == OK
    with between.proxying.socket() as other:
        other.sendall(REQUESTS["plain"])
        assert read_exactly(other, len(OK)) == OK


def test_pipelined_requests_are_answered_in_order(between: Between) -> None:
    requests = [f"GET /{n} HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\n\r\n".encode() for n in range(10)]
    between.exact.prepare(len(between.arrives_as(requests[0])), OK)
    with between.proxying.socket() as client:
        client.sendall(b"".join(requests))
        assert read_exactly(client, 10 * len(OK)) == OK * 10
    assert between.exact.received == between.arrives_as(requests[-1])


def test_no_upgrade_is_asked_for(between: Between) -> None:
    request = (
        b"GET / HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nConnection: Upgrade, HTTP2-Settings, keep-alive\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\nX-A: 1\r\n\r\n"
    )
    expected = between.arrives_as(
        b"GET / HTTP/1.1\r\nHost: HOST-OF-CLIENT\r\nConnection: keep-alive\r\nX-A: 1\r\n\r\n"
    )
    between.exact.prepare(len(expected), OK)
    with between.proxying.socket() as client:
        client.sendall(request)
        assert read_exactly(client, len(OK)) == OK
    assert between.exact.received == expected


def test_a_client_may_wait_for_100_continue() -> None:
    head = b"POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    go_on = b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n"

    def script(connection: socket.socket) -> None:
        seen = b""
        while not seen.endswith(b"\r\n\r\n"):
            seen += connection.recv(4096)
        connection.sendall(go_on)
        assert read_exactly(connection, 4) == b"body"
        connection.sendall(OK)

    with Origin(script) as origin, Proxying(origin.url) as proxying, proxying.socket() as client:
        client.sendall(head)
        assert read_exactly(client, len(go_on)) == go_on
        client.sendall(b"body")
        assert read_exactly(client, len(OK)) == OK


def test_bytes_are_passed_on_before_all_of_them_have_come() -> None:
    """Neither side is kept waiting for the end of the other's body."""
    step = b"5\r\nhello\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def script(connection: socket.socket) -> None:
        seen = b""
        while not seen.endswith(b"\r\n\r\n"):
            seen += connection.recv(4096)
        connection.sendall(head)
        for _ in range(3):
            assert read_exactly(connection, len(step)) == step
            connection.sendall(step)
        assert read_exactly(connection, 5) == b"0\r\n\r\n"
        connection.sendall(b"0\r\n\r\n")

    with Origin(script) as origin, Proxying(origin.url) as proxying, proxying.socket() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert read_exactly(client, len(head)) == head
        for _ in range(3):
            client.sendall(step)
            assert read_exactly(client, len(step)) == step
        client.sendall(b"0\r\n\r\n")
        assert read_exactly(client, 5) == b"0\r\n\r\n"


def test_who_reads_slowly_slows_the_sender_down() -> None:
    """A client that doesn't read must not have the whole answer pile up in the proxy."""
    size = 32 << 20
    sent = [0]

    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        piece = bytes(1 << 16)
        while sent[0] < size:
            connection.sendall(piece)
            sent[0] += len(piece)

    with Origin(script) as origin, Proxying(origin.url) as proxying, proxying.socket() as client:
        client.sendall(GET)
        upstream = proxying.proxy.upstream
        proxying.until(
            lambda: any(not one.reading for one in upstream.connections), "it stops reading from the origin"
        )
        assert sent[0] < size / 2
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        assert len(read_exactly(client, len(head) + size)) == len(head) + size
        assert sent[0] == size


_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True).filter(
    lambda name: (
        name.lower()
        not in {"host", "connection", "upgrade", "expect", "content-length", "authorization", "trailer"}
    )
)
_VALUES = st.binary(max_size=20).map(
    lambda raw: bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F).strip()
)
_FIELDS = st.lists(st.tuples(_NAMES, _VALUES), max_size=6).map(
    lambda pairs: b"".join(b"%s: %s\r\n" % (name.encode(), value) for name, value in pairs)
)
_CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=5).map(
    lambda chunks: b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
)
_BODIES = st.one_of(
    st.binary(max_size=200).map(lambda body: (b"Content-Length: %d\r\n" % len(body), body)),
    _CHUNKS.map(lambda body: (b"Transfer-Encoding: chunked\r\n", body)),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_FIELDS, _BODIES, _FIELDS, _BODIES, st.lists(st.integers(1, 400), max_size=4))
def test_anything_passes_in_any_pieces(
    between: Between,
    asked: bytes,
    body: tuple[bytes, bytes],
    told: bytes,
    answer_body: tuple[bytes, bytes],
    cuts: list[int],
) -> None:
    request = b"POST /p HTTP/1.1\r\n" + asked + b"Host: HOST-OF-CLIENT\r\n" + body[0] + b"\r\n" + body[1]
    answer = b"HTTP/1.1 200 OK\r\n" + told + answer_body[0] + b"\r\n" + answer_body[1]
    expected = between.arrives_as(request)
    between.exact.prepare(len(expected), answer)
    with between.proxying.socket() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        places = sorted({min(cut, len(request)) for cut in cuts} | {len(request)})
        for start, end in zip([0, *places], places, strict=False):
            client.sendall(request[start:end])
        assert read_exactly(client, len(answer)) == answer
    assert between.exact.received == expected
