"""Heads and bodies: where messages end, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.proxy.body import Body, BodyError
from mocks.proxy.head import (
    CHUNKED,
    UNTIL_CLOSE,
    HeadError,
    addressed,
    fields,
    read_request,
    read_response,
)


def request(*lines: bytes, method: bytes = b"POST", version: bytes = b"1.1") -> bytes:
    return b"%s /x HTTP/%s\r\n" % (method, version) + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def response(*lines: bytes, status: int = 200, version: bytes = b"1.1") -> bytes:
    return b"HTTP/%s %d OK\r\n" % (version, status) + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\nContent-Length: 5\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\rContent-Length: 5\r\n\r\n", 400),
        (request(b"A: b", b" folded"), 400),
        (request(b"A: b", b"\tContent-Length: 4"), 400),
        (request(b"Content-Length : 4"), 400),
        (request(b"Content-Length: 4", b"content-length: 5"), 400),
        (request(b"Content-Length: 4, 4"), 400),
        (request(b"Content-Length: +4"), 400),
        (request(b"Content-Length: -4"), 400),
        (request(b"Content-Length: 0x4"), 400),
        (request(b"Content-Length:"), 400),
        (request(b"Content-Length: 4", b"Transfer-Encoding: chunked"), 400),
        (request(b"Transfer-Encoding: chunked", version=b"1.0"), 400),
        (request(b"Transfer-Encoding: gzip, chunked"), 501),
        (request(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 501),
        (request(b"Transfer-Encoding: identity"), 501),
        (request(b"Host: a", b"host: a"), 400),
        (request(b"Host: a", method=b"CONNECT"), 405),
    ],
)
def test_what_could_be_misread_is_refused(raw: bytes, status: int) -> None:
    with pytest.raises(HeadError) as raised:
        read_request(raw)
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("raw", "length", "stays"),
    [
        (request(), 0, True),
        (request(b"Content-Length: 4", b"Content-Length: 4"), 4, True),
        (request(b"TRANSFER-encoding:\tChunked "), CHUNKED, True),
        (request(b"Connection: close"), 0, False),
        (request(b"Connection: keep-alive, CLOSE"), 0, False),
        (request(version=b"1.0"), 0, False),
        (request(b"Connection: Keep-Alive", version=b"1.0"), 0, True),
        (request(b"X-Content-Length: 4", b"Not-Connection: close"), 0, True),
    ],
)
def test_requests(raw: bytes, length: int, stays: bool) -> None:
    head = read_request(raw)
    assert (head.length, head.stays, head.method, head.target) == (length, stays, b"POST", b"/x")


@pytest.mark.parametrize(
    ("raw", "method", "length", "stays"),
    [
        (response(b"Content-Length: 4"), b"GET", 4, True),
        (response(b"Content-Length: 4"), b"HEAD", 0, True),
        (response(b"Transfer-Encoding: chunked"), b"HEAD", 0, True),
        (response(b"Content-Length: 4", status=304), b"GET", 0, True),
        (response(status=204), b"GET", 0, True),
        (response(status=100), b"GET", 0, True),
        (response(b"Transfer-Encoding: chunked"), b"GET", CHUNKED, True),
        (response(), b"GET", UNTIL_CLOSE, False),
        (response(b"Content-Length: 4", version=b"1.0"), b"GET", 4, False),
        (response(b"Content-Length: 4", b"Connection: keep-alive", version=b"1.0"), b"GET", 4, True),
        (response(b"Content-Length: 4", b"Connection: close"), b"GET", 4, False),
    ],
)
def test_answers(raw: bytes, method: bytes, length: int, stays: bool) -> None:
    head = read_response(raw, method, request_stays=True)
    assert (head.length, head.stays) == (length, stays)
    assert not read_response(raw, method, request_stays=False).stays


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"200 OK\r\n\r\n",
        response(b"Content-Length: 4", b"Content-Length: 5"),
        response(b"Content-Length: 4", b"Transfer-Encoding: chunked"),
        response(b"Transfer-Encoding: gzip"),
        response(b"A: b", b" folded"),
    ],
)
def test_answers_that_are_none(raw: bytes) -> None:
    with pytest.raises(HeadError):
        read_response(raw, b"GET", request_stays=True)


def test_only_the_value_of_host_is_replaced() -> None:
    raw = request(b"x:1", b"hOsT:   some.where:80\t", b"X-Host: some.where:80")
    assert addressed(read_request(raw), b"api.test") == raw.replace(
        b"hOsT:   some.where:80", b"hOsT:   api.test"
    )
    assert addressed(read_request(request(version=b"1.0")), b"api.test") == request(version=b"1.0")


def test_fields_are_all_there() -> None:
    assert fields(request(b"A:1", b"a:  2 ", b"B:", b"c: x: y")) == [
        ("A", "1"),
        ("a", "2"),
        ("B", ""),
        ("c", "x: y"),
    ]


CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
EXTENSIONS = st.sampled_from([b"", b";a", b' ; name="x y"', b";a=b;c"])
TRAILERS = st.lists(st.sampled_from([b"X-A: 1\r\n", b"x-b: 2\r\n"]), max_size=2).map(b"".join)


@given(CHUNKS, EXTENSIONS, TRAILERS, st.binary(max_size=20), st.lists(st.integers(0, 300), max_size=5))
def test_chunks_end_where_they_end(
    chunks: list[bytes], extension: bytes, trailers: bytes, rest: bytes, cuts: list[int]
) -> None:
    body = b"".join(b"%X%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    body += b"000%s\r\n" % extension + trailers + b"\r\n"
    stream = body + rest
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    found = Body(CHUNKED, keep=True)
    taken = 0
    for start, end in pairwise(places):
        assert found.whole == (taken == len(body))
        if not found.whole:
            taken += found.feed(stream[start:end])
    assert found.whole and taken == len(body)
    assert b"".join(found.data or ()) == b"".join(chunks)


@given(st.binary(max_size=60), st.integers(0, 50), st.integers(1, 7))
def test_a_length_ends_where_it_says(stream: bytes, length: int, step: int) -> None:
    body = Body(length, keep=True)
    taken = 0
    for start in range(0, len(stream), step):
        if not body.whole:
            taken += body.feed(stream[start : start + step])
    assert taken == min(length, len(stream))
    assert body.whole == (length <= len(stream))
    assert b"".join(body.data or ()) == stream[:length]


@pytest.mark.parametrize(
    "stream",
    [
        b"\r\n",
        b"x\r\n",
        b"5\nhello\r\n",
        b"5\r\nhelloX\r\n",
        b"-1\r\n",
        b"0x5\r\n",
        b"5 5\r\n",
        b"1" * 20_000,
    ],
)
def test_what_are_no_chunks(stream: bytes) -> None:
    with pytest.raises(BodyError):
        Body(CHUNKED).feed(stream)


def test_a_body_until_the_end_never_ends_by_itself() -> None:
    body = Body(UNTIL_CLOSE)
    assert body.feed(b"abc") == 3 and body.feed(b"def") == 3 and not body.whole and body.until_close
