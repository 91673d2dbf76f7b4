"""Adyen's published test cards, and the triggers of its test environment.

From Adyen's documentation ("Test card numbers", "Testing result codes and refusal reasons"). No other number
is taken.
"""

from __future__ import annotations

from typing import NamedTuple

ENCRYPTED_PREFIX = "test_"
"""In the test environment an encrypted field may be the plain value with this in front of it."""


class Refusal(NamedTuple):
    """``result`` is the ``resultCode`` (Refused, Error, Cancelled), ``code`` the ``refusalReasonCode``,
    ``raw`` the acquirer's own reason (``41 : Lost card``), which the answer repeats as
    ``refusalReasonRaw``."""

    result: str
    reason: str
    code: str
    raw: str = ""


BRANDS = {
    "4111111111111111": "visa",
    "4111111145551142": "visa",
    "4988438843884305": "visa",
    "4166676667666746": "visa",
    "4646464646464644": "visa",
    "4444333322221111": "visa",
    "4000620000000007": "visa",
    "4000060000000006": "visa",
    "5555444433331111": "mc",
    "5555341244441115": "mc",
    "5577000055770004": "mc",
    "5136333333333335": "mc",
    "2222400070000005": "mc",
    "2222410740360010": "mc",
    "370000000000002": "amex",
    "6011601160116611": "discover",
    "36006666333344": "diners",
    "3569990010095841": "jcb",
}
"""Test card number -> brand."""

INVALID_NUMBER = Refusal("Refused", "Invalid Card Number", "8")

_TRIGGERS: dict[str, Refusal | None] = {
    "UNKNOWN": Refusal("Error", "Unknown", "0"),
    "APPROVED": None,
    "DECLINED": Refusal("Refused", "Refused", "2"),
    "REFERRAL": Refusal("Refused", "Referral", "3"),
    "ERROR": Refusal("Error", "Acquirer Error", "4"),
    "BLOCK_CARD": Refusal("Refused", "Blocked Card", "5"),
    "CARD_EXPIRED": Refusal("Refused", "Expired Card", "6"),
    "INVALID_AMOUNT": Refusal("Refused", "Invalid Amount", "7"),
    "INVALID_CARD_NUMBER": INVALID_NUMBER,
    "ISSUER_UNAVAILABLE": Refusal("Refused", "Issuer Unavailable", "9"),
    "NOT_SUPPORTED": Refusal("Refused", "Not supported", "10"),
    "NOT_3D_AUTHENTICATED": Refusal("Refused", "3D Not Authenticated", "11"),
    "NOT_ENOUGH_BALANCE": Refusal("Refused", "Not enough balance", "12"),
    "ACQUIRER_FRAUD": Refusal("Refused", "Acquirer Fraud", "14"),
    "CANCELLED": Refusal("Refused", "Cancelled", "15"),
    "SHOPPER_CANCELLED": Refusal("Refused", "Shopper Cancelled", "16"),
    "INVALID_PIN": Refusal("Refused", "Invalid Pin", "17"),
    "PIN_TRIES_EXCEEDED": Refusal("Refused", "Pin tries exceeded", "18"),
    "PIN_VALIDATION_NOT_POSSIBLE": Refusal("Refused", "Pin validation not possible", "19"),
    "FRAUD": Refusal("Refused", "FRAUD", "20"),
    "NOT_SUBMITTED": Refusal("Refused", "Not Submitted", "21"),
    "FRAUD_CANCELLED": Refusal("Cancelled", "FRAUD-CANCELLED", "22"),
    "TRANSACTION_NOT_PERMITTED": Refusal("Refused", "Transaction Not Permitted", "23"),
    "CVC_DECLINED": Refusal("Refused", "CVC Declined", "24"),
    "RESTRICTED_CARD": Refusal("Refused", "Restricted Card", "25"),
    "REVOCATION_OF_AUTH": Refusal("Refused", "Revocation Of Auth", "26"),
    "DECLINED_NON_GENERIC": Refusal("Refused", "Declined Non Generic", "27"),
    "WITHDRAWAL_AMOUNT_EXCEEDED": Refusal("Refused", "Withdrawal amount exceeded", "28"),
    "WITHDRAWAL_COUNT_EXCEEDED": Refusal("Refused", "Withdrawal count exceeded", "29"),
    "ISSUER_SUSPECTED_FRAUD": Refusal("Refused", "Issuer Suspected Fraud", "31"),
    "AVS_DECLINED": Refusal("Refused", "AVS Declined", "32"),
}
"""Holder name -> what the payment comes to; None approves. Those whose outcome comes later or in part
(PENDING, PARTIALLY_APPROVED) are left out."""

_BY_CODE = {refusal.code: refusal for refusal in _TRIGGERS.values() if refusal is not None}

HOLDER_NAMES = tuple(_TRIGGERS)
"""The holder names that trigger something."""


def by_holder_name(name: str) -> Refusal | None:
    """What a holder name triggers; None approves, as any name does that is not a trigger.

    ``BLOCK_CARD : 41 : Lost card`` triggers BLOCK_CARD with that raw reason.
    """
    trigger, colon, raw = name.partition(" : ")
    refusal = _TRIGGERS.get(trigger)
    return refusal._replace(raw=raw) if refusal is not None and colon else refusal


def by_acquirer_code(code: str) -> Refusal | None:
    """What ``additionalData.RequestedTestAcquirerResponseCode`` triggers; None approves."""
    return _BY_CODE.get(code)


def passes_luhn(number: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, Annex B)."""
    if not (number.isascii() and number.isdigit() and 8 <= len(number) <= 19):
        return False
    total = 0
    for place, letter in enumerate(reversed(number)):
        digit = int(letter) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0
