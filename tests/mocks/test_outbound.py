"""The client against peers that misbehave on real sockets: what was surely never sent, what may have been."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mocks.http import Exchange, Server
from mocks.outbound import AnswerTimeoutError, Call, Client, LostError, NeverSentError
from tests.platform.rig import eventually, run

SECOND = 1_000_000_000
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def with_peer(peer: Peer, story: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def whole() -> None:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await peer(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(served, "127.0.0.1", 0)
        client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", **options)
        try:
            await story(client)
        finally:
            await client.close()
            server.close()

    run(whole())


async def request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def rst(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


GET = Call("GET", "/")


def test_calls_reuse_one_connection_and_carry_what_they_should() -> None:
    seen: list[bytes] = []
    connections = 0

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            head = await request(reader)
            body = await reader.readexactly(3) if b"POST" in head else b""
            seen.append(head + body)
            writer.write(b"HTTP/1.1 200 OK\r\nX-A: 1\r\ncontent-length: 2\r\n\r\nok")

    async def story(client: Client) -> None:
        answer = await client.call(Call("POST", "/a?b=c", (("idempotency-key", "k"),), b"abc"), SECOND)
        assert (answer.status, answer.headers["x-a"], answer.body) == (200, "1", b"ok")
        await client.call(GET, SECOND)
        assert connections == 1
        assert seen[0].startswith(b"POST /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:")
        assert b"idempotency-key: k\r\n" in seen[0] and b"content-length: 3\r\n\r\nabc" in seen[0]
        assert b"content-length" not in seen[1]

    with_peer(peer, story)


def test_nobody_listens() -> None:
    async def story() -> None:
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            client = Client(f"http://127.0.0.1:{reserved.getsockname()[1]}")
            with pytest.raises(NeverSentError):
                await client.call(GET, SECOND)
            assert client.under_way == 0

    run(story())


def test_an_idle_connection_that_the_peer_closed_is_never_used() -> None:
    async def story() -> None:
        answered = 0

        def application(exchange: Exchange) -> None:
            nonlocal answered
            answered += 1
            exchange.answer(200, b"{}")

        server = Server(application)
        client = Client(f"http://127.0.0.1:{await server.start()}")
        await client.call(GET, SECOND)
        server.refuse()
        await eventually(lambda: not client._open)
        with pytest.raises(NeverSentError):
            await client.call(GET, SECOND)
        server.resume()
        await client.call(GET, SECOND)
        assert answered == 2
        await client.close()
        await server.stop()

    run(story())


@pytest.mark.parametrize(
    "last_words",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"220 mail.example.test ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    ],
)
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_connection_that_ends_after_sending_is_lost(last_words: bytes, how: str) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(last_words)
        await writer.drain()
        if how == "reset":
            rst(writer)

    async def story(client: Client) -> None:
        with pytest.raises(LostError):
            await client.call(GET, 5 * SECOND)
        assert client.under_way == 0 and not client._idle

    with_peer(peer, story)


def test_silence_is_a_timeout_and_its_late_answer_is_nobodys() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await request(reader)
        if b"/slow" in head:
            await asyncio.sleep(0.2)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n" + (b"slow" if b"/slow" in head else b"fast")
        )
        await request(reader)

    async def story(client: Client) -> None:
        with pytest.raises(AnswerTimeoutError):
            await client.call(Call("GET", "/slow"), SECOND // 20)
        assert (await client.call(Call("GET", "/fast"), SECOND)).body == b"fast"

    with_peer(peer, story)


def test_a_cancelled_call_does_not_leave_its_answer_to_the_next() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await request(reader)
            if b"/slow" in head:
                await asyncio.sleep(5)
            name = b"slow" if b"/slow" in head else b"fast"
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n" + name)

    async def story(client: Client) -> None:
        call = asyncio.create_task(client.call(Call("GET", "/slow"), 20 * SECOND))
        await eventually(lambda: bool(client._open))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await eventually(lambda: not client._open, within=4)  # and not by its late answer
        assert (await client.call(Call("GET", "/fast"), SECOND)).body == b"fast"

    with_peer(peer, story)


def test_an_answer_nobody_asked_for_ends_the_connection() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2")

    async def story(client: Client) -> None:
        for _ in range(3):
            # When the spare answer is seen only after the next call was sent, that one's fate is unknown.
            with contextlib.suppress(LostError):
                assert (await client.call(GET, SECOND)).body == b"1"
            await asyncio.sleep(0.01)

    with_peer(peer, story)


def test_connection_close_is_honoured() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")

    async def story(client: Client) -> None:
        for _ in range(3):
            assert (await client.call(GET, SECOND)).status == 503
            assert not client._idle

    with_peer(peer, story)


def test_an_endless_answer_is_cut_off() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n")
        for _ in range(200):
            writer.write(b"x" * 65536)
            await writer.drain()

    async def story(client: Client) -> None:
        with pytest.raises(LostError, match="too large"):
            await client.call(GET, 10 * SECOND)

    with_peer(peer, story)


def test_over_the_limit_nothing_is_sent() -> None:
    arrived = 0

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal arrived
        await request(reader)
        arrived += 1
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await request(reader)

    async def story(client: Client) -> None:
        calls = [asyncio.create_task(client.call(GET, SECOND)) for _ in range(3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(result, NeverSentError) for result in results) == 1 and arrived == 2

    with_peer(peer, story, limit=2)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1", "127.0.0.1:80", "http://", "http://h/path", "ftp://h"]
)
def test_urls_that_are_no_peer(url: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        Client(url)
