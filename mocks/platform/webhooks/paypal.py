"""PayPal's webhooks.

Signature: RSA with SHA-256 over ``<transmission id>|<transmission time>|<webhook id>|<CRC-32 of the raw
body, in decimal>``, by the key of the certificate behind ``PAYPAL-CERT-URL``
(https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod). The certificate is taken
from the gateway's own address only; the caller sees to that. The signing of the certificate itself by an
authority, which the real PayPal's can be checked for, is not checked: the mock's is self-signed.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mocks.platform.webhooks.notice import ForgedError, Notice, document, part, word

TOLERANCE_S = 3 * 86_400
"""A transmission that is older is refused: PayPal redelivers for three days (second-hand)."""

_PAYMENT = frozenset(
    {
        "PAYMENT.CAPTURE.COMPLETED",
        "PAYMENT.CAPTURE.DECLINED",
        "PAYMENT.CAPTURE.DENIED",
    }
)
_NO_DECIMALS = frozenset({"JPY"})

EVENTS = (*sorted(_PAYMENT), "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED")
"""The types of events that mean something here."""


def certificate_url(headers: Mapping[str, str]) -> str:
    """Where the certificate of the signing key is; empty when the webhook names none."""
    return headers.get("paypal-cert-url", "")


def read(
    headers: Mapping[str, str], body: bytes, secret: str, now: float, certificate: bytes = b""
) -> tuple[Notice, ...]:
    """See ``notice.Reader``; ``secret`` is the webhook's id."""
    _verify(headers, body, secret, now, certificate)
    event = document(body)
    id, kind, resource = word(event, "id"), word(event, "event_type"), part(event, "resource")
    reference = word(resource, "id")
    if not (id and kind and reference):
        raise ValueError("an event without its id, type or resource")
    if kind in _PAYMENT:
        # The order's invoice_id is the platform's own id of the payment.
        return (Notice(id, "payment", payment_id=word(resource, "invoice_id"), reference=reference),)
    if kind == "PAYMENT.CAPTURE.REFUNDED":
        return (Notice(id, "refund", refund_id=word(resource, "custom_id"), reference=reference),)
    if kind == "PAYMENT.CAPTURE.REVERSED":
        return (_reversed(id, reference, resource),)
    return ()


def _reversed(id: str, reference: str, resource: dict[str, Any]) -> Notice:
    amount = part(resource, "amount")
    currency, value = word(amount, "currency_code"), word(amount, "value")
    whole, _, decimals = value.partition(".")
    if not (whole.isdigit() and len(decimals) in (0, 2) and (decimals or "0").isdigit()):
        raise ValueError("a reversal without an amount")
    minor = int(whole) if currency in _NO_DECIMALS else int(whole) * 100 + int(decimals or "0")
    links = resource.get("links")
    above = [link for link in links or () if isinstance(link, dict) and link.get("rel") == "up"]
    payment = urlsplit(word(above[0], "href")).path.rpartition("/")[2] if above else ""
    return Notice(id, "dispute", reference=reference, payment=payment, amount_minor=minor, currency=currency)


def _verify(headers: Mapping[str, str], body: bytes, webhook_id: str, now: float, certificate: bytes) -> None:
    name, time = headers.get("paypal-transmission-id", ""), headers.get("paypal-transmission-time", "")
    signed = f"{name}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
        signature = base64.b64decode(headers.get("paypal-transmission-sig", ""), validate=True)
        if not isinstance(key, rsa.RSAPublicKey):
            raise ForgedError("the certificate has no RSA key")
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        at = datetime.fromisoformat(time).timestamp()
    except (binascii.Error, InvalidSignature, ValueError) as error:
        raise ForgedError("the signature is not PayPal's") from error
    if at < now - TOLERANCE_S:
        raise ForgedError("the signature is too old")
