"""What a request to GoCardless says of a payment, for the scope of a fault."""

from __future__ import annotations

import orjson

from mocks.faults.matcher import Traits

PAYMENT_ENDPOINTS = ("payments.create", "payments.retry")
"""The endpoints that make money move, days later."""


def traits_of(body: bytes) -> Traits:
    """Currency and payment method: there are bank debits only. Raises ValueError, AttributeError or TypeError
    when the body cannot be read."""
    request = orjson.loads(body)
    payment = request.get("payments") or request.get("refunds") or {}
    return Traits((payment.get("currency") or "").upper(), "", "bank_debit" if "payments" in request else "")
