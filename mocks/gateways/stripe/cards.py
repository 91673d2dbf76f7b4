"""Stripe's published test cards: their numbers, their ``pm_card_...`` names, and how they are declined.

From Stripe's documentation ("Testing", "Decline codes"). No other number is taken: real ones and
invented ones have no place here.
"""

from __future__ import annotations

from typing import NamedTuple


class Decline(NamedTuple):
    """``decline_code`` is None where Stripe sends none; ``param`` names the field at fault."""

    code: str
    decline_code: str | None
    message: str
    param: str | None = None


class Card(NamedTuple):
    """``decline`` is None for a card that pays."""

    brand: str
    last4: str
    funding: str
    decline: Decline | None


_GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_LOST = Decline("card_declined", "lost_card", "Your card was declined.")
_STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
_FRAUD = Decline("card_declined", "fraudulent", "Your card was declined.")
_VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)
_EXPIRED = Decline("expired_card", None, "Your card has expired.", "exp_month")
_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.", "cvc")
_PROCESSING = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
_NUMBER = Decline("incorrect_number", None, "Your card number is incorrect.", "number")
_NOT_A_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
)

_NUMBERS: dict[str, tuple[str, str, Decline | None]] = {
    "4242424242424242": ("visa", "credit", None),
    "4000056655665556": ("visa", "debit", None),
    "5555555555554444": ("mastercard", "credit", None),
    "2223003122003222": ("mastercard", "credit", None),
    "5200828282828210": ("mastercard", "debit", None),
    "5105105105105100": ("mastercard", "prepaid", None),
    "378282246310005": ("amex", "credit", None),
    "371449635398431": ("amex", "credit", None),
    "6011111111111117": ("discover", "credit", None),
    "6011000990139424": ("discover", "credit", None),
    "3056930009020004": ("diners", "credit", None),
    "36227206271667": ("diners", "credit", None),
    "3566002020360505": ("jcb", "credit", None),
    "6200000000000005": ("unionpay", "credit", None),
    "4000000000000002": ("visa", "credit", _GENERIC),
    "4000000000009995": ("visa", "credit", _FUNDS),
    "4000000000009987": ("visa", "credit", _LOST),
    "4000000000009979": ("visa", "credit", _STOLEN),
    "4000000000000069": ("visa", "credit", _EXPIRED),
    "4000000000000127": ("visa", "credit", _CVC),
    "4000000000000119": ("visa", "credit", _PROCESSING),
    "4242424242424241": ("visa", "credit", _NUMBER),
    "4000000000006975": ("visa", "credit", _VELOCITY),
    "4100000000000019": ("visa", "credit", _FRAUD),
}

_NAMES = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_mastercard_debit": "5200828282828210",
    "pm_card_mastercard_prepaid": "5105105105105100",
    "pm_card_amex": "378282246310005",
    "pm_card_discover": "6011111111111117",
    "pm_card_diners": "36227206271667",
    "pm_card_jcb": "3566002020360505",
    "pm_card_unionpay": "6200000000000005",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "pm_card_riskLevelHighest": "4100000000000019",
}

NAMES = tuple(_NAMES)
"""The ``pm_card_...`` names."""


def by_number(number: str) -> Card:
    """The card of a number; one that is not a published test number is declined as Stripe declines it in
    test mode."""
    brand, funding, decline = _NUMBERS.get(number, ("unknown", "unknown", _NOT_A_TEST_CARD))
    return Card(brand, number[-4:], funding, decline)


def by_name(name: str) -> Card | None:
    """The card of a ``pm_card_...`` name; None when there is none."""
    number = _NAMES.get(name)
    return by_number(number) if number is not None else None
