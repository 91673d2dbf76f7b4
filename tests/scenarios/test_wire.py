"""The load's client on real sockets: connections are kept, shared and ended as they have to be."""

from collections.abc import Callable

import gevent
import gevent.event
import pytest
from gevent import socket

from scenarios.wire import Answer, Form, NeverSentError, NoAnswerError, Wire, checked
from tests.scenarios.serving import Kept, always, answer, request_of, serving


def test_one_connection_serves_request_after_request() -> None:
    seen: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        while request := request_of(connection):
            seen.append(request)
            connection.sendall(answer(b'{"n": %d}' % len(seen)))

    with serving(handler) as (wire, connections):
        answers = [wire.post("/payments", b"{}", {"Idempotency-Key": "k"}, 5) for _ in range(3)]
        assert (wire.open_connections, wire.connects) == (1, 1)
    assert [(a.status, a.body) for a in answers] == [
        (201, b'{"n": 1}'),
        (201, b'{"n": 2}'),
        (201, b'{"n": 3}'),
    ]
    assert len(connections) == 1
    assert wire.open_connections == 0
    assert seen[0].startswith(b"POST /base/payments HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Idempotency-Key: k\r\n" in seen[0]


def test_exchanges_under_way_at_the_same_time_have_connections_of_their_own_and_their_own_answers() -> None:
    def handler(connection: socket.socket) -> None:
        while request := request_of(connection):
            gevent.sleep(0.001 * (int(request[-1:]) % 3))
            connection.sendall(answer(b"to " + request[-1:]))

    with serving(handler) as (wire, connections):
        for _ in range(3):
            exchanges = [Kept(wire, b"%d" % n) for n in range(8)]
            for exchange in exchanges:
                wire.send(exchange)
            for exchange in exchanges:
                assert exchange.over.wait(5)
            assert [e.endings for e in exchanges] == [[Answer(201, b"to %d" % n)] for n in range(8)]
        assert len(connections) == wire.open_connections == wire.connects == 8


def test_a_kept_connection_that_the_server_has_closed_is_not_written_to() -> None:
    def once(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(answer(b"ok"))
        connection.close()

    with serving(once) as (wire, connections):
        # The answer and the end of the connection are there at the same time: no event has told of the end.
        for _ in range(3):
            assert wire.post("/", b"{}", {}, 5).body == b"ok"
        assert len(connections) == 3


def test_the_end_of_an_idle_connection_is_noticed_without_a_request() -> None:
    def once(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(answer(b"ok"))
        gevent.sleep(0.01)

    with serving(once) as (wire, _):
        wire.post("/", b"{}", {}, 5)
        assert wire.open_connections == 1
        with gevent.Timeout(5):
            while wire.open_connections:
                gevent.sleep(0.005)


def test_connection_close_is_obeyed() -> None:
    with serving(always(answer(b"ok", more=b"Connection: close\r\n"))) as (wire, connections):
        for _ in range(2):
            wire.post("/", b"{}", {}, 5)
        assert len(connections) == 2
        assert wire.open_connections == 0


def test_http_1_0_ends_its_connection_and_its_answer_may_end_with_it() -> None:
    def old(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nall of ")
        gevent.sleep(0.005)
        connection.sendall(b"it")

    with serving(old) as (wire, connections):
        for _ in range(2):
            assert wire.post("/", b"{}", {}, 5) == Answer(200, b"all of it")
        assert len(connections) == 2


def test_closing_ends_what_is_under_way_and_says_whether_it_left() -> None:
    arrived = gevent.event.Event()

    def silent(connection: socket.socket) -> None:
        request_of(connection)
        arrived.set()
        gevent.sleep(30)

    with serving(silent) as (wire, _):
        sent, waiting = Kept(wire), Kept(wire)
        wire.send(sent)
        arrived.wait(5)
        wire.send(waiting)
        wire.close()
        assert [type(e) for e in (*sent.endings, *waiting.endings)] == [NoAnswerError, NeverSentError]
        assert wire.open_connections == 0


def test_a_greenlet_that_is_killed_while_it_waits_leaves_no_connection_behind_for_others() -> None:
    def slow(connection: socket.socket) -> None:
        while request := request_of(connection):
            gevent.sleep(30 if request.endswith(b"slow") else 0)
            connection.sendall(answer(b"ok"))

    with serving(slow) as (wire, connections):
        posting = gevent.spawn(wire.post, "/", b"slow", {}, 20)
        while not connections:
            gevent.sleep(0.001)
        posting.kill()
        assert wire.open_connections == 0
        assert wire.post("/", b"quick", {}, 5).body == b"ok"
        assert len(connections) == 2


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:80", "http://", "http://127.0.0.1:port"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        Wire(url)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Form("h", "/payments\r\nX: 1"),
        lambda: Form("h", "payments"),
        lambda: Form("h", "/", ("Bad Name",)),
        lambda: checked("a\r\nX: 1"),
        lambda: checked("a\0"),
        lambda: checked("\u20ac"),
        lambda: Wire("http://127.0.0.1:1").post("/", b"", {"Key": "a\nb"}, 1),
    ],
)
def test_what_would_break_the_request_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"cannot be|is no"):
        build()


def test_a_form_gives_whole_requests() -> None:
    form = Form("h:1", "/a%20b", ("X-%d", "Key"))
    assert form.encode(b'{"%d"}', b"1%", b"k") == (
        b"POST /a%20b HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\n"
        b'X-%d: 1%\r\nKey: k\r\nContent-Length: 6\r\n\r\n{"%d"}'
    )
