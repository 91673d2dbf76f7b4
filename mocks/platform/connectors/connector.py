"""What every connector can do: put a payment into a gateway's words, and its answers into verdicts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from journal.clock import SECOND
from mocks.outbound import Answer, Call, Client
from mocks.platform.payment import Payment, Refund
from mocks.platform.verdict import Kind, Verdict, unknown

Ask = Callable[[Call], Awaitable[Answer]]
"""Sends a call and returns the answer; raises OutboundError when there is none."""


class Caller(Protocol):
    """What a connector's calls go through: ``mocks.outbound.Client``, or something around it."""

    async def call(self, call: Call, timeout_ns: int) -> Answer:
        """Send and wait for the answer; see ``Client.call``."""

    async def close(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class Step:
    """A request that has to precede the charge, and moves no money: a customer, a mandate, an order.

    Attributes:
        call: The same bytes, under the same idempotency key, every time.
        read: What an answer says: ``TAKEN`` with the reference of what was made, be it by an earlier attempt;
            anything else as for a charge.
    """

    call: Call
    read: Callable[[Answer], Verdict]


@dataclass(frozen=True, slots=True)
class Payout:
    """What a gateway paid to the merchant, and what it withheld as fees from the payments that are in it."""

    reference: str
    amount_minor: int
    fee_minor: int
    currency: str


class Connector(Protocol):
    """One gateway's words. Holds no state and opens no connection.

    Attributes:
        name: The gateway's.
        methods: The payment methods that go through it.
        currencies: What it takes; empty when it takes every currency.
    """

    name: str
    methods: tuple[str, ...] = ("card",)
    currencies: frozenset[str] = frozenset()

    def connect(self, client: Client) -> Caller:
        """What the calls go through."""
        return client

    def step(self, payment: Payment, made: tuple[str, ...]) -> Step | None:
        """The next request that has to precede the charge; ``None`` when all that it needs is there.

        Args:
            payment: The payment to be charged.
            made: The references of what the steps before came to, in their order.
        """
        return None

    def charge(self, payment: Payment, made: tuple[str, ...] = ()) -> Call:
        """The request that takes the money: the same bytes, under the same idempotency key, every time.
        ``made`` are the references of what the steps came to."""

    def charged(self, answer: Answer) -> Verdict:
        """What an answer to ``charge`` says, whether it is the first or a replay."""

    async def find_out(self, payment: Payment, ask: Ask, *, in_flight: bool) -> Verdict:
        """Ask the gateway what became of a charge whose outcome is not known.

        Args:
            payment: The payment that was charged, or may have been.
            ask: Reaches the gateway.
            in_flight: Whether an earlier attempt may still be under way; False when each was answered.

        Returns:
            ``TAKEN`` or ``DECLINED`` as the gateway has it; ``NOT_TAKEN`` only when it can't be taken by any
            earlier attempt either; ``BUSY``, ``THROTTLED`` or ``UNKNOWN``: ask again later.

        Raises:
            OutboundError: The gateway gave no answer.
        """

    def refund(self, refund: Refund, payment: Payment) -> Call:
        """The request that gives money back: the same bytes, under the same idempotency key, every time."""

    def refunded(self, answer: Answer) -> Verdict:
        """What an answer to ``refund`` says; ``TAKEN`` means that the refund was made, or that the gateway
        makes it and tells by an event if it fails."""

    async def payout(self, reference: str, ask: Ask) -> Payout | None:
        """What a payout that an event told of holds; ``None`` when the gateway doesn't say now.

        Raises:
            OutboundError: The gateway gave no answer.
        """
        return None

    async def payouts(self, ask: Ask) -> tuple[str, ...]:
        """The references of the newest payouts that were paid, as many as the gateway lists at once; none
        where it lists none, or doesn't say now.

        Raises:
            OutboundError: The gateway gave no answer.
        """
        return ()


async def prepare(connector: Connector, payment: Payment, ask: Ask) -> tuple[str, ...] | Verdict:
    """Take the steps before a charge, once: the references of what they came to, or the verdict of the one
    that came to nothing. Raises OutboundError when the gateway gave no answer."""
    made: tuple[str, ...] = ()
    while (step := connector.step(payment, made)) is not None:
        verdict = step.read(await ask(step.call))
        if verdict.kind is not Kind.TAKEN:
            return verdict
        made = (*made, verdict.reference)
    return made


def listed(answer: Answer, within: str) -> tuple[str, ...]:
    """The ids of a list's rows, which stand under this key; none when it is no such list."""
    rows = json_object(answer).get(within)
    if answer.status != 200 or not isinstance(rows, list):
        return ()
    return tuple(row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str))


def json_object(answer: Answer) -> dict[str, Any]:
    """The answer's body; empty when it is no JSON object."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def throttled(answer: Answer) -> Verdict:
    """The verdict of a 429, with the wait that its ``Retry-After`` asks for (whole seconds, RFC 9110 10.2.3;
    the form with a date is not understood and means no wait)."""
    text = answer.headers.get("retry-after", "")
    wait_ns = int(text) * SECOND if text.isdecimal() and len(text) < 6 else 0
    return Verdict(Kind.THROTTLED, reason="the gateway limits the rate", wait_ns=wait_ns)


def unreadable(answer: Answer) -> Verdict:
    """The verdict of an answer that settles nothing: a 5xx, or a body that does not say what it must."""
    return unknown(f"the gateway answered {answer.status}")
