"""Payments: what a request must hold, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from mocks.gateways.adyen import cards
from mocks.gateways.adyen.errors import AdyenError, invalid, merchant_refused
from mocks.ledger import Ledger
from mocks.reply import Reply

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Amount:
    """``value`` is in the minor unit of ``currency``, an upper-case ISO 4217 code."""

    currency: str
    value: int

    def body(self) -> Body:
        return {"currency": self.currency, "value": self.value}


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment that has been validated. The card number itself is not kept."""

    merchant: str
    reference: str
    amount: Amount
    brand: str
    refusal: cards.Refusal | None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that has been authorised, and captured at once (Adyen's default capture delay)."""

    psp_reference: str
    request: PaymentRequest


class Payments:
    """All authorised payments of one gateway, by pspReference."""

    def __init__(self, ledger: Ledger, new_reference: Callable[[], str]) -> None:
        self._ledger = ledger
        self._new_reference = new_reference
        self._by_reference: dict[str, Payment] = {}

    def find(self, psp_reference: str) -> Payment:
        """Raises AdyenError (422/167) when there is none."""
        if psp_reference not in self._by_reference:
            raise invalid("167", "Original pspReference required for this operation")
        return self._by_reference[psp_reference]

    def make(self, request: PaymentRequest, at_ns: int) -> Reply:
        """Ask the bank: the moment at which money moves. A refusal is HTTP 200 too."""
        reference = self._new_reference()
        body: Body = {"pspReference": reference, "merchantReference": request.reference}
        refusal = request.refusal
        if refusal is not None:
            body |= {
                "resultCode": refusal.result,
                "refusalReason": refusal.reason,
                "refusalReasonCode": refusal.code,
            }
            if refusal.raw:
                body["additionalData"] = {"refusalReasonRaw": refusal.raw}
            return Reply(200, orjson.dumps(body), "error" if refusal.result == "Error" else "declined")
        amount = request.amount
        self._ledger.capture(reference, request.reference, amount.value, amount.currency, at_ns)
        self._by_reference[reference] = Payment(reference, request)
        body |= {
            "resultCode": "Authorised",
            "amount": amount.body(),
            "paymentMethod": {"type": "scheme", "brand": request.brand},
        }
        return Reply(200, orjson.dumps(body), "succeeded")


def payment_request(body: Body) -> PaymentRequest:
    """Read a payment request. Raises AdyenError (403, 422)."""
    merchant = merchant_of(body)
    amount = amount_of(body)
    reference = body.get("reference")
    if not isinstance(reference, str) or not reference:
        raise invalid("130", "Required field 'reference' is not provided.")
    method = body.get("paymentMethod")
    if not isinstance(method, dict):
        raise invalid("14_006", "Required object 'paymentMethod' is not provided.")
    if method.get("type") not in (None, "scheme", "card"):
        raise invalid("14_006", "This mock takes paymentMethod.type scheme only.")
    number = _number(method)
    refusal = _trigger(method, body.get("additionalData"))
    brand = cards.BRANDS.get(number)
    if brand is None:
        # A real number has no place here. The test environment refuses what is not a test card.
        brand, refusal = "unknown", cards.INVALID_NUMBER
    return PaymentRequest(merchant, reference, amount, brand, refusal)


def merchant_of(body: Body) -> str:
    """Any merchant account will do; a missing one is answered like a foreign one. Raises AdyenError (403)."""
    merchant = body.get("merchantAccount")
    if not isinstance(merchant, str) or not merchant:
        raise merchant_refused()
    return merchant


def amount_of(body: Body) -> Amount:
    """The amount of a request. Zero-value authorisations are not offered. Raises AdyenError (422)."""
    amount = body.get("amount")
    if not isinstance(amount, dict):
        raise invalid("100", "Required object 'amount' is not provided.")
    currency, value = amount.get("currency"), amount.get("value")
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise invalid("138", "Unsupported currency specified")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**12:
        raise invalid("137", "Invalid amount specified")
    return Amount(currency.upper(), value)


def _number(method: Body) -> str:
    number = method.get("encryptedCardNumber")
    if isinstance(number, str):
        if not number.startswith(cards.ENCRYPTED_PREFIX):
            raise AdyenError(422, "174", "Unable to decrypt data", "validation")
        number = number.removeprefix(cards.ENCRYPTED_PREFIX)
    else:
        number = method.get("number")
    digits = number.replace(" ", "") if isinstance(number, str) else ""
    if not cards.passes_luhn(digits):
        raise invalid("101", "Invalid card number")
    return digits


def _trigger(method: Body, additional: object) -> cards.Refusal | None:
    if isinstance(additional, dict):
        code = additional.get("RequestedTestAcquirerResponseCode")
        if code is not None:
            return cards.by_acquirer_code(str(code))
    holder = method.get("holderName")
    return cards.by_holder_name(holder) if isinstance(holder, str) else None
