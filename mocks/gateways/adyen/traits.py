"""What a request to Adyen says of a payment, for the scope of a fault."""

from __future__ import annotations

import orjson

from mocks.faults.matcher import CARD_DIGITS, Traits
from mocks.gateways.adyen.cards import ENCRYPTED_PREFIX

PAYMENT_ENDPOINTS = ("payments", "payments.details", "captures.create")
"""The endpoints that make money move."""

_METHODS = {
    "scheme": "card",
    "card": "card",
    "applepay": "apple_pay",
    "googlepay": "google_pay",
    "paywithgoogle": "google_pay",
    "sepadirectdebit": "bank_debit",
}
_NUMBERS = ("encryptedCardNumber", "number", "applePayToken", "googlePayToken")


def traits_of(body: bytes) -> Traits:
    """Currency, card and payment method, as far as the body names them. Raises ValueError, AttributeError or
    TypeError when it cannot be read."""
    request = orjson.loads(body)
    method = request.get("paymentMethod") or {}
    kind = (method.get("type") or "scheme") if method else ""
    number = next((method[field] for field in _NUMBERS if method.get(field)), "")
    digits = number.removeprefix(ENCRYPTED_PREFIX).replace(" ", "")[:CARD_DIGITS]
    currency = (request.get("amount") or {}).get("currency") or ""
    return Traits(currency.upper(), digits if digits.isdecimal() else "", _METHODS.get(kind, ""))
