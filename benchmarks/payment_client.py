"""A client that makes Stripe payments over keep-alive connections as fast as they are answered."""

from __future__ import annotations

import asyncio
import math
import time
from typing import cast

from benchmarks.payment_requests import PaymentRequests

_LENGTH = b"content-length: "


class _Task:
    """What all connections work at together."""

    def __init__(self, requests: PaymentRequests, payments: float, until: float) -> None:
        self.requests = requests
        self.left = payments
        self.until = until

    def take(self) -> bool:
        """Whether one more payment is to be made."""
        if self.left < 1 or time.monotonic() >= self.until:
            return False
        self.left -= 1
        return True


class _Payer(asyncio.Protocol):
    """One connection: create, confirm, and again; one request at a time, with a new key each."""

    def __init__(self, name: str, task: _Task) -> None:
        self.answers = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._name = name
        self._task = task
        self._sent = 0
        self._created = False
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lowered = self._buffer[:head].lower() + b"\r"
        place = lowered.find(_LENGTH)
        if place < 0:
            self._fail(RuntimeError(f"answered without a length: {self._buffer[:300]!r}"))
            return
        end = head + 4 + int(lowered[place + len(_LENGTH) : lowered.index(b"\r", place)])
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
            self._write(self._task.requests.confirm(body, f"{self._name}-{self._sent}"))
        elif b'"succeeded"' not in body:
            self._fail(RuntimeError(f"confirmed with {body[:300]!r}"))
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        self._created = False
        if self._task.take():
            self._write(self._task.requests.create(f"{self._name}-{self._sent}"))
        elif not self.done.done():
            self.done.set_result(None)

    def _write(self, request: bytes) -> None:
        self._sent += 1
        assert self._transport is not None
        self._transport.write(request)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def pay(
    port: int,
    *,
    name: str,
    connections: int,
    seconds: float = math.inf,
    payments: float = math.inf,
    requests: PaymentRequests = PaymentRequests(),  # noqa: B008 (immutable)
) -> float:
    """Answered requests per second, over whole payments.

    Args:
        port: Of the server, on 127.0.0.1.
        name: Part of every idempotency key; a name is used once per server.
        connections: How many at a time.
        seconds: How long new payments are begun.
        payments: How many are begun at most.
        requests: What is sent.

    Raises:
        RuntimeError: An answer is not what a payment has.
        OSError: The server is gone.
    """
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    task = _Task(requests, payments, began + seconds)
    payers: list[_Payer] = []
    try:
        for number in range(connections):
            _, payer = await loop.create_connection(
                lambda number=number: _Payer(f"{name}-{number}", task),  # type: ignore[misc]
                "127.0.0.1",
                port,
            )
            payers.append(payer)
        await asyncio.gather(*(payer.done for payer in payers))
        return sum(payer.answers for payer in payers) / (time.monotonic() - began)
    finally:
        for payer in payers:
            payer.close()
