"""The platform that a load worker is measured against."""

import asyncio
import json
import socket
import time

import pytest

from journal.clock import SECOND, Clock
from mocks.approving_platform import ApprovingPlatform

ASKED = json.dumps({"order_id": "run-7", "amount_minor": 1290, "currency": "EUR"}).encode()


async def exchange(port: int, requests: list[bytes]) -> list[bytes]:
    """Bodies of the answers to requests on one connection, which is open until all are there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        bodies = []
        for request in requests:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line
            )
            bodies.append(head.split(b"\r\n")[0] + b" " + await reader.readexactly(length))
        return bodies
    finally:
        writer.close()


def post(body: bytes) -> bytes:
    return b"POST /payments HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


GET_COUNTS = b"GET /counts HTTP/1.1\r\nHost: x\r\n\r\n"


def test_it_approves_what_is_asked_and_counts_bytes_and_segments() -> None:
    async def play() -> None:
        platform = ApprovingPlatform()
        ready = await platform.start({})
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", ready["port"])
            try:
                answered = 0
                for _ in range(3):
                    writer.write(post(ASKED))
                    head = await reader.readuntil(b"\r\n\r\n")
                    assert head.startswith(b"HTTP/1.1 201")
                    body = await reader.readuntil(b"}")
                    answered += len(head) + len(body)
                    assert json.loads(body) == {
                        "id": "pay_run-7", "order_id": "run-7", "amount_minor": 1290, "currency": "EUR",
                        "status": "succeeded", "gateway": "approving", "reference": "ref_run-7",
                    }  # fmt: skip
                (line,) = await exchange(ready["counts_port"], [GET_COUNTS])
                counts = json.loads(line.split(b" ", 3)[3])
                assert (counts["in_flight"], counts["connections"], counts["payments"]) == (0, 1, 3)
                # The last answer may not be acknowledged yet; Linux counts the handshake as one byte.
                sent = 3 * len(post(ASKED))
                assert sent + answered * 2 / 3 <= counts["bytes"] <= sent + answered + 2
                assert counts["segments"] >= 6
            finally:
                writer.close()
        finally:
            await platform.stop()

    asyncio.run(play())


def test_answers_take_as_long_as_the_plan_says_from_then_on() -> None:
    async def play() -> None:
        platform = ApprovingPlatform()
        ready = await platform.start({"delays": [[0, 0], [1 * SECOND, 60 * SECOND]]})
        try:
            platform.go(Clock(time.monotonic_ns()), None)
            assert (await exchange(ready["port"], [post(ASKED)]))[0].startswith(b"HTTP/1.1 201")
            platform.go(Clock(time.monotonic_ns() - 2 * SECOND), None)
            with socket.create_connection(("127.0.0.1", ready["port"])) as waiting:
                waiting.sendall(post(ASKED))
                for _ in range(1000):
                    (line,) = await exchange(ready["counts_port"], [GET_COUNTS])
                    if (counts := json.loads(line.split(b" ", 3)[3]))["in_flight"]:
                        break
                assert counts["in_flight"] == 1
        finally:
            await platform.stop()

    asyncio.run(play())


def test_delays_out_of_order_are_refused() -> None:
    async def play() -> None:
        with pytest.raises(ValueError, match="in the order of their times"):
            await ApprovingPlatform().start({"delays": [[5, 0], [1, 0]]})

    asyncio.run(play())
