"""Clients that take for ever, stop half-way, or close their side first."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from mocks import connection
from mocks.exchange import Exchange
from tests.mocks.serving import Serving

REQUEST = b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"


class Holding:
    """Answers at once, except for paths that start with ``/hold``."""

    def __init__(self) -> None:
        self.held: list[Exchange] = []
        self.arrived = threading.Semaphore(0)
        self.told = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        if exchange.request.path.startswith("/hold"):
            exchange.on_lost = self.told.set
            self.held.append(exchange)
            self.arrived.release()
        else:
            exchange.answer(200, exchange.request.body)


@pytest.fixture
def holding() -> Holding:
    return Holding()


@pytest.fixture
def serving(holding: Holding) -> Iterator[Serving]:
    with Serving(holding) as serving:
        yield serving


@pytest.fixture
def client(serving: Serving) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as client:
        yield client


def everything(client: socket.socket) -> bytes:
    """What comes until the server closes."""
    got = b""
    while piece := client.recv(65536):
        got += piece
    return got


@pytest.mark.parametrize(
    "begun",
    [
        b"G",
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 20_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_a_request_that_never_ends_is_answered_408(
    monkeypatch: pytest.MonkeyPatch, client: socket.socket, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "ARRIVAL_LIMIT", 0.1)
    monkeypatch.setattr(connection, "LINGER", 0.05)
    client.sendall(begun)
    got = everything(client)
    assert got.startswith(b"HTTP/1.1 408 ") and b"connection: close" in got


def test_a_byte_at_a_time_does_not_put_the_limit_off(
    monkeypatch: pytest.MonkeyPatch, client: socket.socket
) -> None:
    monkeypatch.setattr(connection, "ARRIVAL_LIMIT", 0.2)
    client.sendall(b"GET /")
    client.settimeout(0.01)
    got = b""
    # Far more bytes than any pace could bring in before the limit: what counts is the first byte's time.
    for _ in range(10_000):
        try:
            client.sendall(b"a")
        except OSError:
            break
        try:
            got += client.recv(65536)
        except TimeoutError:
            continue
        break
    assert got.startswith(b"HTTP/1.1 408 ")


def test_the_limit_is_that_of_one_request_and_not_of_the_connection(
    monkeypatch: pytest.MonkeyPatch, client: socket.socket, serving: Serving
) -> None:
    monkeypatch.setattr(connection, "ARRIVAL_LIMIT", 3600.0)
    whole = REQUEST % b"now"
    for place in range(1, len(whole), 7):
        client.sendall(whole[:place])
        client.sendall(whole[place:])
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    (kept,) = serving.thread.call(lambda: tuple(serving.server.connections))
    assert serving.thread.call(lambda: kept._late) is None, "no timer is left of a request that has come"


def test_a_whole_request_costs_no_timer(client: socket.socket, serving: Serving, holding: Holding) -> None:
    client.sendall(REQUEST % b"hold")
    assert holding.arrived.acquire(timeout=10)
    (kept,) = serving.thread.call(lambda: tuple(serving.server.connections))
    assert serving.thread.call(lambda: kept._late) is None


def test_a_connection_may_rest_between_requests(
    monkeypatch: pytest.MonkeyPatch, serving: Serving, client: socket.socket
) -> None:
    monkeypatch.setattr(connection, "ARRIVAL_LIMIT", 0.05)
    client.sendall(REQUEST % b"first")
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as slow:
        slow.sendall(b"GET")
        assert everything(slow).startswith(b"HTTP/1.1 408 "), "more than the limit has passed"
    client.sendall(REQUEST % b"second")
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_who_closes_the_sending_side_still_gets_all_answers(
    client: socket.socket, serving: Serving, holding: Holding
) -> None:
    client.sendall(REQUEST % b"hold-1" + REQUEST % b"hold-2" + b"POST /never")
    client.shutdown(socket.SHUT_WR)
    for _ in range(2):
        assert holding.arrived.acquire(timeout=10)
    second, first = holding.held[1], holding.held[0]
    assert serving.thread.call(lambda: second.answer(200, b"two"))
    assert serving.thread.call(lambda: first.answer(200, b"one"))
    got = everything(client)
    assert got.count(b"HTTP/1.1 200 ") == 2 and got.index(b"one") < got.index(b"two")
    assert not holding.told.is_set()


def test_who_has_closed_is_given_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch, client: socket.socket, holding: Holding
) -> None:
    monkeypatch.setattr(connection, "HALF_CLOSED_LIMIT", 0.05)
    client.sendall(REQUEST % b"hold")
    assert holding.arrived.acquire(timeout=10)
    client.shutdown(socket.SHUT_WR)
    assert holding.told.wait(10) and everything(client) == b""


def test_who_closes_without_a_request_is_closed_at_once(client: socket.socket) -> None:
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b""
