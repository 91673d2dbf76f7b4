"""Refunds: money back through the gateway that took it, never more than it took."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from mocks.platform.gateway import Gateway
from mocks.platform.payment import Payment, Refund, refund_id
from mocks.platform.payments import ConflictError
from mocks.platform.store import Store, StoreError
from mocks.platform.verdict import Kind, Verdict


class RefundRefusedError(Exception):
    """There is nothing, or not as much, to be refunded."""


class Refunds:
    """Makes refunds.

    Args:
        store: Where they are kept.
        gateways: Name -> gateway.
        on_unknown: Told of every refund that was left unknown.
    """

    def __init__(
        self, store: Store, gateways: Mapping[str, Gateway], on_unknown: Callable[[Refund], None]
    ) -> None:
        self.store = store
        self.gateways = gateways
        self._on_unknown = on_unknown
        self._in_progress: dict[str, tuple[Refund, asyncio.Future[Refund]]] = {}
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def create(self, payment_id: str, key: str, amount_minor: int | None) -> tuple[Refund, bool]:
        """Refund a payment, or return the refund that the same key stands for; while that is in progress,
        wait for its outcome.

        Args:
            payment_id: A payment that exists.
            key: The client's idempotency key.
            amount_minor: How much; ``None`` for all that is left.

        Returns:
            The refund as it is on disk, and whether it was there before.

        Raises:
            ConflictError: The key has other parameters, or the payment has no outcome yet.
            RefundRefusedError: The payment was never taken, or less is left of it than was asked for.
            StoreError: The refund could not be stored; no gateway was called.
        """
        id = refund_id(payment_id, key)
        lock = self._lock(payment_id)
        try:
            # What is left is read, and spoken for on disk, by one refund of the payment at a time.
            async with lock:
                running = self._in_progress.get(id)
                known = running[0] if running is not None else self.store.refund(id)
                if known is None:
                    payment, refund = self._plan(payment_id, id, amount_minor)
                    await self.store.put(refund)
                    outcome: asyncio.Future[Refund] = asyncio.get_running_loop().create_future()
                    self._in_progress[id] = (refund, outcome)
        finally:
            self._unlock(payment_id)
        if known is not None:
            if known.whole != (amount_minor is None) or (
                not known.whole and known.amount_minor != amount_minor
            ):
                raise ConflictError("this Idempotency-Key was used with another amount")
            return (await asyncio.shield(running[1]) if running is not None else known), True
        try:
            refund = await self._make(refund, payment)
            outcome.set_result(refund)
        except BaseException as error:
            outcome.set_exception(error if isinstance(error, Exception) else StoreError("interrupted"))
            outcome.exception()  # nobody may be waiting
            raise
        finally:
            del self._in_progress[id]
        return refund, False

    def recover(self) -> list[Refund]:
        """Refunds that a process which is gone left undecided; each is to be asked about."""
        return [refund._replace(status="unknown") for refund in self.store.undecided_refunds()]

    async def decide(self, refund: Refund, verdict: Verdict) -> Refund:
        """Store the outcome that a verdict means, durably.

        Raises:
            StoreError: It could not be stored.
        """
        if verdict.kind is Kind.TAKEN:
            decided = refund._replace(status="succeeded", reference=verdict.reference, error="")
        elif verdict.kind in (Kind.DECLINED, Kind.NOT_TAKEN):
            decided = refund._replace(status="failed", reference=verdict.reference, error=verdict.reason)
        else:
            decided = refund._replace(status="unknown", error=verdict.reason)
        await self.store.put(decided)
        return decided

    async def bounce(self, refund: Refund, reason: str) -> Refund:
        """The gateway says, however late, that a refund was not made: its money may be refunded anew.

        Raises:
            StoreError: It could not be stored.
        """
        failed = refund._replace(status="failed", error=reason)
        await self.store.put(failed)
        return failed

    async def ended(self, payment_id: str) -> None:
        """Wait until no refund of this payment is being made."""
        for refund, outcome in tuple(self._in_progress.values()):
            if refund.payment_id == payment_id:
                await asyncio.wait((outcome,))

    def _plan(self, payment_id: str, id: str, amount_minor: int | None) -> tuple[Payment, Refund]:
        payment = self.store.payment(payment_id)
        assert payment is not None
        if payment.status in ("pending", "unknown"):
            raise ConflictError("the payment has no outcome yet")
        if payment.status != "succeeded":
            raise RefundRefusedError(f"the payment is {payment.status}; there is nothing to refund")
        # A refund without an outcome may have been made, so it counts.
        spoken_for = sum(
            refund.amount_minor for refund in self.store.refunds_of(payment_id) if refund.status != "failed"
        )
        left = payment.amount_minor - spoken_for
        amount = left if amount_minor is None else amount_minor
        if amount > left or left == 0:
            raise RefundRefusedError(f"{left} of {payment.amount_minor} is left to refund")
        return payment, Refund(id, payment_id, amount, whole=amount_minor is None)

    async def _make(self, refund: Refund, payment: Payment) -> Refund:
        try:
            decided = await self.decide(refund, await self.gateways[payment.gateway].refund(refund, payment))
        except (StoreError, KeyError) as error:
            reason = (
                "the outcome could not be stored" if isinstance(error, StoreError) else "no such gateway now"
            )
            decided = refund._replace(status="unknown", error=reason)
        if decided.status == "unknown":
            self._on_unknown(decided)
        return decided

    def _lock(self, payment_id: str) -> asyncio.Lock:
        lock, users = self._locks.get(payment_id) or (asyncio.Lock(), 0)
        self._locks[payment_id] = (lock, users + 1)
        return lock

    def _unlock(self, payment_id: str) -> None:
        lock, users = self._locks[payment_id]
        if users == 1:
            del self._locks[payment_id]
        else:
            self._locks[payment_id] = (lock, users - 1)
