"""A gateway as the platform uses it: its connector, connections and breaker, its time-out and retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from journal.clock import MILLISECOND, SECOND
from mocks.outbound import Answer, Call, NeverSentError, OutboundError
from mocks.platform.breaker import Breaker, Permit
from mocks.platform.connectors import Connector
from mocks.platform.connectors.connector import Caller, Payout
from mocks.platform.payment import Payment, Refund
from mocks.platform.retries import Backoff
from mocks.platform.verdict import Kind, Verdict, not_taken, unknown

FINAL = (Kind.TAKEN, Kind.ACCEPTED, Kind.DECLINED)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a customer is kept waiting for one gateway.

    Attributes:
        timeout_ns: For one call.
        attempts: Calls that may end without an outcome, the first included.
        refused_ns: How long a gateway is asked about a payment that it lost while it refuses connections.
        answering_ns: The same while it answers, but with nothing that settles the matter.
    """

    timeout_ns: int = 2 * SECOND
    attempts: int = 4
    refused_ns: int = 200 * MILLISECOND
    answering_ns: int = 2 * SECOND


class Gateway:
    """One gateway.

    Args:
        connector: Speaks its language.
        client: Reaches it.
        breaker: Its own; never shared with another gateway.
        backoff: The waits between calls for one payment.
        patience: How long to try.
        now_ns: The clock, ``time.monotonic_ns``.
    """

    def __init__(
        self,
        connector: Connector,
        client: Caller,
        breaker: Breaker,
        backoff: Backoff,
        patience: Patience,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = connector.name
        self.connector = connector
        self.client = client
        self.breaker = breaker
        self.backoff = backoff
        self.patience = patience
        self._now_ns = now_ns

    def permit(self) -> Permit | None:
        """Leave to send one payment here; ``None`` while the breaker is open."""
        return self.breaker.permit(self._now_ns())

    async def charge(self, payment: Payment, permit: Permit) -> Verdict:
        """Take the money, trying again under the same idempotency key.

        Returns:
            ``TAKEN``; ``ACCEPTED``; ``DECLINED``; ``NOT_TAKEN``: surely not, another gateway may have the
            payment; ``UNKNOWN``: no other gateway may, until this one was found out.
        """
        try:
            return await self._charge(payment, permit)
        finally:
            self.breaker.release(
                permit
            )  # a trial that ended without being judged, by a 429 or a cancellation

    async def find_out(self, payment: Payment, *, in_flight: bool = True) -> Verdict:
        """Ask once what became of a charge; ``UNKNOWN`` when the gateway doesn't say. ``in_flight``: an
        earlier attempt may still be under way."""
        try:
            verdict = await self.connector.find_out(payment, self._ask, in_flight=in_flight)
        except OutboundError as error:
            return unknown(str(error))
        return verdict if verdict.kind in (*FINAL, Kind.NOT_TAKEN) else unknown(verdict.reason)

    async def payout(self, reference: str) -> Payout | None:
        """Ask what a payout holds; ``None`` when the gateway doesn't say now."""
        try:
            return await self.connector.payout(reference, self._ask)
        except OutboundError:
            return None

    async def payouts(self) -> tuple[str, ...]:
        """The references of the newest payouts that were paid; none when the gateway doesn't say now, or has
        no list of them."""
        try:
            return await self.connector.payouts(self._ask)
        except OutboundError:
            return ()

    async def fetch(self, path: str) -> bytes | None:
        """What lies at a path of the gateway; ``None`` when it gives nothing now."""
        try:
            answer = await self._ask(Call("GET", path))
        except OutboundError:
            return None
        return answer.body if answer.status == 200 else None

    async def refund(self, refund: Refund, payment: Payment) -> Verdict:
        """Give money back, trying again under the same idempotency key. Refunds can only go to the gateway
        that took the money, so they don't ask the breaker.

        Returns:
            ``TAKEN``: refunded; ``DECLINED`` or ``NOT_TAKEN``: surely not refunded; ``UNKNOWN``.
        """
        return await self._settle(
            self.connector.refund(refund, payment), self.connector.refunded, refund.id, None
        )

    async def ask_refund(self, refund: Refund, payment: Payment) -> Verdict:
        """Ask once what became of a refund, by replaying its key: it is wanted, so it may well be carried
        out now."""
        try:
            verdict = self.connector.refunded(await self._ask(self.connector.refund(refund, payment)))
        except OutboundError as error:
            return unknown(str(error))
        return verdict if verdict.kind in (*FINAL, Kind.NOT_TAKEN) else unknown(verdict.reason)

    async def _charge(self, payment: Payment, permit: Permit) -> Verdict:
        made: tuple[str, ...] = ()
        while (step := self.connector.step(payment, made)) is not None:
            verdict = await self._settle(
                step.call,
                step.read,
                f"{payment.id}/{len(made)}",
                permit,
            )
            if verdict.kind is Kind.DECLINED:
                return verdict
            if verdict.kind is not Kind.TAKEN:
                # Whatever became of the step, no money moves before the charge.
                return not_taken(verdict.reason)
            made = (*made, verdict.reference)
        verdict = await self._settle(
            self.connector.charge(payment, made),
            self.connector.charged,
            payment.id,
            permit,
        )
        if verdict.kind is Kind.BUSY:
            # It answers, but not with the outcome. A look-up may know what a replay does not.
            return await self.find_out(payment, in_flight=verdict.in_flight)
        return verdict

    async def _settle(
        self,
        call: Call,
        read: Callable[[Answer], Verdict],
        key: str,
        permit: Permit | None,
    ) -> Verdict:
        """Call until the outcome is known or patience is at its end. What the calls say of the gateway's
        health is told to the breaker, if there is a permit.

        Returns:
            A final verdict, ``NOT_TAKEN``, ``BUSY`` (not known, but the gateway answers) or ``UNKNOWN`` (not
            known, and it does not answer).
        """
        patience = self.patience
        started_ns = self._now_ns()
        doubt_ns = None  # since when a request may have been carried out without our knowing
        in_flight = False
        spent = 0
        attempt = 0
        while True:
            answering = False
            try:
                answer = await self.client.call(call, patience.timeout_ns)
            except NeverSentError as error:
                self._judge(permit, None)
                verdict = unknown(str(error))
                if doubt_ns is None:
                    return not_taken(str(error))
                spent += 1
            except OutboundError as error:
                self._judge(permit, None)
                verdict = unknown(str(error))
                doubt_ns = doubt_ns or self._now_ns()
                in_flight = True
                spent += 1
            else:
                answering = True
                self._judge(permit, answer)
                verdict = read(answer)
                if verdict.kind in FINAL:
                    return verdict
                if verdict.kind is Kind.NOT_TAKEN:
                    # True of this request. An earlier one, of which nothing is known, is another matter.
                    if doubt_ns is None:
                        return verdict
                    return Verdict(Kind.BUSY, reason=verdict.reason, in_flight=in_flight)
                if verdict.kind is not Kind.THROTTLED:
                    doubt_ns = doubt_ns or self._now_ns()
                # A 504 comes from something between, which gave up waiting for the gateway itself.
                in_flight = in_flight or verdict.kind is Kind.BUSY or answer.status == 504
                if verdict.kind is not Kind.BUSY:
                    spent += 1
            delay_ns = max(self.backoff.delay_ns(key, attempt), verdict.wait_ns)
            limit_ns = patience.answering_ns if answering else patience.refused_ns
            give_up_ns = (started_ns if doubt_ns is None else doubt_ns) + limit_ns
            if spent >= patience.attempts or self._now_ns() + delay_ns > give_up_ns:
                break
            attempt += 1
            await asyncio.sleep(delay_ns / SECOND)
        if doubt_ns is None:
            return not_taken(verdict.reason)
        kind = Kind.BUSY if answering else Kind.UNKNOWN
        return Verdict(kind, reason=verdict.reason, in_flight=in_flight)

    def _judge(self, permit: Permit | None, answer: Answer | None) -> None:
        """What a call says about the gateway's health."""
        if permit is None:
            return
        if answer is None or answer.status >= 500:
            self.breaker.failure(permit, self._now_ns())
        elif answer.status == 429:
            self.breaker.release(permit)
        else:
            self.breaker.success(permit)

    async def _ask(self, call: Call) -> Answer:
        return await self.client.call(call, self.patience.timeout_ns)
