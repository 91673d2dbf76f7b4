"""A notice: what one event of a gateway means to the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

import orjson

About = Literal["payment", "refund", "refund_failed", "dispute", "payout"]


class ForgedError(Exception):
    """A webhook that its gateway did not sign, or did not sign lately; the text says which, never more."""


class Notice(NamedTuple):
    """What one event is about. It names things; what became of them is asked of the gateway, except where
    the gateway tells it by events only (failed refunds, disputes).

    Attributes:
        id: The event's, unique at its gateway.
        about: ``payment`` and ``refund``: something became of it; ``refund_failed``: it was not made after
            all; ``dispute``: money went back to the payer, or came back from there; ``payout``: money was
            paid to the merchant.
        payment_id: The platform's own id of the payment, where the gateway repeats it.
        refund_id: The platform's own id of the refund, where the gateway repeats it.
        reference: The gateway's id of the payment, the refund, the dispute or the payout.
        order_id: The order of the payment, where that is all that the gateway repeats.
        payment: The gateway's id of the payment of a refund or a dispute.
        amount_minor, currency: Of a dispute; below zero when the money came back.
        late: The dispute is one only if the payment had been taken before: a debit that its bank refuses
            is told in the same words whether or not it had been confirmed.
    """

    id: str
    about: About
    payment_id: str = ""
    refund_id: str = ""
    reference: str = ""
    order_id: str = ""
    payment: str = ""
    amount_minor: int = 0
    currency: str = ""
    late: bool = False


class Reader(Protocol):
    """Reads the webhooks of one gateway."""

    def __call__(
        self, headers: Mapping[str, str], body: bytes, secret: str, now: float, certificate: bytes = b""
    ) -> tuple[Notice, ...]:
        """Verify a webhook, and say what its events are about; those that change nothing here are left out.

        Args:
            headers: With lower-case names.
            body: As it was received.
            secret: What the gateway signs with.
            now: Unix seconds.
            certificate: What ``certificate_url`` led to, in PEM, for a gateway that signs with a key of its
                own.

        Raises:
            ForgedError: It is not signed by the gateway, or too old.
            ValueError: It is signed, but not what the gateway sends.
        """


def document(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises ValueError."""
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def part(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """The object inside an object, itself and no copy; empty where there is none."""
    for name in names:
        inner = value.get(name)
        if not isinstance(inner, dict):
            return {}
        value = inner
    return value


def word(value: Mapping[str, Any], name: str) -> str:
    """A text of an object; empty where there is none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""
