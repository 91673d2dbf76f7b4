"""GoCardless' webhooks: a batch of events under one signature.

Signature: ``Webhook-Signature`` is the hex HMAC-SHA256 of the raw body, keyed with the endpoint's secret as
it is written (``gocardless_pro.webhooks``). It covers no time: that an event is acted on once keeps an
old webhook from doing anything.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from mocks.platform.webhooks.notice import ForgedError, Notice, document, part, word

_PAYMENT = frozenset({"confirmed", "paid_out", "cancelled", "customer_approval_denied"})

_DISPUTE = frozenset({"failed", "charged_back", "chargeback_cancelled"})

EVENTS = (*sorted(f"payments.{action}" for action in _PAYMENT | _DISPUTE), "refunds.*", "payouts.paid")
"""The kinds of events that mean something here."""


def read(
    headers: Mapping[str, str], body: bytes, secret: str, now: float, certificate: bytes = b""
) -> tuple[Notice, ...]:
    """See ``notice.Reader``. A dispute has no amount in the event: it is that of the whole payment."""
    expected = hmac.digest(secret.encode(), body, "sha256").hex()
    if not hmac.compare_digest(expected.encode(), headers.get("webhook-signature", "").encode()):
        raise ForgedError("the signature is not GoCardless'")
    events = document(body).get("events")
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError("a webhook without events")
    notices = (_notice(event) for event in events)
    return tuple(notice for notice in notices if notice is not None)


def _notice(event: dict[str, Any]) -> Notice | None:
    id, links = word(event, "id"), part(event, "links")
    if not id:
        raise ValueError("an event without its id")
    kind, action = word(event, "resource_type"), word(event, "action")
    metadata = part(event, "resource_metadata")
    if kind == "payments":
        payment, payment_id = word(links, "payment"), word(metadata, "payment_id")
        if action in _PAYMENT:
            return Notice(id, "payment", payment_id=payment_id, reference=payment)
        if action in _DISPUTE:
            return Notice(
                id,
                "dispute",
                payment_id=payment_id,
                reference=f"{payment}-{action}",
                payment=payment,
                amount_minor=-1 if action == "chargeback_cancelled" else 1,
                late=action == "failed",
            )
    if kind == "refunds" and word(links, "refund"):
        failed = action in ("failed", "funds_returned")
        return Notice(
            id,
            "refund_failed" if failed else "refund",
            refund_id=word(metadata, "refund_id"),
            reference=word(links, "refund"),
        )
    if kind == "payouts" and action == "paid":
        return Notice(id, "payout", reference=word(links, "payout"))
    return None
