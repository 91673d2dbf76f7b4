"""A payment and a refund, as the platform keeps them: immutable values, replaced as they change."""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal, NamedTuple

Status = Literal["pending", "succeeded", "declined", "failed", "unknown"]
"""``pending``: being worked on or, with a reference, accepted by a gateway that says later whether the money
came (a bank debit). ``unknown``: the customer was told so, the janitor will find out. The other three are
final: ``failed`` means that no gateway took the money, for certain."""

UNDECIDED: tuple[Status, ...] = ("pending", "unknown")


class Payment(NamedTuple):
    """One payment.

    Attributes:
        id: ``pay_`` and a hash of the client's idempotency key, so that one key can only ever be one payment.
        gateway: The one gateway that has or may have the money: it is changed, durably, before another
            gateway is called, and only once this one surely did not take it. Empty when none was called.
        reference: The gateway's own id of the payment; empty while there is none.
        decline_code: Why the card was declined, in Stripe's words; empty otherwise.
        error: Why the payment failed, in a few words; empty otherwise.
        refunded_minor: The sum of its refunds that succeeded.
    """

    id: str
    order_id: str
    amount_minor: int
    currency: str
    method: str
    instrument: str
    status: Status = "pending"
    gateway: str = ""
    reference: str = ""
    decline_code: str = ""
    error: str = ""
    refunded_minor: int = 0

    @property
    def accepted(self) -> bool:
        """Whether a gateway collects it, and will say later whether the money came."""
        return self.status == "pending" and self.reference != ""

    def same_request(self, other: Payment) -> bool:
        """Whether both were asked for with the same parameters."""
        return (
            self.order_id == other.order_id
            and self.amount_minor == other.amount_minor
            and self.currency == other.currency
            and self.method == other.method
            and self.instrument == other.instrument
        )


class Refund(NamedTuple):
    """One refund of a payment, whole or in part.

    Attributes:
        id: ``re_`` and a hash of the payment and the client's idempotency key.
        whole: Whether the client asked for "all that is left" instead of naming the amount.
    """

    id: str
    payment_id: str
    amount_minor: int
    whole: bool
    status: Status = "pending"
    reference: str = ""
    error: str = ""


def payment_id(idempotency_key: str) -> str:
    """The id of the payment that a client's idempotency key stands for."""
    return "pay_" + blake2b(idempotency_key.encode(), digest_size=12).hexdigest()


def refund_id(payment: str, idempotency_key: str) -> str:
    """The id of the refund of ``payment`` that a client's idempotency key stands for."""
    return "re_" + blake2b(f"{payment}|{idempotency_key}".encode(), digest_size=12).hexdigest()
