"""Adyen's standard webhooks: what happened, as the signed JSON that a merchant's server receives.

The shape of an item is that of Adyen's published webhook specification (Webhooks v1); ``success`` and
``live`` are strings. The signature is the one that Adyen's SDK checks (``is_valid_hmac_notification``).
"""

from __future__ import annotations

import base64
import functools
import hmac
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import orjson

from mocks.gateways.adyen.amounts import Amount, Body
from mocks.webhooks import Rules

HMAC_KEY = "5AFE" * 16
"""The key that webhooks are signed with, in hex. It protects nothing: everybody may know it."""

_RETRIED_S = 30 * 86_400
_LONGEST_WAIT_S = 8 * 3600
_WAITS_S = (9, 18, 27, 120, 300, 600, 900, 1800, 3600, 7200, 14400, _LONGEST_WAIT_S)

RULES = Rules(
    # Adyen names a webhook by its pspReference and eventCode only; this one is for the journal.
    event_id=lambda number: f"adyen-{number}",
    sign=lambda body, at: (),
    redelivery_s=(*_WAITS_S, *(_LONGEST_WAIT_S,) * int((_RETRIED_S - sum(_WAITS_S)) // _LONGEST_WAIT_S)),
    timeout_s=10.0,
)
"""How webhooks are delivered: a 2xx within 10 s accepts one; they are tried again for 30 days
("Troubleshooting webhooks"). That the first three are waits, not moments counted from the first attempt, and
that the last wait is repeated until the 30 days are over, is how that page is read here. The signature is
part of the body."""

EventCode = Literal[
    "AUTHORISATION",
    "CAPTURE",
    "CAPTURE_FAILED",
    "REFUND",
    "REFUND_FAILED",
    "CANCELLATION",
    "TECHNICAL_CANCEL",
    "CANCEL_OR_REFUND",
    "AUTHORISATION_ADJUSTMENT",
    "NOTIFICATION_OF_CHARGEBACK",
    "CHARGEBACK",
    "INFORMATION_SUPPLIED",
    "CHARGEBACK_REVERSED",
    "SECOND_CHARGEBACK",
    "DISPUTE_DEFENSE_PERIOD_ENDED",
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED",
    "REPORT_AVAILABLE",
]


class Notice(NamedTuple):
    """Something that a merchant is told.

    Attributes:
        code: What happened.
        psp_reference: Of the request that it is the outcome of; of the dispute for chargebacks; the file
            name of a report.
        original_reference: The payment's pspReference, empty when it is the payment itself.
        merchant: The merchant account.
        merchant_reference: The reference of the payment request, for modifications too.
        amount: Of the payment or the modification; nothing for a report.
        success: Whether it succeeded. CAPTURE_FAILED and REFUND_FAILED are told with True.
        reason: Why not, for people; empty on success. Why a dispute was raised; the URL of a report.
        payment_method: The card's brand, or the method; empty for a report.
        additional: ``additionalData`` besides the signature.
    """

    code: EventCode
    psp_reference: str
    original_reference: str
    merchant: str
    merchant_reference: str
    amount: Amount
    success: bool
    reason: str
    payment_method: str
    additional: tuple[tuple[str, str], ...] = ()


def signature(item: Body, key: str) -> str:
    """The ``hmacSignature`` of an item: base64 of HMAC-SHA256 over eight fields joined by ``:``, with the key
    decoded from hex.

    Raises:
        ValueError: The key is not hex.
    """
    fields = (
        item["pspReference"],
        item.get("originalReference", ""),
        item["merchantAccountCode"],
        item["merchantReference"],
        str(item["amount"]["value"]),
        item["amount"]["currency"],
        item["eventCode"],
        item["success"],
    )
    digest = hmac.digest(bytes.fromhex(key), ":".join(fields).encode(), "sha256")
    return base64.b64encode(digest).decode("ascii")


def item(notice: Notice, created: int, key: str = HMAC_KEY) -> Body:
    """A signed ``NotificationRequestItem``. ``created`` is in Unix seconds.

    Raises:
        ValueError: The key is not hex.
    """
    body: Body = {
        "amount": notice.amount.body(),
        "eventCode": notice.code,
        "eventDate": _date(created),
        "merchantAccountCode": notice.merchant,
        "merchantReference": notice.merchant_reference,
        "pspReference": notice.psp_reference,
        "reason": notice.reason,
        "success": "true" if notice.success else "false",
    }
    if notice.payment_method:
        body["paymentMethod"] = notice.payment_method
    if notice.original_reference:
        body["originalReference"] = notice.original_reference
    if notice.code == "AUTHORISATION" and notice.success:
        body["operations"] = ["CANCEL", "CAPTURE", "REFUND"]
    body["additionalData"] = {**dict(notice.additional), "hmacSignature": signature(body, key)}
    return body


@functools.lru_cache(16)
def _date(created: int) -> str:
    """ISO 8601; made once for all that happens in a second."""
    return datetime.fromtimestamp(created, UTC).isoformat()


def notification(notice: Notice, created: int, key: str = HMAC_KEY) -> bytes:
    """The body of one webhook: over HTTP, Adyen sends one item in each."""
    items = [{"NotificationRequestItem": item(notice, created, key)}]
    return orjson.dumps({"live": "false", "notificationItems": items})
