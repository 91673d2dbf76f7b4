"""What the load's client says when a connection or an answer goes wrong: whether the request left, and why."""

import contextlib
import errno
import os
import resource
from collections.abc import Iterator

import gevent
import gevent.event
import pytest
from gevent import socket
from gevent.server import StreamServer

from scenarios.wire import Answer, NeverSentError, NoAnswerError, Wire
from scenarios.wire.answer import Heads
from scenarios.wire.connection import ANSWER_LIMIT, Connection
from scenarios.wire.errors import words
from tests.scenarios.serving import Handler, Kept, always, answer, request_of, reset, serving

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def closes_without_answer(connection: socket.socket) -> None:
    request_of(connection)


def resets(connection: socket.socket) -> None:
    request_of(connection)
    reset(connection)


def answers_with(*parts: bytes) -> Handler:
    """Give these bytes, piece by piece, and close."""

    def handler(connection: socket.socket) -> None:
        request_of(connection)
        for part in parts:
            connection.sendall(part)
            gevent.sleep(0)

    return handler


def answers_without_end(begin: bytes, again: bytes) -> Handler:
    def handler(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(begin)
        while True:
            connection.sendall(again)

    return handler


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (closes_without_answer, "connection closed before the answer was whole"),
        (resets, "connection lost before the answer: connection reset"),
        (answers_with(answer(b"x" * 100)[:-50]), "connection closed before the answer was whole"),
        (answers_with(b"HTTP/1.1 200 OK\r\nContent-Le"), "connection closed before the answer was whole"),
        (answers_with(CHUNKED, b"5\r\nhell"), "connection closed before the answer was whole"),
        (answers_with(b"HTTP/1.1 103 Early Hints\r\n\r\n"), "connection closed before the answer was whole"),
        (answers_with(b"HELLO\r\n\r\n"), "the answer is not HTTP: "),
        (answers_with(b"HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n"), "the answer is not HTTP: "),
        (answers_with(b"HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n"), "the answer is not HTTP: status 0"),
        (answers_with(b"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n"), "the answer is not HTTP: "),
        (
            answers_with(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!"),
            "the answer is not HTTP: ",
        ),
        (answers_with(CHUNKED, b"zz\r\n"), "the answer is not HTTP: "),
        (
            answers_with(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
            "the answer switches to another protocol",
        ),
        (answers_without_end(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"), "the answer is larger than 1024 KiB"),
        (answers_without_end(b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 4096), "the answer is larger than 1024 KiB"),
        (answers_without_end(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 4000 + b"\r\n"), "the answer is larger"),
        (answers_without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "the answer is larger than"),
        (answers_with(answer(b"x" * (ANSWER_LIMIT + 1))), "the answer is larger than 1024 KiB"),
    ],
)  # fmt: skip
def test_a_request_that_left_and_got_no_whole_answer_is_unknown(handler: Handler, why: str) -> None:
    with serving(handler) as (wire, connections):
        with pytest.raises(NoAnswerError, match=f"^{why}"):
            wire.post("/", b"{}", {}, 5)
        assert len(connections) == 1
        assert wire.open_connections == 0


def test_a_large_answer_below_the_limit_is_taken() -> None:
    body = os.urandom(ANSWER_LIMIT - 1000)
    with serving(always(answer(body))) as (wire, connections):
        for _ in range(2):
            assert wire.post("/", b"{}", {}, 5) == Answer(201, body)
        assert len(connections) == 1


@pytest.mark.parametrize("more", [b"more", b"\r\nX", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_after_bytes_that_nobody_asked_for_a_connection_is_not_used_again(more: bytes) -> None:
    with serving(always(answer(b"ok") + more)) as (wire, connections):
        for _ in range(3):
            assert wire.post("/", b"{}", {}, 5) == Answer(201, b"ok")
        assert len(connections) == 3


def test_bytes_that_come_while_a_connection_is_idle_end_it() -> None:
    def late(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(answer(b"ok"))
        gevent.sleep(0.01)
        connection.sendall(answer(b"who asked?"))
        gevent.sleep(30)

    with serving(late) as (wire, _):
        wire.post("/", b"{}", {}, 5)
        with gevent.Timeout(5):
            while wire.open_connections:
                gevent.sleep(0.005)
        assert wire.post("/", b"{}", {}, 5).body == b"ok"


def test_refused_was_never_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port, and it refuses
        wire = Wire(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(NeverSentError, match=r"^connection refused$"):
            wire.post("/", b"", {}, 5)
        assert (wire.connects, wire.open_connections) == (1, 0)


def test_a_name_without_an_address_was_never_sent() -> None:
    with pytest.raises(NeverSentError):
        Wire("http://no-such-name.invalid:80").post("/", b"", {}, 5)


def test_silence_is_unknown_after_the_time_out_and_its_connection_is_not_used_again() -> None:
    def handler(connection: socket.socket) -> None:
        if request_of(connection).endswith(b"slow"):
            gevent.sleep(30)
        connection.sendall(answer(b"quick"))

    with serving(handler) as (wire, connections):
        with pytest.raises(NoAnswerError, match=r"^time-out after 0.05 s$"):
            wire.post("/", b"slow", {}, 0.05)
        assert wire.post("/", b"quick", {}, 5).body == b"quick"
        assert len(connections) == 2


def test_each_exchange_ends_at_its_own_deadline_in_whatever_order_they_were_sent() -> None:
    def silent(connection: socket.socket) -> None:
        request_of(connection)
        gevent.sleep(30)

    ended: list[float] = []
    with serving(silent) as (wire, _):
        exchanges = [Kept(wire, timeout=timeout) for timeout in (0.15, 0.05, 20, 0.1)]
        for exchange in exchanges:
            wire.send(exchange)
            exchange.over.rawlink(lambda _, e=exchange: ended.append(e.timeout_ns / 1e9))
        with gevent.Timeout(10):
            while len(ended) < 3:
                gevent.sleep(0.01)
        assert ended == [0.05, 0.1, 0.15]
        assert not exchanges[2].endings


def test_a_server_that_falls_silent_is_given_up_after_the_read_time_out() -> None:
    def slow(connection: socket.socket) -> None:
        if request_of(connection).endswith(b"steady"):
            for byte in answer(b"still there"):
                connection.sendall(bytes([byte]))
                gevent.sleep(0.003)
        connection.sendall(answer(b"")[:10])
        gevent.sleep(30)

    with serving(slow, read_timeout=0.1) as (wire, _):
        with pytest.raises(NoAnswerError, match=r"^time-out: silent for 0.1 s$"):
            wire.post("/", b"stuck", {}, 20)
        # Longer than the read time-out in all, but never silent for so long.
        assert wire.post("/", b"steady", {}, 20).body == b"still there"


def test_without_a_connection_in_time_nothing_was_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        # Nobody accepts: once its queue is full, a connection to it stays half-made.
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            gevent.sleep(0)
            impatient = Wire(f"http://127.0.0.1:{address[1]}", connect_timeout=0.05)
            with pytest.raises(NeverSentError, match=r"^no connection within 0.05 s$"):
                impatient.post("/", b"", {}, 20)
            patient = Wire(f"http://127.0.0.1:{address[1]}", connect_timeout=20)
            with pytest.raises(NeverSentError, match=r"^no connection in time$"):
                patient.post("/", b"", {}, 0.05)
            assert patient._dialling
            patient.close()
            gevent.sleep(0)
            assert not patient._dialling


def test_a_large_request_to_a_slow_reader_arrives_whole() -> None:
    body = os.urandom(12_000_000)  # several times what the buffers on the way hold
    arrived = bytearray()

    def slow(connection: socket.socket) -> None:
        gevent.sleep(0.02)
        while not arrived.endswith(body[-1000:]):
            arrived.extend(connection.recv(262_144))
        connection.sendall(answer(b"ok"))
        request_of(connection)

    with serving(slow) as (wire, _):
        assert wire.post("/", body, {}, 10).body == b"ok"
        assert arrived.partition(b"\r\n\r\n")[2] == body
        assert wire.open_connections == 1


def test_a_request_that_left_in_part_is_unknown() -> None:
    def deaf(connection: socket.socket) -> None:
        connection.recv(1)
        gevent.sleep(0.05)
        reset(connection)

    def stalled(connection: socket.socket) -> None:
        gevent.sleep(30)

    for handler, timeout, why in ((deaf, 10, "connection lost"), (stalled, 0.1, "time-out after 0.1 s")):
        with (
            serving(handler) as (wire, _),
            pytest.raises(NoAnswerError, match=why),
        ):
            wire.post("/", b"x" * 20_000_000, {}, timeout)


def test_an_answer_before_the_whole_request_has_left_is_taken_and_ends_the_connection() -> None:
    def hasty(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(answer(b"too large", "413 Content Too Large"))
        gevent.sleep(0.05)

    with serving(hasty) as (wire, _):
        assert wire.post("/", b"x" * 20_000_000, {}, 5) == Answer(413, b"too large")
        assert wire.open_connections == 0


class Stuck:
    """A connection whose buffer is full from the start, or which is lost by then; no real one can be asked to
    be so."""

    def __init__(self, plain: socket.socket, error: OSError) -> None:
        self.fileno = plain.fileno
        self.close = plain.close
        self.error = error

    def seal(self, data: bytes) -> bytes:
        return data

    def send(self, sealed: bytes) -> int:
        raise self.error

    def receive(self) -> bytes:
        raise BlockingIOError

    def idle(self) -> bool:
        return True


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    here.setblocking(False)
    try:
        yield here, there
    finally:
        here.close()
        there.close()


def test_a_request_of_which_not_one_byte_left_was_never_sent(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    endings: list[object] = []
    connection = Connection(
        Stuck(pair[0], BlockingIOError()), Heads(), lambda *ending: endings.append(ending[2]), lambda: None
    )
    exchange = Kept(Wire("http://127.0.0.1:1"))
    assert connection.begin(exchange) is None
    connection.abandon("time-out")
    assert [type(ending) for ending in endings] == [NeverSentError]


def test_a_connection_that_takes_not_one_byte_leaves_the_exchange_to_others(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    lost = BrokenPipeError(errno.EPIPE, "Broken pipe")
    endings: list[object] = []
    connection = Connection(Stuck(pair[0], lost), Heads(), lambda *_: endings.append(1), lambda: None)
    exchange = Kept(Wire("http://127.0.0.1:1"))
    assert connection.begin(exchange) is lost
    assert connection.closed
    assert not endings
    assert exchange.connection is None


def test_where_descriptors_run_out_it_is_the_generators_fault() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving(always(answer(b"ok"))) as (wire, _):
        wire.post("/", b"{}", {}, 5)
        wire.close()
        spare = os.dup(0)
        os.close(spare)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare, hard))
        try:
            with pytest.raises(NeverSentError, match=r"^generator: no file descriptor left .*EMFILE"):
                wire.post("/", b"{}", {}, 5)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert wire.post("/", b"{}", {}, 5).body == b"ok"


@pytest.mark.parametrize(
    ("code", "generators"),
    [
        (errno.EMFILE, True),
        (errno.ENFILE, True),
        (errno.EADDRNOTAVAIL, True),
        (errno.ENOBUFS, True),
        (errno.ECONNREFUSED, False),
        (errno.ECONNRESET, False),
        (errno.EHOSTUNREACH, False),
        (errno.ETIMEDOUT, False),
    ],
)
def test_what_this_machine_lacks_is_told_from_what_the_platform_does(code: int, generators: bool) -> None:
    assert words(OSError(code, os.strerror(code))).startswith("generator: ") == generators


def test_a_server_that_comes_back_is_found_again() -> None:
    def listener(port: int) -> StreamServer:
        server = StreamServer(("127.0.0.1", port), lambda c, _: answers_with(answer(b"ok"))(c))
        server.start()
        return server

    server = listener(0)
    wire = Wire(f"http://127.0.0.1:{server.server_port}")
    try:
        assert wire.post("/", b"", {}, 5).body == b"ok"
        server.stop(timeout=0)
        with pytest.raises(NeverSentError):
            wire.post("/", b"", {}, 5)
        server = listener(server.server_port)
        assert wire.post("/", b"", {}, 5).body == b"ok"
    finally:
        wire.close()
        server.stop(timeout=0)
