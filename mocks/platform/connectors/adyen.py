"""Adyen Checkout v72: payments with immediate capture, refunds.

Wire: JSON, ``X-API-Key``, ``Idempotency-Key`` of at most 64 characters; a refused payment is a **200** whose
``resultCode`` says so (https://docs.adyen.com/api-explorer/Checkout/72/post/payments,
https://docs.adyen.com/development-resources/api-idempotency).
"""

from __future__ import annotations

import functools
from typing import Any

import orjson

from mocks.outbound import Answer, Call
from mocks.platform.connectors.adyen_report import payout_of
from mocks.platform.connectors.connector import (
    Ask,
    Connector,
    Payout,
    json_object,
    throttled,
    unreadable,
)
from mocks.platform.payment import Payment, Refund
from mocks.platform.vault import INSTRUMENTS, AdyenCard, AdyenWallet
from mocks.platform.verdict import Kind, Verdict, not_taken, unknown

_MOCK_ACCOUNT = "PaydrillTest"
_MOCK_KEY = "test_paydrill"
"""A mock takes any key. This one opens nothing anywhere."""

_REPORTS = "/reports/download/"

_IN_PROGRESS = "704"
"""``errorCode`` of a request whose idempotency key is in use by one that is being carried out."""

# refusalReasonCode -> the same refusal in Stripe's words
# (https://docs.adyen.com/development-resources/refusal-reasons).
_DECLINE_CODES = {
    "2": "generic_decline",
    "4": "processing_error",
    "6": "expired_card",
    "12": "insufficient_funds",
    "24": "incorrect_cvc",
}
# The raw reason of a blocked card (code 5) starts with the card scheme's ISO 8583 response code.
_BLOCKED = "5"
_BLOCKED_CODES = {"41": "lost_card", "43": "stolen_card"}


class Adyen(Connector):
    """Adyen's words.

    How it finds out what became of a charge: Adyen has no look-up, so it replays the idempotency key, which
    returns the stored outcome, or says that the first request is still under way, or carries the payment out
    now. In the last case a payment whose customer was told "unknown" succeeds late: that is allowed, and is
    charged once. (A cancellation by merchant reference would resolve it the other way.)
    """

    name = "adyen"
    methods = ("card", "apple_pay", "google_pay")

    def __init__(self, key: str = _MOCK_KEY, merchant: str = _MOCK_ACCOUNT) -> None:
        self._merchant = merchant
        self._headers = (("x-api-key", key), ("content-type", "application/json"))

    def charge(self, payment: Payment, made: tuple[str, ...] = ()) -> Call:
        instrument = INSTRUMENTS[payment.instrument].adyen
        assert instrument is not None
        body = {
            "merchantAccount": self._merchant,
            "reference": payment.order_id,
            "amount": {"currency": payment.currency, "value": payment.amount_minor},
            "paymentMethod": orjson.Fragment(_payment_method(instrument)),
            "returnUrl": "https://shop.example.test/return",
            "metadata": {"payment_id": payment.id},
        }
        if isinstance(instrument, AdyenWallet) and instrument.acquirer_code:
            body["additionalData"] = {"RequestedTestAcquirerResponseCode": instrument.acquirer_code}
        return self._post("/v72/payments", body, f"{payment.id}-adyen")

    def charged(self, answer: Answer) -> Verdict:
        body = json_object(answer)
        if answer.status != 200:
            return self._error(answer, body)
        result = body.get("resultCode")
        reference = str(body.get("pspReference", ""))
        if result == "Authorised":
            return Verdict(Kind.TAKEN, reference)
        if result in ("Refused", "Cancelled", "Error"):
            return Verdict(Kind.DECLINED, reference, _decline_code(body), "the card was declined")
        return unknown(f"the payment is {result}")

    async def find_out(self, payment: Payment, ask: Ask, *, in_flight: bool) -> Verdict:
        answer = await ask(self.charge(payment))
        if answer.status in (401, 403):
            return unknown("adyen does not let us ask")
        # A refused validation is the answer of a key under which nothing was or is carried out.
        return self.charged(answer)

    def refund(self, refund: Refund, payment: Payment) -> Call:
        body = {
            "merchantAccount": self._merchant,
            "reference": refund.id,
            "amount": {"currency": payment.currency, "value": refund.amount_minor},
        }
        return self._post(f"/v72/payments/{payment.reference}/refunds", body, f"{refund.id}-adyen")

    def refunded(self, answer: Answer) -> Verdict:
        body = json_object(answer)
        if answer.status not in (200, 201):
            return self._error(answer, body)
        if body.get("status") == "received":
            # Adyen tells by webhook, later, if it fails: accepted is made.
            return Verdict(Kind.TAKEN, str(body.get("pspReference", "")))
        return unknown(f"the refund is {body.get('status')}")

    async def payout(self, reference: str, ask: Ask) -> Payout | None:
        """``reference`` is the path of the report."""
        if not reference.startswith(_REPORTS):
            return None
        answer = await ask(Call("GET", reference, self._headers[:1]))
        if answer.status != 200:
            return None
        try:
            return payout_of(answer.body.decode())
        except ValueError:
            return None

    def _error(self, answer: Answer, body: dict[str, Any]) -> Verdict:
        if answer.status == 429:
            return throttled(answer)
        if 400 <= answer.status < 500:
            if str(body.get("errorCode")) == _IN_PROGRESS or answer.headers.get("transient-error") == "true":
                return Verdict(Kind.BUSY, reason="the idempotency key is in use")
            return not_taken(f"adyen refused the request ({answer.status})")
        return unreadable(answer)

    def _post(self, target: str, body: dict[str, Any], key: str) -> Call:
        return Call("POST", target, (*self._headers, ("idempotency-key", key)), orjson.dumps(body))


@functools.cache
def _payment_method(instrument: AdyenCard | AdyenWallet) -> bytes:
    """Rendered once for each instrument of the vault."""
    if isinstance(instrument, AdyenWallet):
        return orjson.dumps({"type": instrument.type, instrument.field: instrument.token})
    card = {
        "type": "scheme",
        "number": instrument.number,
        "expiryMonth": instrument.expiry_month,
        "expiryYear": instrument.expiry_year,
        "cvc": instrument.cvc,
        "holderName": instrument.holder_name,
    }
    return orjson.dumps(card)


def _decline_code(body: dict[str, Any]) -> str:
    code = str(body.get("refusalReasonCode", ""))
    if code == _BLOCKED:
        extra = body.get("additionalData")
        raw = str(extra.get("refusalReasonRaw", "")) if isinstance(extra, dict) else ""
        return _BLOCKED_CODES.get(raw.partition(":")[0].strip(), "generic_decline")
    return _DECLINE_CODES.get(code, "generic_decline")
