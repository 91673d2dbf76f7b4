"""Adyen's standard webhooks.

Each item of ``notificationItems`` carries its own signature in ``additionalData.hmacSignature``: base64 of
the HMAC-SHA256, keyed with the hex-decoded key, of eight of its fields joined by ``:``
(https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures). What is not
among the eight is not signed. There is no time among them, so an old webhook cannot be told from a late one:
that one is acted on once is all that can be done.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mocks.platform.webhooks.notice import ForgedError, Notice, document, part, word

_SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
_DISPUTE = {"CHARGEBACK": 1, "SECOND_CHARGEBACK": 1, "CHARGEBACK_REVERSED": -1, "CAPTURE_FAILED": 1}

EVENTS = ("AUTHORISATION", "REFUND", "REFUND_FAILED", "REPORT_AVAILABLE", *_DISPUTE)
"""The event codes that mean something here."""


def read(
    headers: Mapping[str, str], body: bytes, secret: str, now: float, certificate: bytes = b""
) -> tuple[Notice, ...]:
    """See ``notice.Reader``."""
    rows = document(body).get("notificationItems")
    if not isinstance(rows, list):
        raise ForgedError("there is nothing in it that is signed")
    items = [part(row, "NotificationRequestItem") for row in rows if isinstance(row, dict)]
    if not items or len(items) != len(rows):
        raise ForgedError("there is nothing in it that is signed")
    for item in items:
        _verify(item, secret)
    notices = (_notice(item) for item in items)
    return tuple(notice for notice in notices if notice is not None)


def _notice(item: dict[str, Any]) -> Notice | None:
    code, reference, success = word(item, "eventCode"), word(item, "pspReference"), word(item, "success")
    # An event is a pspReference with a code, and a redelivered one has the same; a refund that is told as
    # made and later as failed has two codes.
    id = f"{reference}-{code}-{success}"
    payment = word(item, "originalReference")
    if code == "AUTHORISATION":
        return Notice(id, "payment", order_id=word(item, "merchantReference"), reference=reference)
    if code == "REFUND" and success == "true":
        return Notice(id, "refund", reference=reference, payment=payment)
    if code in ("REFUND", "REFUND_FAILED"):
        return Notice(id, "refund_failed", reference=reference, payment=payment)
    if code == "REPORT_AVAILABLE" and success == "true":
        # The reason, which is not signed, is where the report lies: the inbox asks its gateway only.
        return Notice(id, "payout", reference=urlsplit(word(item, "reason")).path)
    if code in _DISPUTE and success == "true":
        amount = part(item, "amount")
        value = amount.get("value")
        if not isinstance(value, int):
            raise ValueError("a chargeback without an amount")
        return Notice(
            id,
            "dispute",
            reference=f"{reference}-{code}",
            payment=payment,
            amount_minor=_DISPUTE[code] * value,
            currency=word(amount, "currency"),
        )
    return None


def _verify(item: dict[str, Any], key: str) -> None:
    amount = part(item, "amount")
    texts = [word(item, name) for name in _SIGNED]
    texts += [str(amount.get("value", "")), word(amount, "currency")]
    texts += [word(item, "eventCode"), word(item, "success")]
    digest = hmac.digest(bytes.fromhex(key), ":".join(texts).encode(), "sha256")
    given = word(part(item, "additionalData"), "hmacSignature")
    if not hmac.compare_digest(base64.b64encode(digest), given.encode()):
        raise ForgedError("the signature is not Adyen's")
