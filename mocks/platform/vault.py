"""The vault: tokens that stand for test instruments, and what each gateway knows them as.

A client names a token and never sees a card number. Only published test instruments are in here: Stripe's
``pm_card_...`` names, and Adyen's test card numbers with the ``holderName`` that makes its test platform
refuse (https://docs.adyen.com/development-resources/testing/result-codes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AdyenCard:
    """A test card as Adyen's ``paymentMethod`` of type ``scheme`` takes it."""

    number: str
    expiry_month: str
    expiry_year: str
    cvc: str
    holder_name: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a token stands for.

    Attributes:
        token: The name by which a client asks for it.
        method: The payment method it belongs to.
        outcome: How every payment with it must end, whichever gateway takes it.
        decline_code: The code of the decline in Stripe's words; empty when it must not be declined.
        stripe: Stripe's name of the test payment method.
        adyen: The test card at Adyen.
    """

    token: str
    method: str
    outcome: Literal["succeeded", "declined"]
    decline_code: str
    stripe: str
    adyen: AdyenCard


def _card(token: str, stripe: str, number: str, holder: str = "Jane Doe", decline: str = "") -> Instrument:
    # Adyen's test cards all expire in 03/2030 with security code 737, American Express with 7373.
    cvc = "7373" if number.startswith("37") else "737"
    return Instrument(
        token,
        "card",
        "declined" if decline else "succeeded",
        decline,
        stripe,
        AdyenCard(number, "03", "2030", cvc, holder),
    )


_VISA = "4111111111111111"

# Adyen has one refusal for a lost and a stolen card, "Blocked Card"; what tells them apart is the raw reason
# of the card scheme (ISO 8583 response codes 41 and 43), which its test platform takes from the holder's
# name in the form "RESULT : code : text".
INSTRUMENTS: dict[str, Instrument] = {
    instrument.token: instrument
    for instrument in (
        _card("card_visa", "pm_card_visa", _VISA),
        _card("card_mastercard", "pm_card_mastercard", "5555444433331111"),
        _card("card_amex", "pm_card_amex", "370000000000002"),
        _card("card_declined_generic", "pm_card_visa_chargeDeclined", _VISA, "DECLINED", "generic_decline"),
        _card(
            "card_declined_insufficient_funds",
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            _VISA,
            "NOT_ENOUGH_BALANCE",
            "insufficient_funds",
        ),
        _card(
            "card_declined_lost_card",
            "pm_card_visa_chargeDeclinedLostCard",
            _VISA,
            "BLOCK_CARD : 41 : Lost card",
            "lost_card",
        ),
        _card(
            "card_declined_stolen_card",
            "pm_card_visa_chargeDeclinedStolenCard",
            _VISA,
            "BLOCK_CARD : 43 : Stolen card",
            "stolen_card",
        ),
        _card(
            "card_declined_expired_card",
            "pm_card_chargeDeclinedExpiredCard",
            _VISA,
            "CARD_EXPIRED",
            "expired_card",
        ),
        _card(
            "card_declined_incorrect_cvc",
            "pm_card_chargeDeclinedIncorrectCvc",
            _VISA,
            "CVC_DECLINED",
            "incorrect_cvc",
        ),
        _card(
            "card_declined_processing_error",
            "pm_card_chargeDeclinedProcessingError",
            _VISA,
            "ERROR",
            "processing_error",
        ),
    )
}
"""Token -> instrument."""
