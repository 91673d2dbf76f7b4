"""The HTTP kernel over real sockets."""

from __future__ import annotations

import asyncio
import errno
import http.client
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
import uvloop

from mocks.http import BODY_LIMIT, HEAD_LIMIT, Exchange, PortInUseError, Server
from tests.mocks.serving import LoopThread, Serving


class Application:
    """Echoes requests; some paths misbehave on purpose, and ``/hold`` waits for ``release``."""

    def __init__(self) -> None:
        self.held: list[Exchange] = []
        self.arrived = threading.Semaphore(0)
        self.lost: list[str] = []
        self.told = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.path == "/boom":
            raise ValueError("4242424242424242")
        if request.path == "/late-boom":
            exchange.answer(200, b"first")
            raise ValueError
        if request.path == "/reset":
            exchange.reset()
        elif request.path.startswith("/hold"):
            self.held.append(exchange)
            exchange.on_lost = lambda: self._lost(request.path)
            self.arrived.release()
        elif request.path == "/nothing":
            exchange.answer(204)
        elif request.path == "/headers":
            exchange.answer(200, repr(sorted(request.headers.items())).encode(), content_type="text/plain")
        else:
            text = f"{request.method} {request.path} {request.query} {len(request.body)} ".encode()
            exchange.answer(200, text + request.body[:100], headers=(("X-One", "1"), ("X-Two", "2")))

    def _lost(self, path: str) -> None:
        self.lost.append(path)
        self.told.set()


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def serving(application: Application) -> Iterator[Serving]:
    with Serving(application) as serving:
        yield serving


class Client:
    """A raw socket that reads whole answers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, body: bool = True) -> tuple[int, dict[str, str], bytes]:
        line = self.file.readline()
        if not line:
            raise EOFError
        status = int(line.split()[1])
        headers = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0)) if body else 0
        return status, headers, self.file.read(size)

    def at_end(self) -> bool:
        return self.file.read(1) == b""


@pytest.fixture
def client(serving: Serving) -> Iterator[Client]:
    with Client(serving.port) as client:
        yield client


def test_answers_and_keeps_the_connection(client: Client) -> None:
    for number in range(3):
        client.send(f"POST /a/b?c=d&n={number} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi".encode())
        status, headers, body = client.answer()
        assert (status, body) == (200, f"POST /a/b c=d&n={number} 2 hi".encode())
        assert headers["x-one"] == "1" and headers["x-two"] == "2"
        assert headers["content-type"] == "application/json"
        assert headers["date"].endswith("GMT")
        assert "connection" not in headers


def test_head_arrives_byte_by_byte(client: Client) -> None:
    for byte in b"POST /slow?q=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc":
        client.send(bytes([byte]))
    assert client.answer()[2] == b"POST /slow q=1 3 abc"


def test_pipelined_answers_keep_the_order(client: Client, application: Application, serving: Serving) -> None:
    client.send(
        b"GET /hold/1 HTTP/1.1\r\nHost: x\r\n\r\n"
        b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
        b"GET /hold/3 HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    application.arrived.acquire(timeout=5)
    application.arrived.acquire(timeout=5)
    first, third = application.held
    assert serving.thread.call(lambda: third.answer(200, b"third"))
    assert serving.thread.call(lambda: first.answer(200, b"first"))
    bodies = [client.answer()[2] for _ in range(3)]
    assert bodies == [b"first", b"GET /echo  0 ", b"third"]


def test_many_pipelined_requests_are_all_answered(client: Client) -> None:
    count = 500
    client.send(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n" * count)
    assert [client.answer()[0] for _ in range(count)] == [200] * count


def test_chunked_body_and_trailers(client: Client) -> None:
    client.send(
        b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n"
        b"POST /headers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\nX-Trailer: t\r\n\r\n"
        b"GET /headers HTTP/1.1\r\nHost: y\r\n\r\n"
    )
    assert client.answer()[2] == b"POST /c  5 abcde"
    assert client.answer()[2] == b"[('host', 'x'), ('transfer-encoding', 'chunked')]"
    assert client.answer()[2] == b"[('host', 'y')]"


def test_headers_are_lowered_and_joined(client: Client) -> None:
    client.send(b"GET /headers HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
    assert client.answer()[2] == b"[('host', 'x'), ('x-a', '1, 2')]"


def test_expect_100_continue(client: Client) -> None:
    client.send(b"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert client.answer()[0] == 100
    client.send(b"ok")
    assert client.answer()[2] == b"POST /e  2 ok"


def test_100_continue_waits_for_the_answers_before_it(
    client: Client, application: Application, serving: Serving
) -> None:
    client.send(
        b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
        b"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    application.arrived.acquire(timeout=5)
    serving.thread.call(lambda: application.held[0].answer(200, b"held"))
    assert client.answer()[2] == b"held"
    assert client.answer()[0] == 100
    client.send(b"ok")
    assert client.answer()[2] == b"POST /e  2 ok"


def test_head_has_the_length_and_no_body(client: Client) -> None:
    client.send(b"HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /g HTTP/1.1\r\nHost: x\r\n\r\n")
    status, headers, _ = client.answer(body=False)
    assert status == 200 and int(headers["content-length"]) == len("HEAD /h  0 ")
    assert client.answer()[2] == b"GET /g  0 "


def test_204_has_no_body_and_no_length(client: Client) -> None:
    client.send(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /g HTTP/1.1\r\nHost: x\r\n\r\n")
    status, headers, _ = client.answer()
    assert status == 204 and "content-length" not in headers and "content-type" not in headers
    assert client.answer()[2] == b"GET /g  0 "


@pytest.mark.parametrize(
    ("request_head", "closes"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", True),
    ],
)
def test_who_closes(client: Client, request_head: bytes, closes: bool) -> None:
    client.send(request_head)
    status, headers, _ = client.answer()
    assert status == 200
    if closes:
        assert headers["connection"] == "close"
        assert client.at_end()
    else:
        assert headers["connection"] == "keep-alive"
        client.send(request_head)
        assert client.answer()[0] == 200


@pytest.mark.parametrize("target", [b"http://gateway.test/v1/x?y=1", b"/v1/x?y=1"])
def test_absolute_and_origin_form(client: Client, target: bytes) -> None:
    client.send(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer()[2] == b"GET /v1/x y=1 0 "


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1), 413),
        (b"GET /" + b"a" * HEAD_LIMIT + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_LIMIT + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X-Many: 1234567890\r\n" * 4000 + b"\r\n", 431),
    ],
)
def test_refused_requests_are_answered_then_closed(client: Client, sent: bytes, status: int) -> None:
    client.send(sent)
    assert client.answer()[0] == status
    client.socket.shutdown(socket.SHUT_WR)
    assert client.at_end()


def test_header_without_an_end_is_refused(client: Client) -> None:
    client.send(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(40):
        client.send(b"a" * 16384)
    assert client.answer()[0] == 431


def test_chunked_body_over_the_limit_is_refused_while_it_is_sent(client: Client) -> None:
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    for _ in range(20):
        client.send(piece)
    assert client.answer()[0] == 413


def test_a_refused_client_may_go_on_sending_until_it_reads_the_refusal(client: Client) -> None:
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (8 * BODY_LIMIT))
    assert client.socket.recv(1, socket.MSG_PEEK)  # the refusal has arrived; the client doesn't know yet
    for _ in range(8):
        client.send(b"a" * 65536)
    assert client.answer()[0] == 413


def test_body_of_exactly_the_limit_is_taken(client: Client) -> None:
    client.send(
        b"POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % BODY_LIMIT + b"a" * BODY_LIMIT
    )
    assert client.answer()[2].startswith(b"POST /big  1048576 ")


def test_refusal_comes_after_the_answers_before_it(
    client: Client, application: Application, serving: Serving
) -> None:
    client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\nNONSENSE\r\n\r\n")
    application.arrived.acquire(timeout=5)
    serving.thread.call(lambda: application.held[0].answer(200, b"held"))
    assert client.answer()[2] == b"held"
    assert client.answer()[0] == 400


def test_exception_is_a_500_and_not_the_end(
    client: Client, serving: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    client.send(b"GET /boom HTTP/1.1\r\nHost: x\r\n\r\nGET /late-boom HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer()[0] == 500
    assert client.answer()[::2] == (200, b"first")
    client.send(b"GET /g HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer()[0] == 200
    told = capfd.readouterr().err
    assert "GET /boom raised ValueError at" in told and "test_http.py" in told
    assert "4242" not in told


def test_answering_twice_is_an_error(client: Client, application: Application, serving: Serving) -> None:
    client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
    application.arrived.acquire(timeout=5)
    exchange = application.held[0]
    assert serving.thread.call(lambda: exchange.answer(200))
    with pytest.raises(RuntimeError):
        serving.thread.call(lambda: exchange.answer(200))


def test_lost_client_is_told_once_and_cannot_be_answered(
    client: Client, application: Application, serving: Serving
) -> None:
    client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
    application.arrived.acquire(timeout=5)
    assert not application.held[0].lost
    # A reset: one that merely closes might still be reading.
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.file.close()
    client.socket.close()
    assert application.told.wait(5)
    assert application.held[0].lost
    assert not serving.thread.call(lambda: application.held[0].answer(200))
    assert application.lost == ["/hold"]


def test_reset_is_seen_as_econnreset(client: Client) -> None:
    client.send(b"GET /reset HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        client.answer()


def test_refuse_resets_what_is_open_and_refuses_what_is_new(
    client: Client, application: Application, serving: Serving
) -> None:
    client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
    application.arrived.acquire(timeout=5)
    with Client(serving.port) as idle:
        idle.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.answer()
        assert serving.thread.call(serving.server.refuse) == 2
        assert serving.server.refusing
        assert application.lost == ["/hold"]
        for other in (client, idle):
            with pytest.raises(ConnectionResetError):
                other.socket.recv(1)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", serving.port), timeout=5)

    serving.thread.call(serving.server.resume)
    assert not serving.server.refusing
    with Client(serving.port) as again:
        again.send(b"GET /again HTTP/1.1\r\nHost: x\r\n\r\n")
        assert again.answer()[2] == b"GET /again  0 "


def test_refuse_right_after_resume_leaves_nothing_listening(serving: Serving) -> None:
    def flap() -> None:
        for _ in range(20):
            serving.server.refuse()
            serving.server.resume()
        serving.server.refuse()

    serving.thread.call(flap)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", serving.port), timeout=5)
    serving.thread.call(serving.server.resume)
    with Client(serving.port) as again:
        again.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert again.answer()[0] == 200


@pytest.mark.parametrize("option", [0, socket.SO_REUSEADDR])
def test_port_stays_reserved_while_refusing(serving: Serving, option: int) -> None:
    serving.thread.call(serving.server.refuse)
    with socket.socket() as stranger:
        if option:
            stranger.setsockopt(socket.SOL_SOCKET, option, 1)
        with pytest.raises(OSError) as caught:
            stranger.bind(("127.0.0.1", serving.port))
            stranger.listen()
        assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("refusing", [False, True])
def test_port_in_use_is_said(serving: Serving, application: Application, refusing: bool) -> None:
    if refusing:
        serving.thread.call(serving.server.refuse)
    second = Server(application, port=serving.port)
    try:
        with pytest.raises(PortInUseError, match=f"port {serving.port} of 127.0.0.1 is in use"):
            serving.thread.wait(second.start())
    finally:
        serving.thread.wait(second.stop())


def test_same_port_can_be_served_again_at_once(application: Application) -> None:
    with Serving(application) as first:
        with Client(first.port) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert client.answer()[0] == 200
            assert client.at_end()  # the server closed first: its side stays in TIME_WAIT
        port = first.port
    with LoopThread() as thread:
        second = Server(application, port=port)
        assert thread.wait(second.start()) == port
        thread.wait(second.stop())


def test_stop_answers_what_is_in_flight(application: Application) -> None:
    with LoopThread() as thread:
        server = Server(application)
        port = thread.wait(server.start())
        with Client(port) as client, Client(port) as idle:
            idle.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            idle.answer()
            client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
            application.arrived.acquire(timeout=5)
            stopping = asyncio.run_coroutine_threadsafe(server.stop(10), thread.loop)
            assert idle.at_end()
            thread.call(lambda: application.held[0].answer(200, b"last"))
            status, headers, body = client.answer()
            assert (status, headers["connection"], body) == (200, "close", b"last")
            stopping.result(5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_stop_gives_up_after_its_grace(application: Application) -> None:
    with LoopThread() as thread:
        server = Server(application)
        port = thread.wait(server.start())
        with Client(port) as client:
            client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
            application.arrived.acquire(timeout=5)
            thread.wait(server.stop(0.05))
            assert application.lost == ["/hold"]


def test_standard_library_client_is_content(serving: Serving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=5)
    for _ in range(2):
        connection.request("POST", "/p", body=iter([b"a", b"b"]), encode_chunked=True, headers={"A": "b"})
        assert connection.getresponse().read() == b"POST /p  2 ab"
    connection.close()


def test_runs_on_plain_asyncio_too() -> None:
    async def main() -> bytes:
        server = Server(Application())
        port = await server.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await server.stop()
        return answer

    assert asyncio.run(main()).endswith(b"GET /plain  0 ")
    assert uvloop.run(main()).endswith(b"GET /plain  0 ")


def test_all_who_wait_are_let_in_at_once() -> None:
    """A busy loop makes few steps: one connection a step would leave clients waiting for seconds."""
    waiting = 300

    async def story() -> int:
        server = Server(Application())
        port = await server.start()
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(waiting)]
        try:
            for _ in range(10):
                await asyncio.sleep(0)
            return len(server.connections)
        finally:
            for client in clients:
                client.close()
            await server.stop()

    assert uvloop.run(story()) == waiting
