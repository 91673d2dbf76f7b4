"""Adyen's published test cards, and the triggers of its test environment.

From Adyen's documentation ("Test card numbers", "Testing result codes and refusal reasons", "Testing with
card holder name", "Test a chargeback scenario") and the examples of its published OpenAPI document. No other
number is taken.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

DisputeCode = Literal["CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK"]

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


class Trigger(NamedTuple):
    """What is to become of a payment.

    Attributes:
        refusal: It is not authorised.
        pending: Its result comes later (``Payments.settle``).
        capture_fails: The card scheme rejects its capture after Adyen has taken it.
        refund_fails: The card scheme rejects its refunds after Adyen has taken them.
        disputes: The stages of the dispute that follows its capture.
        reason_code: The scheme's code of the dispute, empty for none.
    """

    refusal: Refusal | None = None
    pending: bool = False
    capture_fails: bool = False
    refund_fails: bool = False
    disputes: tuple[DisputeCode, ...] = ()
    reason_code: str = ""


ORDINARY = Trigger()
"""Approved, and nothing happens afterwards."""

BRANDS = {
    "4111111111111111": "visa",
    "4111111145551142": "visa",
    "4988438843884305": "visa",
    "4166676667666746": "visa",
    "4646464646464644": "visa",
    "4444333322221111": "visa",
    "4000620000000007": "visa",
    "4000060000000006": "visa",
    "4212345678901237": "visa",
    "4035501428146300": "visa",
    "5555444433331111": "mc",
    "5555555555554444": "mc",
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

ENROLLED = frozenset({"4212345678901237", "4035501428146300"})
"""Cards whose issuer asks for 3-D Secure: they answer with a redirect, or with the native flow if that is
preferred (``authenticationData.threeDSRequestData.nativeThreeDS``)."""

REFUSED = Refusal("Refused", "Refused", "2")
INVALID_NUMBER = Refusal("Refused", "Invalid Card Number", "8")
NOT_AUTHENTICATED = Refusal("Refused", "3D Not Authenticated", "11")
SHOPPER_CANCELLED = Refusal("Cancelled", "Shopper Cancelled", "16")

_TRIGGERS: dict[str, Refusal | None] = {
    "UNKNOWN": Refusal("Error", "Unknown", "0"),
    "APPROVED": None,
    "DECLINED": REFUSED,
    "REFERRAL": Refusal("Refused", "Referral", "3"),
    "ERROR": Refusal("Error", "Acquirer Error", "4"),
    "BLOCK_CARD": Refusal("Refused", "Blocked Card", "5"),
    "CARD_EXPIRED": Refusal("Refused", "Expired Card", "6"),
    "INVALID_AMOUNT": Refusal("Refused", "Invalid Amount", "7"),
    "INVALID_CARD_NUMBER": INVALID_NUMBER,
    "ISSUER_UNAVAILABLE": Refusal("Refused", "Issuer Unavailable", "9"),
    "NOT_SUPPORTED": Refusal("Refused", "Not supported", "10"),
    "NOT_3D_AUTHENTICATED": NOT_AUTHENTICATED,
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
"""Holder name -> what the payment comes to; None approves. PARTIALLY_APPROVED is left out."""

_LATER: dict[str, Trigger] = {
    "PENDING": Trigger(pending=True),
    "capture failed": Trigger(capture_fails=True),
    "refund failed": Trigger(refund_fails=True),
    "Chargeback": Trigger(disputes=("CHARGEBACK",)),
    "Chargeback Reversed": Trigger(disputes=("CHARGEBACK", "CHARGEBACK_REVERSED")),
    "Second Chargeback": Trigger(disputes=("CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK")),
}
"""Holder name -> what happens after the answer. That PENDING is one of them is second-hand; that the later
stages of a dispute pass through the earlier ones is assumed."""

_BY_CODE = {refusal.code: refusal for refusal in _TRIGGERS.values() if refusal is not None}

HOLDER_NAMES = tuple(_TRIGGERS)
"""The holder names that trigger an answer."""


def by_holder_name(name: str) -> Trigger:
    """What a holder name triggers; ``ORDINARY`` for any name that is no trigger.

    ``BLOCK_CARD : 41 : Lost card`` triggers BLOCK_CARD with that raw reason, ``Chargeback:10.4`` a chargeback
    with that reason code; Adyen's own examples write it ``chargeback:10.4``, too.
    """
    if name in _LATER:
        return _LATER[name]
    if name[:11].lower() == "chargeback:":
        return _LATER["Chargeback"]._replace(reason_code=name[11:].strip())
    trigger, colon, raw = name.partition(" : ")
    refusal = _TRIGGERS.get(trigger)
    if refusal is None:
        return ORDINARY
    return Trigger(refusal._replace(raw=raw) if colon else refusal)


def by_acquirer_code(code: str) -> Trigger:
    """What ``additionalData.RequestedTestAcquirerResponseCode`` triggers."""
    refusal = _BY_CODE.get(code)
    return ORDINARY if refusal is None else Trigger(refusal)


def passes_luhn(number: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, Annex B)."""
    if not (number.isascii() and number.isdigit() and 8 <= len(number) <= 19):
        return False
    total = 0
    for place, letter in enumerate(reversed(number)):
        digit = int(letter) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0
