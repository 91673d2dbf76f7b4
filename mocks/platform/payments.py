"""Payments: one payment from the client's request to its outcome, on one gateway or, safely, on the next."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping

from mocks.platform.breaker import Permit
from mocks.platform.gateway import Gateway
from mocks.platform.payment import UNDECIDED, Payment
from mocks.platform.router import ranking
from mocks.platform.store import Store, StoreError
from mocks.platform.verdict import Kind, Verdict, not_taken

SHARE_WINDOW = 200
"""Over how many of the last decided payments a gateway's share is counted."""


class ConflictError(Exception):
    """The request contradicts what is known: a key with other parameters, an order that is paid already."""


class Payments:
    """Takes payments.

    Args:
        store: Where they are kept.
        gateways: Name -> gateway.
        weights: Name -> weight, for the router.
        seed: The seed of the router.
        on_undecided: Told of every payment that was left unknown, or accepted and not settled yet.
    """

    def __init__(
        self,
        store: Store,
        gateways: Mapping[str, Gateway],
        weights: Mapping[str, float],
        seed: int,
        on_undecided: Callable[[Payment], None],
    ) -> None:
        self.store = store
        self.gateways = gateways
        self.weights = weights
        self.seed = seed
        self._weights_of: dict[tuple[str, str], dict[str, float]] = {}
        self._on_undecided = on_undecided
        self._in_progress: dict[str, tuple[Payment, asyncio.Future[Payment]]] = {}
        self._orders: dict[str, str] = {}
        self._served: deque[str] = deque(maxlen=SHARE_WINDOW)

    async def create(self, asked: Payment) -> tuple[Payment, bool]:
        """Take a payment, or return the one that the same key stands for; while that is in progress, wait
        for its outcome.

        Args:
            asked: A new payment, ``pending``, with the id that its key stands for.

        Returns:
            The payment as it is on disk, and whether it was there before. ``unknown`` may also mean that
            the outcome is known and could not be stored: what isn't durable isn't acknowledged.

        Raises:
            ConflictError: The key has other parameters; or the order has a payment that succeeded, or may.
            StoreError: The intent could not be stored; no gateway was called.
        """
        running = self._in_progress.get(asked.id)
        stored = self.store.known(asked.id, asked.order_id) if running is None else []
        known = running[0] if running is not None else _with_id(stored, asked.id)
        if known is not None:
            if not known.same_request(asked):
                raise ConflictError("this Idempotency-Key was used with other parameters")
            if running is not None:
                return await asyncio.shield(running[1]), True
            return known, True
        self._refuse_second_payment(asked, stored)
        outcome: asyncio.Future[Payment] = asyncio.get_running_loop().create_future()
        self._in_progress[asked.id] = (asked, outcome)
        self._orders[asked.order_id] = asked.id
        try:
            payment = await self._take(asked)
            outcome.set_result(payment)
        except BaseException as error:
            outcome.set_exception(error if isinstance(error, Exception) else StoreError("interrupted"))
            outcome.exception()  # nobody may be waiting
            raise
        finally:
            del self._in_progress[asked.id]
            del self._orders[asked.order_id]
        return payment, False

    def recover(self) -> list[Payment]:
        """Payments that a process which is gone left undecided. What it was doing for a ``pending`` one that
        no gateway had accepted is not known, so it is ``unknown``; all are to be asked about."""
        return [
            payment if payment.accepted else payment._replace(status="unknown")
            for payment in self.store.undecided_payments()
        ]

    async def decide(self, payment: Payment, verdict: Verdict) -> Payment:
        """Store the outcome that a verdict of ``payment.gateway`` means, durably.

        Raises:
            StoreError: It could not be stored.
        """
        if verdict.kind is Kind.TAKEN:
            decided = payment._replace(status="succeeded", reference=verdict.reference, error="")
        elif verdict.kind is Kind.ACCEPTED:
            decided = payment._replace(status="pending", reference=verdict.reference, error="")
        elif verdict.kind is Kind.DECLINED:
            decided = payment._replace(
                status="declined",
                reference=verdict.reference,
                decline_code=verdict.decline_code,
                error="",
            )
        elif verdict.kind is Kind.NOT_TAKEN:
            decided = payment._replace(status="failed", error=verdict.reason)
        else:
            decided = payment._replace(status="unknown", error=verdict.reason)
        await self.store.put(decided)
        if verdict.kind in (Kind.TAKEN, Kind.DECLINED) and not payment.accepted:
            self._served.append(payment.gateway)
        return decided

    def shares(self) -> dict[str, float]:
        """Each gateway's share of the last ``SHARE_WINDOW`` payments that one of them took or declined."""
        counts = Counter(self._served)
        return {name: counts[name] / len(self._served) if self._served else 0.0 for name in self.gateways}

    def _refuse_second_payment(self, asked: Payment, others: list[Payment]) -> None:
        """One order is paid once: a second payment is for orders whose first was declined or failed.
        ``others`` are the payments of the order that are stored."""
        if asked.order_id in self._orders:
            raise ConflictError("another payment of this order is in progress")
        for other in others:
            if other.status == "succeeded":
                raise ConflictError("this order is paid")
            if other.status in UNDECIDED:
                raise ConflictError("another payment of this order has no outcome yet")

    async def _take(self, payment: Payment) -> Payment:
        """The payment's way: stored, charged, moved on only when that is safe, decided."""
        names = self._names(payment)
        chosen = self._next(names)
        payment = payment._replace(gateway=chosen[0].name if chosen else "")
        try:
            await self.store.put(payment)
        except BaseException:
            if chosen:
                chosen[0].breaker.release(chosen[1])
            raise
        verdict = not_taken("no gateway is available")
        stored = payment
        try:
            while chosen:
                gateway, permit = chosen
                verdict = await gateway.charge(payment, permit)
                chosen = self._next(names) if verdict.kind is Kind.NOT_TAKEN else None
                if chosen:
                    # On disk first: after a crash, this is the gateway to ask.
                    payment = payment._replace(gateway=chosen[0].name)
                    try:
                        await self.store.put(payment)
                    except BaseException:
                        chosen[0].breaker.release(chosen[1])
                        raise
                    stored = payment
            decided = await self.decide(payment, verdict)
        except StoreError:
            # The gateway may know an outcome that the disk does not. The janitor asks again until it does.
            decided = stored._replace(status="unknown", error="the outcome could not be stored")
        if decided.status in UNDECIDED:
            self._on_undecided(decided)
        return decided

    def takes(self, method: str, currency: str) -> bool:
        """Whether a gateway takes payments of this method in this currency."""
        return bool(self._able(method, currency))

    def _names(self, payment: Payment) -> list[str]:
        """The gateways that take such a payment, in the order in which it would try them."""
        return list(ranking(payment.order_id, self.seed, self._able(payment.method, payment.currency)))

    def _able(self, method: str, currency: str) -> dict[str, float]:
        able = self._weights_of.get((method, currency))
        if able is None:
            able = self._weights_of[method, currency] = {
                name: weight
                for name, weight in self.weights.items()
                if method in self.gateways[name].connector.methods
                and (not (only := self.gateways[name].connector.currencies) or currency in only)
            }
        return able

    def _next(self, names: list[str]) -> tuple[Gateway, Permit] | None:
        """The first gateway of the ranking whose breaker lets a call through; it and those before it are
        taken off the ranking."""
        while names:
            gateway = self.gateways[names.pop(0)]
            permit = gateway.permit()
            if permit is not None:
                return gateway, permit
        return None


def _with_id(payments: list[Payment], id: str) -> Payment | None:
    return next((payment for payment in payments if payment.id == id), None)
