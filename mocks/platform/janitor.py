"""The janitor: finds out what became of payments and refunds whose customers were told "unknown".

It asks the gateway that may have the money, with back-off, until the gateway says; it never gives up and
never guesses. How each gateway is asked, and why that cannot charge anybody twice, stands with its
connector (``Connector.find_out``).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

from journal.clock import MILLISECOND, SECOND
from mocks.platform.gateway import Gateway
from mocks.platform.payment import Payment, Refund
from mocks.platform.payments import Payments
from mocks.platform.refunds import Refunds
from mocks.platform.retries import Backoff
from mocks.platform.store import StoreError
from mocks.platform.verdict import Kind

AT_ONCE = 16
"""How many questions may be under way at once: a gateway that has just come back has payments to take."""


class Janitor:
    """Resolves what is unknown.

    Args:
        gateways: Name -> gateway.
        backoff: The waits between two questions about one payment.
    """

    payments: Payments
    refunds: Refunds

    def __init__(self, gateways: Mapping[str, Gateway], backoff: Backoff | None = None) -> None:
        self.gateways = gateways
        self.backoff = backoff or Backoff(base_ns=200 * MILLISECOND, cap_ns=2 * SECOND)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def unresolved(self) -> int:
        """How many payments and refunds have no outcome yet."""
        return len(self._tasks)

    def take_payment(self, payment: Payment) -> None:
        """Find out what became of a payment."""
        self._start(payment.id, self._resolve_payment(payment))

    def take_refund(self, refund: Refund) -> None:
        """Find out what became of a refund."""
        self._start(refund.id, self._resolve_refund(refund))

    async def close(self) -> None:
        """Stop asking. What is unresolved is on disk as unknown, and is taken up at the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, id: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[id] = task
        task.add_done_callback(lambda done: self._end(id, done))

    def _end(self, id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[id]
        if not task.cancelled() and (error := task.exception()) is not None:
            sys.stderr.write(f"the janitor left {id} alone: {type(error).__name__}\n")

    async def _resolve_payment(self, payment: Payment) -> None:
        attempt = 0
        while True:
            await self._wait(payment.id, attempt)
            attempt += 1
            gateway = self.gateways.get(payment.gateway)
            if gateway is None:
                continue  # asked at a gateway that this platform no longer has: unknown it stays
            async with self._slots:
                verdict = await gateway.find_out(payment)
            if verdict.kind is not Kind.UNKNOWN:
                try:
                    await self.payments.decide(payment, verdict)
                except StoreError:
                    continue
                return

    async def _resolve_refund(self, refund: Refund) -> None:
        attempt = 0
        while True:
            await self._wait(refund.id, attempt)
            attempt += 1
            payment = self.payments.store.payment(refund.payment_id)
            gateway = self.gateways.get(payment.gateway) if payment is not None else None
            if gateway is None or payment is None:
                continue
            async with self._slots:
                verdict = await gateway.ask_refund(refund, payment)
            if verdict.kind is not Kind.UNKNOWN:
                try:
                    await self.refunds.decide(refund, verdict)
                except StoreError:
                    continue
                return

    async def _wait(self, id: str, attempt: int) -> None:
        await asyncio.sleep(self.backoff.delay_ns(f"janitor|{id}", attempt) / SECOND)
