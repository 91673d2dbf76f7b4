"""The janitor: finds out what became of payments and refunds that have no outcome yet.

It asks the gateway that may have the money, with back-off, until the gateway says; it never gives up and
never guesses. How each gateway is asked, and why that cannot charge anybody twice, stands with its
connector (``Connector.find_out``). A webhook makes it ask at once: an event is a reason to ask, never an
answer, so that events may be lost, doubled, late, in any order, and change nothing but the time.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

from journal.clock import MILLISECOND, SECOND
from mocks.platform.gateway import Gateway
from mocks.platform.payment import UNDECIDED, Payment, Refund
from mocks.platform.payments import Payments
from mocks.platform.refunds import Refunds
from mocks.platform.retries import Backoff
from mocks.platform.store import StoreError
from mocks.platform.verdict import Kind

AT_ONCE = 16
"""How many questions may be under way at once: a gateway that has just come back has payments to take."""


class Janitor:
    """Resolves what is unknown, and asks after what was accepted and is not settled.

    Args:
        gateways: Name -> gateway.
        backoff: The waits between two questions about one unknown payment or refund.
        settling: The waits between two questions about an accepted payment: it is the webhook that tells of
            it, and these questions are for webhooks that were lost.
    """

    payments: Payments
    refunds: Refunds

    def __init__(
        self,
        gateways: Mapping[str, Gateway],
        backoff: Backoff | None = None,
        settling: Backoff | None = None,
    ) -> None:
        self.gateways = gateways
        self.backoff = backoff or Backoff(base_ns=200 * MILLISECOND, cap_ns=2 * SECOND)
        self.settling = settling or Backoff(base_ns=2 * SECOND, cap_ns=30 * SECOND)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sleeping: dict[str, asyncio.Future[None]] = {}
        self._again: set[str] = set()
        self._settling: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def unresolved(self) -> int:
        """How many payments and refunds have an outcome that nobody knows."""
        return len(self._tasks) - len(self._settling)

    @property
    def unsettled(self) -> int:
        """How many payments were accepted by a gateway that has not said yet whether the money came."""
        return len(self._settling)

    @property
    def busy(self) -> bool:
        """Whether there is anything that is asked about."""
        return bool(self._tasks)

    def take_payment(self, payment: Payment) -> None:
        """Find out what became of a payment."""
        self._start(payment.id, self._resolve_payment(payment))

    def take_refund(self, refund: Refund) -> None:
        """Find out what became of a refund."""
        self._start(refund.id, self._resolve_refund(refund))

    def hurry(self, id: str) -> None:
        """Ask at once about this payment or refund, if it is one that is asked about: something is said to
        have become of it."""
        if id in self._sleeping:
            woken = self._sleeping[id]
            if not woken.done():
                woken.set_result(None)
        elif id in self._tasks:
            # The question under way may have been answered before it happened.
            self._again.add(id)

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
        self._again.discard(id)
        self._settling.discard(id)
        if not task.cancelled() and (error := task.exception()) is not None:
            sys.stderr.write(f"the janitor left {id} alone: {type(error).__name__}\n")

    async def _resolve_payment(self, payment: Payment) -> None:
        attempt = 0
        while True:
            if payment.accepted:
                self._settling.add(payment.id)
            await self._wait(payment.id, attempt, self.settling if payment.accepted else self.backoff)
            attempt += 1
            gateway = self.gateways.get(payment.gateway)
            if gateway is None:
                continue  # asked at a gateway that this platform no longer has: unknown it stays
            async with self._slots:
                verdict = await gateway.find_out(payment)
            if verdict.kind is Kind.UNKNOWN or (verdict.kind is Kind.ACCEPTED and payment.accepted):
                continue
            try:
                payment = await self.payments.decide(payment, verdict)
            except StoreError:
                continue
            if payment.status not in UNDECIDED:
                return
            attempt = 0

    async def _resolve_refund(self, refund: Refund) -> None:
        attempt = 0
        while True:
            await self._wait(refund.id, attempt, self.backoff)
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

    async def _wait(self, id: str, attempt: int, backoff: Backoff) -> None:
        if id in self._again:
            self._again.discard(id)
            return
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(backoff.delay_ns(f"janitor|{id}", attempt) / SECOND, _wake, woken)
        self._sleeping[id] = woken
        try:
            await woken
        finally:
            timer.cancel()
            del self._sleeping[id]


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
