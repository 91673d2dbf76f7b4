"""Answers are read the same however they are cut, and whether their head was seen before or not."""

from __future__ import annotations

from itertools import pairwise

import gevent
import pytest
from gevent import socket
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.wire import Answer
from scenarios.wire.answer import HEADS, Heads, MalformedError, Reader
from tests.scenarios.serving import answer, request_of, serving


def read(*segments: bytes, closed: bool = False) -> tuple[Answer | None, bool] | str:
    """What a reader makes of an answer that comes in these segments, and whether its connection can be used
    again; or why it is none."""
    reader = Reader()
    try:
        for segment in segments:
            if segment:
                reader.feed(segment)
        if closed:
            reader.close()
    except MalformedError as error:
        return str(error)
    return reader.answer, reader.reusable


bodies = st.binary(max_size=60)
statuses = st.sampled_from(["200 OK", "201 Created", "402 Payment Required", "204 No Content", "503 Nope"])
headers = st.lists(
    st.sampled_from(
        [
            b"Connection: close\r\n",
            b"Connection: keep-alive\r\n",
            b"connection: Upgrade\r\nUpgrade: h2c\r\n",
            b"Content-Type: application/json\r\n",
            b"X-Id: 1\r\n",
            b"Transfer-Encoding: gzip\r\n",
            b"Content-Length: 3\r\n",
        ]
    ),
    max_size=2,
)


@st.composite
def raw_answers(draw: st.DrawFn) -> bytes:
    """Answers of many kinds, most of them whole, some of them not HTTP at all."""
    version = draw(st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "FTP/1.1"]))
    status, body, more = draw(statuses), draw(bodies), b"".join(draw(headers))
    before = draw(st.sampled_from([b"", b"", b"", b"\r\n", b"\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    after = draw(st.sampled_from([b"", b"", b"", b"\r\n", b"x", b"HTTP/1.1 200 OK\r\n"]))
    framing = draw(st.sampled_from(["length", "length", "chunked", "none", "short"]))
    head = f"{version} {status}\r\n".encode() + more
    if framing == "chunked":
        chunks = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return before + head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n" + after
    if framing == "none":
        return before + head + b"\r\n" + body
    length = len(body) + (framing == "short")
    return before + head + b"Content-Length: %d\r\n\r\n" % length + body + after


@settings(max_examples=120)
@given(raw_answers(), st.lists(st.integers(0, 200), max_size=6), st.booleans())
def test_any_cut_of_any_answer_is_read_the_same(raw: bytes, cuts: list[int], closed: bool) -> None:
    marks = sorted({0, *(min(cut, len(raw)) for cut in cuts), len(raw)})
    whole = read(raw, closed=closed)
    in_pieces = read(*(raw[begin:end] for begin, end in pairwise(marks)), closed=closed)
    if isinstance(whole, str) or isinstance(in_pieces, str):
        assert in_pieces == whole
        return
    assert in_pieces[0] == whole[0]
    # Cut right behind an answer, what follows it comes later: when the connection is idle, and ends it.
    assert in_pieces[1] >= whole[1]


@settings(max_examples=120)
@given(st.lists(raw_answers(), max_size=4), raw_answers(), st.booleans())
def test_an_answer_under_a_known_head_is_what_the_parser_makes_of_it(
    before: list[bytes], raw: bytes, other_body: bool
) -> None:
    heads = Heads()
    for one in (*before, raw):
        reader = Reader()
        try:
            reader.feed(one)
        except MalformedError:
            continue
        if reader.answer is not None and reader.plain:
            heads.learn(one, reader.answer)
    if other_body:
        head, _, body = raw.partition(b"\r\n\r\n")
        raw = head + b"\r\n\r\n" + bytes(255 - byte for byte in body)
    quick = heads.whole(raw)
    if quick is not None:
        assert read(raw) == (quick, True)


def test_a_plain_answer_is_known_by_its_head_the_second_time() -> None:
    heads = Heads()
    first, second = answer(b"one"), answer(b"two")
    assert heads.whole(first) is None
    reader = Reader()
    reader.feed(first)
    assert reader.plain
    assert reader.answer == Answer(201, b"one")
    heads.learn(first, reader.answer)
    assert heads.whole(second) == Answer(201, b"two")
    assert heads.whole(second + b"x") is None
    assert heads.whole(second[:-1]) is None


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"hi", more=b"Connection: close\r\n"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"hi"),
        answer(b"hi") + b"x",
    ],
)
def test_no_other_head_is_taken_for_plain(raw: bytes) -> None:
    reader = Reader()
    reader.feed(raw)
    assert reader.answer is not None
    assert not reader.plain


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n"])
def test_an_answer_behind_empty_lines_teaches_nothing(before: bytes) -> None:
    heads = Heads()
    reader = Reader()
    reader.feed(before + answer(b"hi"))
    assert reader.answer == Answer(201, b"hi")
    heads.learn(before + answer(b"hi"), reader.answer)
    for raw in (before + answer(b"hi"), b"\r\n\r\nhi", b"\r\n\r\n" + answer(b"hi")):
        assert heads.whole(raw) is None


def test_heads_that_never_come_again_do_not_fill_the_memory() -> None:
    heads = Heads()
    for number in range(3 * HEADS):
        heads.learn(answer(b"", more=b"X-Id: %d\r\n" % number), Answer(201, b""))
    assert len(heads._known) <= HEADS


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", (Answer(200, b"to the end"), False)),
        (b"HTTP/1.0 200 OK\r\n\r\n", (Answer(200, b""), False)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", (Answer(200, b"abc"), False)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n", (None, False)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", (None, False)),
        (b"HTTP/1.1 200 OK\r\nX: 1\r\n", (None, False)),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", (None, False)),
        (b"", (None, False)),
    ],
)
def test_the_end_of_the_connection_ends_only_an_answer_without_a_length(
    raw: bytes, expected: tuple[Answer | None, bool]
) -> None:
    assert read(raw, closed=True) == expected
    assert read(*(raw[at : at + 1] for at in range(len(raw))), closed=True) == expected


@settings(max_examples=15)
@given(bodies, st.lists(st.integers(1, 40), max_size=8), st.booleans())
def test_any_cut_over_a_socket_is_the_same_answer(body: bytes, cuts: list[int], chunked: bool) -> None:
    def handler(connection: socket.socket) -> None:
        while request_of(connection):
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

    with serving(handler) as (wire, connections):
        for _ in range(2):
            assert wire.post("/", b"{}", {}, 5) == Answer(200, body)
        assert len(connections) == 1
