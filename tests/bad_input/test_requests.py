"""What is hardly HTTP, at every gateway: refused in the gateway's own words, and the next caller is served."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocks import connection
from mocks.connection import BODY_LIMIT, HEAD_LIMIT
from tests.bad_input.doors import Inside
from tests.bad_input.wire import Wire

START = b"POST /payments HTTP/1.1\r\nHost: x\r\n"

REFUSED: tuple[tuple[bytes, int], ...] = (
    (b"\0\0\0\0", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    (b"nonsense\r\n\r\n", 400),
    (b"GET\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n: no name\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA B: space in the name\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 400),
    (START + b"Content-Length: -1\r\n\r\n", 400),
    (START + b"Content-Length: 1e3\r\n\r\n", 400),
    (START + b"Content-Length: 5, 6\r\n\r\n", 400),
    (START + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    (START + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", 400),
    (START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (START + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (START + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n", 400),
    (START + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", 400),
    (START + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n", 400),
    (START + b"Content-Length: %d\r\n\r\n" % (BODY_LIMIT + 1), 413),
    (START + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (2 * BODY_LIMIT) + b"a" * 2 * BODY_LIMIT, 413),
    (b"GET /" + b"a" * HEAD_LIMIT + b" HTTP/1.1\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + b"a" * HEAD_LIMIT + b": b\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + b"X-Flood: 1234567890\r\n" * 5000 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nX: " + b"a" * 20 * HEAD_LIMIT, 431),
)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused client closes at once here; nobody has to be waited for."""
    monkeypatch.setattr(connection, "LINGER", 0.05)


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_request_is_refused_in_the_gateways_words(gateway: Inside, number: int) -> None:
    sent, status = REFUSED[number]
    wire = Wire(gateway.running.port)
    try:
        wire.send(sent)
        answer = wire.answer()
    finally:
        wire.close()
    assert answer.status == status and answer.headers["connection"] == "close", answer
    gateway.check(answer)
    gateway.still_works()


def test_a_request_that_never_ends_is_refused_in_the_gateways_words(
    gateway: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ARRIVAL_LIMIT", 0.05)
    for begun in (b"GET", START + b"Content-Length: 10\r\n\r\nabc"):
        wire = Wire(gateway.running.port)
        try:
            wire.send(begun)
            answer = wire.answer()
        finally:
            wire.close()
        assert answer.status == 408
        gateway.check(answer)
    monkeypatch.setattr(connection, "ARRIVAL_LIMIT", 30.0)
    gateway.still_works()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_bytes(gateway: Inside, data: st.DataObject) -> None:
    """Pieces of requests, put together as they come."""
    pieces = st.sampled_from(
        [
            b"GET ",
            b"POST ",
            b"/payments",
            b"/v1/payment_intents",
            b" HTTP/1.1\r\n",
            b"Host: x\r\n",
            b"Content-Length: 3\r\n",
            b"Content-Length: 0\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Connection: close\r\n",
            b"Connection: upgrade\r\nUpgrade: websocket\r\n",
            b"Expect: 100-continue\r\n",
            b"\r\n",
            b"0\r\n\r\n",
            b"3\r\nabc\r\n",
            b"abc",
        ]
    )
    sent = b"".join(data.draw(st.lists(pieces | st.binary(max_size=6), max_size=12)))
    wire = Wire(gateway.running.port)
    try:
        wire.send(sent + b"\r\n\r\n")
        wire.end()
        while True:
            gateway.check(wire.answer())
    except (EOFError, ConnectionResetError):
        pass
    finally:
        wire.close()


def test_after_any_bytes_it_still_works(gateway: Inside) -> None:
    gateway.still_works()


def good(gateway: Inside) -> tuple[bytes, bytes]:
    """Head without a length, and body, of a request that every gateway knows to be wrong in content only."""
    method, path, _ = next(target for target in gateway.door.targets if target[0] == "POST")
    target = path.replace("*", gateway.known[0])
    lines = [f"{method} {target} HTTP/1.1", "Host: x"]
    lines += [f"{name}: {value}" for name, value in gateway.headers.items()]
    return "\r\n".join(lines).encode(), gateway.door.encode({"nonsense": "x"})


def test_a_body_in_chunks_means_the_same(gateway: Inside) -> None:
    head, body = good(gateway)
    gateway.wire.send(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    whole = gateway.wire.answer()
    chunks = b"".join(b"1;ext=x\r\n%c\r\n" % byte for byte in body)
    gateway.wire.send(head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nTrailer: x\r\n\r\n")
    chunked = gateway.wire.answer()
    assert whole.status == chunked.status >= 400
    gateway.check(chunked)


def test_requests_in_one_piece_are_answered_in_order(gateway: Inside) -> None:
    head, body = good(gateway)
    bad = head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    health = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    gateway.wire.send((bad + health) * 100 + b"NONSENSE\r\n\r\n" + health)
    for _ in range(100):
        refused, healthy = gateway.wire.answer(), gateway.wire.answer()
        gateway.check(refused)
        assert refused.status >= 400 and healthy.status == 200
    last = gateway.wire.answer()
    gateway.check(last)
    assert last.status == 400
    gateway.still_works()


def test_a_byte_at_a_time_is_slow_but_well(gateway: Inside) -> None:
    head, body = good(gateway)
    sent = head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for place in range(len(sent)):
        gateway.wire.send(sent[place : place + 1])
    answer = gateway.wire.answer()
    gateway.check(answer)
    assert answer.status >= 400


def test_who_closes_the_sending_side_is_answered(gateway: Inside) -> None:
    wire = Wire(gateway.running.port)
    try:
        head, body = good(gateway)
        wire.send(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wire.end()
        answer = wire.answer()
    finally:
        wire.close()
    gateway.check(answer)
    assert answer.status >= 400


def test_the_largest_body_is_read_and_refused_for_what_it_says(gateway: Inside) -> None:
    head, _ = good(gateway)
    filler = b"a" * (BODY_LIMIT - 100)
    json_body = json.dumps({"nonsense": filler.decode()}).encode()
    body = json_body if gateway.door.content_type == "application/json" else b"nonsense=" + filler
    gateway.wire.send(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = gateway.wire.answer()
    gateway.check(answer)
    assert 400 <= answer.status < 413 or answer.status == 422
    gateway.still_works()
