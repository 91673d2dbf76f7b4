"""Stripe's webhooks.

Signature: ``Stripe-Signature: t=<Unix seconds>,v1=<hex>[,v1=<hex>]``, where the hex digest is the HMAC-SHA256
of ``<t>.<body>`` keyed with the secret as it is written; several ``v1`` stand there while a secret is rolled.
Older than 300 s is refused, as Stripe's libraries do by default
(https://docs.stripe.com/webhooks#verify-manually).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from mocks.platform.webhooks.notice import ForgedError, Notice, document, part, word

TOLERANCE_S = 300

_PAYMENT = frozenset({"payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"})
_REFUND = frozenset({"refund.updated", "refund.failed", "charge.refund.updated"})
_DISPUTE = {"charge.dispute.funds_withdrawn": 1, "charge.dispute.funds_reinstated": -1}
_PAYOUT = frozenset({"payout.created", "payout.paid"})

EVENTS = (*sorted(_PAYMENT | _REFUND | _PAYOUT), *_DISPUTE)
"""The types of events that mean something here."""


def read(
    headers: Mapping[str, str], body: bytes, secret: str, now: float, certificate: bytes = b""
) -> tuple[Notice, ...]:
    """See ``notice.Reader``."""
    _verify(headers.get("stripe-signature", ""), body, secret, now)
    event = document(body)
    id, kind, subject = word(event, "id"), word(event, "type"), part(event, "data", "object")
    reference = word(subject, "id")
    if not (id and kind and reference):
        raise ValueError("an event without its id, type or object")
    notice = _notice(id, kind, subject, reference)
    return () if notice is None else (notice,)


def _notice(id: str, kind: str, subject: dict[str, Any], reference: str) -> Notice | None:
    metadata = part(subject, "metadata")
    if kind in _PAYMENT:
        return Notice(id, "payment", payment_id=word(metadata, "payment_id"), reference=reference)
    payment = word(subject, "payment_intent")
    if kind in _REFUND:
        failed = subject.get("status") in ("failed", "canceled")
        return Notice(
            id,
            "refund_failed" if failed else "refund",
            refund_id=word(metadata, "refund_id"),
            reference=reference,
            payment=payment,
        )
    if kind in _DISPUTE:
        amount = subject.get("amount")
        if not isinstance(amount, int):
            raise ValueError("a dispute without an amount")
        sign = _DISPUTE[kind]
        return Notice(
            id,
            "dispute",
            reference=reference if sign > 0 else f"{reference}-reinstated",
            payment=payment,
            amount_minor=sign * amount,
            currency=word(subject, "currency").upper(),
        )
    if kind in _PAYOUT:
        return Notice(id, "payout", reference=reference)
    return None


def _verify(header: str, body: bytes, secret: str, now: float) -> None:
    time, signatures = "", []
    for item in header.split(","):
        name, _, value = item.strip().partition("=")
        if name == "t":
            time = value
        elif name == "v1":
            signatures.append(value)
    if not (time.isascii() and time.isdigit() and len(time) < 16):
        raise ForgedError("the signature has no time")
    expected = hmac.digest(secret.encode(), f"{time}.".encode() + body, "sha256").hex()
    if not any(hmac.compare_digest(expected.encode(), given.encode()) for given in signatures):
        raise ForgedError("the signature is not Stripe's")
    if int(time) < now - TOLERANCE_S:
        raise ForgedError("the signature is too old")
