"""The client against peers that misbehave on real sockets: what was surely never sent, what may have been."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mocks.http import Exchange, Server
from mocks.outbound import (
    Answer,
    AnswerTimeoutError,
    Call,
    Client,
    LostError,
    NeverSentError,
    OutboundError,
)
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


def test_a_callback_is_told_once_and_never_at_once() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await request(reader)
            if b"/silent" in head:
                await asyncio.sleep(30)
            if b"/lost" in head:
                return
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async def story(client: Client) -> None:
        told: list[Answer | OutboundError] = []

        async def send(path: str, timeout_ns: int = 20 * SECOND) -> Answer | OutboundError:
            before = len(told)
            client.send(Call("GET", path), timeout_ns, told.append)
            assert len(told) == before
            await eventually(lambda: len(told) > before)
            return told[-1]

        for _ in range(2):  # over a new connection, and over the one that was kept
            answer = await send("/")
            assert isinstance(answer, Answer) and answer.body == b"ok"
        assert len(client._open) == 1
        assert isinstance(await send("/lost"), LostError)
        assert isinstance(await send("/silent", SECOND // 20), AnswerTimeoutError)
        await send("/")
        client.send(Call("GET", "/silent"), 20 * SECOND, told.append)  # over the connection that is there
        client.send(Call("GET", "/silent"), 20 * SECOND, told.append)  # over one that is to be made
        await client.close()
        await eventually(lambda: len(told) == 7)
        assert all(isinstance(one, OutboundError) for one in told[5:])
        assert isinstance(await send("/"), NeverSentError)
        assert client.under_way == 0 and len(told) == 8

    with_peer(peer, story)


def test_a_callback_that_sends_again_does_not_get_the_spare_answer() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await request(reader)
            if b"/first" in head:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1" * 2)
            else:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2")

    async def story(client: Client) -> None:
        told: list[Answer | OutboundError] = []

        def again(outcome: Answer | OutboundError) -> None:
            told.append(outcome)
            client.send(Call("GET", "/second"), SECOND, told.append)

        client.send(Call("GET", "/first"), SECOND, again)
        await eventually(lambda: len(told) == 2)
        assert [one.body for one in told if isinstance(one, Answer)] == [b"1", b"2"]

    with_peer(peer, story)


def test_each_call_has_its_own_time_out() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story(client: Client) -> None:
        ended: list[int] = []

        async def call(hundredths: int) -> None:
            with pytest.raises(AnswerTimeoutError):
                await client.call(GET, hundredths * SECOND // 100)
            ended.append(hundredths)

        await asyncio.gather(*(call(hundredths) for hundredths in (60, 10, 85, 35)))
        assert ended == [10, 35, 60, 85] and not client._open

    with_peer(peer, story)


def test_who_was_late_itself_does_not_call_the_peer_silent() -> None:
    """The answer is there when the loop comes back; the time-out is over then, too."""
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.create_server(("127.0.0.1", 0)) as listening:

        def peer() -> None:
            with listening.accept()[0] as connection:
                while connection.recv(65536):
                    time.sleep(0.05)  # in time, and in the middle of the stall
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

        async def story() -> None:
            client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", connect_timeout_ns=SECOND // 10)
            asyncio.get_running_loop().add_reader(theirs, stall)
            try:
                for limit_ns in (SECOND, SECOND // 10):  # for connecting; for the answer, when connected
                    call = asyncio.create_task(client.call(GET, limit_ns))
                    await asyncio.sleep(0)
                    ours.send(b"x")  # the loop is kept busy while it reads, and sees to its timers next
                    assert (await call).status == 200
            finally:
                asyncio.get_running_loop().remove_reader(theirs)
                await client.close()

        def stall() -> None:
            theirs.recv(1)
            time.sleep(0.4)

        answering = threading.Thread(target=peer, daemon=True)
        answering.start()
        run(story())
        answering.join(10)
