"""Every fault that a proxy can have, in front of the Stripe mock: what a client sees, and what happened."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from journal.records import GatewayRequest
from mocks.faults import FAULTS, Fault, FaultPlan
from mocks.listener import reset_on_close
from mocks.proxy.call import ProxyCall
from mocks.proxy.downstream import Downstream
from tests.mocks.running import Running, stripe_payment
from tests.proxy.proxying import Exact, Origin, Proxying, call, plan, read_exactly, read_to_end

MS = 1_000_000
PAY = "/v1/payment_intents"
FORM = {"Authorization": "Bearer sk_test_1", "Content-Type": "application/x-www-form-urlencoded"}


class Faulty:
    """A proxy in front of the Stripe mock, and a fault at a time."""

    def __init__(self, mock: Running, proxying: Proxying) -> None:
        self.mock = mock
        self.proxying = proxying

    @contextmanager
    def on(self, plan: FaultPlan) -> Iterator[Fault]:
        """The fault, from its start to its stop."""
        schedule = self.proxying.service.schedule
        assert schedule is not None
        self.proxying.thread.call(lambda: schedule.add(plan))
        try:
            yield schedule.active[0]
        finally:
            self.proxying.thread.call(lambda: schedule.clear())

    @property
    def captures(self) -> int:
        return sum(movement.kind == "capture" for movement in self.mock.movements)

    def ended(self) -> bool:
        """Whether a request is over; for who is on the proxy's loop."""
        return any(isinstance(record, GatewayRequest) for record in self.proxying.writer.records)

    def last(self) -> Any:
        """The journal's last request."""
        return self.proxying.requests[-1]


@pytest.fixture(scope="module")
def running() -> Iterator[Faulty]:
    with Running("stripe") as mock, Proxying(mock.url, as_="stripe", name="stripe") as proxying:
        yield Faulty(mock, proxying)


@pytest.fixture
def faulty(running: Faulty) -> Iterator[Faulty]:
    running.mock.thread.call(running.mock.service.reset)
    running.mock.thread.call(running.mock.writer.records.clear)
    running.proxying.thread.call(running.proxying.writer.records.clear)
    yield running


def pay(
    connection: http.client.HTTPConnection, order: str = "o1", **more: object
) -> tuple[int, dict[str, str], Any]:
    """A payment, confirmed at once."""
    body = urlencode(stripe_payment(order) | more).encode()
    status, headers, answer = call(connection, "POST", PAY, body, FORM | {"Idempotency-Key": order})
    return status, headers, json.loads(answer) if answer else None


def raw_payment(order: str = "o1") -> bytes:
    body = urlencode(stripe_payment(order)).encode()
    head = f"POST {PAY} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_without_a_fault_the_journal_says_what_the_gateways_own_says(faulty: Faulty) -> None:
    connection = faulty.proxying.connection()
    pay(connection)
    pay(connection)  # the same key again
    pay(connection, "o2", payment_method="pm_card_chargeDeclined")
    call(connection, "GET", PAY, headers=FORM)
    call(connection, "POST", "/v1/nothing", b"", FORM)
    names = ["gateway", "endpoint", "status", "result", "fault", "idempotency_key", "order_id", "replayed"]
    for rows in (faulty.proxying.requests, faulty.mock.requests):
        assert all(row.answered_ns is not None and row.answered_ns >= row.received_ns for row in rows)
    seen, true = (
        [[getattr(row, name) for name in names] for row in rows]
        for rows in (faulty.proxying.requests, faulty.mock.requests)
    )
    assert seen == true and len(true) == 5


def moved_but(
    seen: Callable[[Faulty], None], fault: str, **params: Any
) -> tuple[str, dict[str, Any], Callable[[Faulty], None], int]:
    return fault, params, seen, 1


def not_moved_but(
    seen: Callable[[Faulty], None], fault: str, **params: Any
) -> tuple[str, dict[str, Any], Callable[[Faulty], None], int]:
    return fault, params, seen, 0


def status(wanted: int) -> Callable[[Faulty], None]:
    def seen(faulty: Faulty) -> None:
        got, headers, body = pay(faulty.proxying.connection())
        assert got == wanted and body["error"]["type"] == "api_error"
        assert headers["content-type"] == "application/json" and "paydrill-proxy" not in headers

    return seen


def reset(faulty: Faulty) -> None:
    with pytest.raises(ConnectionResetError):
        pay(faulty.proxying.connection())


def silence(faulty: Faulty) -> None:
    client = faulty.proxying.socket()
    client.sendall(raw_payment() + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    faulty.proxying.until(faulty.ended, "the journal says that it is lost")
    # Neither this one nor the one behind it is answered, and the connection stays open.
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(1)


def half(faulty: Faulty) -> None:
    client = faulty.proxying.socket()
    client.sendall(raw_payment())
    head, _, body = read_to_end(client).partition(b"\r\n\r\n")
    length = next(
        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    assert len(body) == length // 2


def half_then_reset(faulty: Faulty) -> None:
    client = faulty.proxying.socket()
    client.sendall(raw_payment())
    with pytest.raises(ConnectionResetError):
        read_to_end(client)


def whole(faulty: Faulty) -> None:
    got, headers, body = pay(faulty.proxying.connection())
    assert got == 200 and body["status"] == "succeeded"
    assert headers["request-id"].startswith("req_")  # the origin's headers are still there


def late(faulty: Faulty) -> None:
    began = time.monotonic()
    whole(faulty)
    assert time.monotonic() - began >= 0.06


def empty(faulty: Faulty) -> None:
    got, _, body = pay(faulty.proxying.connection())
    assert got == 200 and body is None


def malformed(faulty: Faulty) -> None:
    with pytest.raises(json.JSONDecodeError):
        pay(faulty.proxying.connection())


def contradictory(faulty: Faulty) -> None:
    got, _, body = pay(faulty.proxying.connection())
    assert got == 200 and body["status"] == "requires_payment_method"


def refused(faulty: Faulty) -> None:
    with pytest.raises(ConnectionRefusedError):
        faulty.proxying.socket()


def closes_late(faulty: Faulty) -> None:
    client = faulty.proxying.socket()
    client.sendall(raw_payment())
    assert read_to_end(client).startswith(b"HTTP/1.1 200 OK\r\n")


def over_limit(faulty: Faulty) -> None:
    connection = faulty.proxying.connection()
    assert call(connection, "GET", "/health")[0] == 200
    got, _, body = pay(connection)
    assert got == 429 and "error" in body


def stale(faulty: Faulty) -> None:
    connection = faulty.proxying.connection()
    _, _, intent = pay(connection)
    got, _, body = call(connection, "GET", f"{PAY}/{intent['id']}", headers=FORM)
    assert got == 404 and b"error" in body


CASES = [
    not_moved_but(status(503), "http_error"),
    not_moved_but(status(500), "http_error", status=500),
    not_moved_but(refused, "outage"),
    moved_but(late, "latency", add=60 * MS),
    not_moved_but(reset, "reset"),
    moved_but(reset, "reset", when="answer"),
    moved_but(half_then_reset, "reset", when="body"),
    not_moved_but(silence, "black_hole"),
    moved_but(whole, "bandwidth", rate=1e6),
    moved_but(whole, "slicer", size=200, pause=1),
    moved_but(half, "truncated_body"),
    moved_but(closes_late, "slow_close", delay=MS),
    moved_but(silence, "commit_then_lose"),
    moved_but(reset, "commit_then_lose", look="reset"),
    moved_but(status(504), "commit_then_lose", look="error"),
    not_moved_but(silence, "reject_before_commit"),
    not_moved_but(reset, "reject_before_commit", look="reset"),
    not_moved_but(status(502), "reject_before_commit", look="error", status=502),
    not_moved_but(silence, "gray_failure"),
    moved_but(empty, "empty_body"),
    moved_but(malformed, "malformed_body"),
    moved_but(contradictory, "contradictory_body"),
    not_moved_but(over_limit, "rate_limit", requests=1, per=3600 * 10**9),
    moved_but(stale, "stale_read", lag=3600 * 10**9),
]


@pytest.mark.parametrize(
    ("fault", "params", "seen", "captures"),
    CASES,
    ids=["-".join(map(str, (c[0], *c[1].values()))) for c in CASES],
)
def test_what_is_seen_and_what_happened(
    faulty: Faulty, fault: str, params: dict[str, Any], seen: Callable[[Faulty], None], captures: int
) -> None:
    with faulty.on(plan(fault, params=params)) as injected:
        seen(faulty)
        if fault != "outage":  # nobody hears of a refused connection
            assert injected.hits == 1
            faulty.proxying.until(
                lambda: any(getattr(row, "fault", "") == fault for row in faulty.proxying.writer.records),
                "the request is in the journal with its fault",
            )
    faulty.mock.until(
        lambda: sum(getattr(row, "kind", "") == "capture" for row in faulty.mock.writer.records) == captures,
        "as much money has moved as should",
    )
    # Afterwards all is as before, for a payment that has not been made yet.
    assert pay(faulty.proxying.connection(), "o2")[0] == 200
    assert faulty.captures == captures + 1
    assert faulty.last().fault == ""


TLS = {"expired_certificate", "tls_handshake_failure"}


def test_every_fault_of_a_proxy_is_held_to_what_it_does() -> None:
    assert {case[0] for case in CASES} | TLS == {name for name, kind in FAULTS.items() if not kind.inside}


@pytest.mark.parametrize("fault", [name for name, kind in FAULTS.items() if kind.inside])
def test_what_only_a_gateway_can_do_is_refused_by_name(faulty: Faulty, fault: str) -> None:
    with (
        pytest.raises(ValueError, match=f"{fault} changes what goes on inside a gateway"),
        faulty.on(plan(fault)),
    ):
        pass


def test_a_lost_answer_is_in_the_journal_with_what_was_decided(faulty: Faulty) -> None:
    with faulty.on(plan("commit_then_lose", params={"look": "reset"})):
        reset(faulty)
    row = faulty.last()
    assert (row.fault, row.status, row.answered_ns) == ("commit_then_lose", 0, None)
    assert (row.result, row.order_id, row.idempotency_key) == ("succeeded", "o1", "o1")


def test_a_decline_is_no_money_that_moved(faulty: Faulty) -> None:
    with faulty.on(plan("commit_then_lose")) as fault:
        got, _, body = pay(faulty.proxying.connection(), payment_method="pm_card_chargeDeclined")
        assert got == 402 and body["error"]["code"] == "card_declined"
        assert fault.hits == 0


def test_what_a_fault_lets_pass_unchanged_comes_back_byte_by_byte() -> None:
    answer = b"HTTP/1.1 200 Fine\r\nX-b: 1\r\nx-B:2\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n"
    exact = Exact()
    request = b"POST /a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\nabc"
    with (
        Origin(exact) as origin,
        Proxying(origin.url, faults=(plan("latency", params={"add": MS}),)) as proxying,
    ):
        expected = request.replace(b"HOST", f"127.0.0.1:{origin.port}".encode())
        exact.prepare(len(expected), answer)
        client = proxying.socket()
        for piece in (request[:20], request[20:-2], request[-2:]):
            client.sendall(piece)
        assert read_exactly(client, len(answer)) == answer
        assert exact.received == expected
        assert proxying.requests[-1].fault == "latency" and proxying.requests[-1].endpoint == "POST /a"


@pytest.mark.parametrize(
    ("match", "touched"),
    [
        ({"currency": "EUR"}, [True, False, True]),
        ({"card": "4000"}, [False, False, True]),
        ({"endpoint": "payment_intents.create", "payment_method": "card"}, [True, True, True]),
        ({"http_method": "GET"}, [False, False, False]),
    ],
)
def test_a_fault_can_be_scoped_by_what_a_body_says(
    faulty: Faulty, match: dict[str, Any], touched: list[bool]
) -> None:
    with faulty.on(plan("http_error", match=match)):
        connection = faulty.proxying.connection()
        got = [
            pay(connection, "o1")[0],
            pay(connection, "o2", currency="usd")[0],
            pay(connection, "o3", payment_method="pm_card_chargeDeclined")[0],
        ]
    assert [one == 503 for one in got] == touched


def test_a_share_is_the_same_requests_for_the_same_seed(faulty: Faulty) -> None:
    def touched() -> list[bool]:
        with faulty.on(plan("http_error", share=0.1)):
            connection = faulty.proxying.connection()
            return [call(connection, "GET", "/health")[0] == 503 for _ in range(300)]

    once = touched()
    assert once == touched()
    assert 8 <= sum(once) <= 60  # 30 expected; beyond 4 standard deviations of 5.2


def test_an_outage_ends_what_is_on_its_way_and_the_connections(faulty: Faulty) -> None:
    exact = Exact()
    with Origin(exact) as origin, Proxying(origin.url) as proxying:
        exact.prepare(1 << 30, b"")  # never answers
        client, idle = proxying.socket(), proxying.socket()
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        proxying.until(
            lambda: proxying.proxy.in_flight == 1 and len(proxying.service.server.connections) == 2,  # type: ignore[union-attr]
            "it is on its way",
        )
        schedule = proxying.service.schedule
        assert schedule is not None
        proxying.thread.call(lambda: schedule.add(plan("outage")))
        for one in (client, idle):
            with pytest.raises(ConnectionResetError):
                one.recv(1)
        with pytest.raises(ConnectionRefusedError):
            proxying.socket()
        assert schedule.active[0].hits == 3
        proxying.thread.call(lambda: schedule.clear())
        proxying.socket()
        assert proxying.requests[-1].fault == "outage"


@pytest.mark.parametrize("scope", [{}, {"endpoint": "GET /"}])
def test_a_request_that_an_outage_ends_names_what_had_touched_it_before(scope: dict[str, str]) -> None:
    exact = Exact()
    slow = plan("latency", id="f0", params={"add": 60_000 * MS})
    with Origin(exact) as origin, Proxying(origin.url, faults=(slow,)) as proxying:
        client = proxying.socket()
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        proxying.until(lambda: proxying.proxy.in_flight == 1, "it is on its way")
        schedule = proxying.service.schedule
        assert schedule is not None
        proxying.thread.call(lambda: schedule.add(plan("outage", **scope)))
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert proxying.requests[-1].fault == "latency+outage"


def test_what_a_fault_has_touched_goes_on_when_its_client_leaves(faulty: Faulty) -> None:
    with faulty.on(plan("latency", params={"add": 50 * MS})):
        client = faulty.proxying.socket()
        client.sendall(raw_payment())
        faulty.proxying.until(lambda: faulty.proxying.proxy.in_flight == 1, "it has arrived")
        reset_on_close(client)
        client.close()
        faulty.proxying.until(faulty.ended, "it is over")
    assert faulty.captures == 1
    assert (faulty.last().status, faulty.last().result) == (0, "succeeded")


def test_a_large_answer_goes_on_unchanged_past_a_fault() -> None:
    size = 9 << 20
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)

    def script(connection: socket.socket) -> None:
        while connection.recv(4096):
            connection.sendall(answer)

    with Origin(script) as origin, Proxying(origin.url, faults=(plan("empty_body"),)) as proxying:
        client = proxying.socket()
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_exactly(client, len(answer)) == answer


@pytest.mark.parametrize("fault", ["", "latency", "commit_then_lose", "black_hole", "slicer"])
def test_requests_and_connections_are_freed_without_the_collector(faulty: Faulty, fault: str) -> None:
    params = {"latency": {"add": MS}, "slicer": {"size": 500, "pause": 1}}.get(fault, {})

    def alive() -> int:
        return sum(isinstance(one, ProxyCall | Downstream) for one in gc.get_objects())

    before = faulty.proxying.thread.call(alive)
    injected = contextlib.nullcontext() if not fault else faulty.on(plan(fault, params=params))
    gc.disable()
    try:
        with injected, faulty.proxying.socket() as client:
            client.sendall(raw_payment())
            faulty.proxying.until(faulty.ended, "it is over")
            reset_on_close(client)
        faulty.proxying.until(lambda: alive() <= before, "nothing refers to them any more")
    finally:
        gc.enable()
