"""A client that makes Stripe payments over keep-alive connections as fast as they are answered."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from benchmarks.payment_requests import confirm, create

_LENGTH = b"content-length: "


class _Payer(asyncio.Protocol):
    """One connection: create, confirm, and again; one request at a time, with a new key each."""

    def __init__(self, name: str, until: float) -> None:
        self.answers = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._name = name
        self._until = until
        self._sent = 0
        self._created = False
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._create()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        place = self._buffer.find(_LENGTH, 0, head) + len(_LENGTH)
        end = head + 4 + int(self._buffer[place : self._buffer.index(b"\r", place)])
        if len(self._buffer) < end:
            return
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            self._fail(RuntimeError(f"answered {self._buffer[:300]!r}"))
            return
        body = self._buffer[head + 4 : end]
        self._buffer = b""
        self.answers += 1
        if not self._created:
            self._created = True
            self._write(confirm(body, f"{self._name}-{self._sent}"))
            return
        if b'"succeeded"' not in body:
            self._fail(RuntimeError(f"confirmed with {body[:300]!r}"))
        elif time.monotonic() < self._until:
            self._create()
        elif not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _create(self) -> None:
        self._created = False
        self._write(create(f"{self._name}-{self._sent}"))

    def _write(self, request: bytes) -> None:
        self._sent += 1
        assert self._transport is not None
        self._transport.write(request)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def pay(port: int, *, name: str, connections: int, seconds: float) -> float:
    """Answered requests per second, over whole payments.

    Args:
        port: Of the server, on 127.0.0.1.
        name: Part of every idempotency key; a name is used once per server.
        connections: How many at a time.
        seconds: How long new payments are begun.

    Raises:
        RuntimeError: An answer is not what a payment has.
        OSError: The server is gone.
    """
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    payers: list[_Payer] = []
    try:
        for number in range(connections):
            _, payer = await loop.create_connection(
                lambda number=number: _Payer(f"{name}-{number}", began + seconds),  # type: ignore[misc]
                "127.0.0.1",
                port,
            )
            payers.append(payer)
        await asyncio.gather(*(payer.done for payer in payers))
        return sum(payer.answers for payer in payers) / (time.monotonic() - began)
    finally:
        for payer in payers:
            payer.close()
