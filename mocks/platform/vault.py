"""The vault: tokens that stand for test instruments, and what each gateway knows them as.

A client names a token and never sees a card number. Only published test instruments are in here: Stripe's
``pm_card_...`` names (those of wallets are the mock's own), Adyen's test card numbers with the ``holderName``
that makes its test platform refuse (https://docs.adyen.com/development-resources/testing/result-codes), the
payer names of PayPal's negative testing, and the customer names of GoCardless' sandbox.
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
class AdyenWallet:
    """A wallet's token as Adyen's ``paymentMethod`` of this type takes it in ``field``. ``acquirer_code`` is
    the refusal to ask for (``RequestedTestAcquirerResponseCode``), empty for an approval."""

    type: str
    field: str
    token: str
    acquirer_code: str = ""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a token stands for.

    Attributes:
        token: The name by which a client asks for it.
        method: The payment method it belongs to.
        outcome: How every payment with it must be answered, whichever gateway takes it. ``pending``: its
            gateway accepts it, and collects the money later.
        decline_code: The code of the decline in Stripe's words; empty when it must not be declined. With
            the outcome ``pending``, the decline comes after the answer.
        stripe: Stripe's name of the test payment method; empty when it does not go through Stripe.
        adyen: The test card or wallet at Adyen; ``None`` when it does not go through Adyen.
        payer: The given name of the payer at PayPal, of the customer at GoCardless; their test environments
            decide by it what becomes of the payment.
    """

    token: str
    method: str
    outcome: Literal["succeeded", "declined", "pending"]
    decline_code: str
    stripe: str = ""
    adyen: AdyenCard | AdyenWallet | None = None
    payer: str = ""

    @property
    def declined_at_once(self) -> str:
        """The code of the decline that the answer has to name; empty when it has to name none."""
        return self.decline_code if self.outcome == "declined" else ""


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


def _wallet(
    token: str, method: str, stripe: str, number: str, decline: str = "", code: str = ""
) -> Instrument:
    type, field = _ADYEN_WALLETS[method]
    # An encrypted field of Adyen's test environment may be the plain value behind this prefix.
    wallet = AdyenWallet(type, field, f"test_{number}", code)
    return Instrument(token, method, "declined" if decline else "succeeded", decline, stripe, wallet)


def _paypal(token: str, payer: str, decline: str = "") -> Instrument:
    return Instrument(token, "paypal", "declined" if decline else "succeeded", decline, payer=payer)


def _bank(token: str, payer: str, decline: str = "") -> Instrument:
    return Instrument(token, "bank", "pending", decline, payer=payer)


_ADYEN_WALLETS = {"apple_pay": ("applepay", "applePayToken"), "google_pay": ("googlepay", "googlePayToken")}
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
        _wallet("apple_pay_visa", "apple_pay", "pm_card_applePayVisa", _VISA),
        _wallet("apple_pay_mastercard", "apple_pay", "pm_card_applePayMastercard", "5555444433331111"),
        _wallet(
            "apple_pay_declined_generic",
            "apple_pay",
            "pm_card_applePayChargeDeclined",
            _VISA,
            "generic_decline",
            "2",
        ),
        _wallet(
            "apple_pay_declined_insufficient_funds",
            "apple_pay",
            "pm_card_applePayChargeDeclinedInsufficientFunds",
            _VISA,
            "insufficient_funds",
            "12",
        ),
        _wallet("google_pay_visa", "google_pay", "pm_card_googlePayVisa", _VISA),
        _wallet("google_pay_mastercard", "google_pay", "pm_card_googlePayMastercard", "5555444433331111"),
        _wallet(
            "google_pay_declined_generic",
            "google_pay",
            "pm_card_googlePayChargeDeclined",
            _VISA,
            "generic_decline",
            "2",
        ),
        _wallet(
            "google_pay_declined_insufficient_funds",
            "google_pay",
            "pm_card_googlePayChargeDeclinedInsufficientFunds",
            _VISA,
            "insufficient_funds",
            "12",
        ),
        _paypal("paypal_wallet", "Jane"),
        _paypal("paypal_declined_generic", "CCREJECT-REFUSED", "generic_decline"),
        _paypal("paypal_declined_insufficient_funds", "CCREJECT-IF", "insufficient_funds"),
        _paypal("paypal_declined_expired_card", "CCREJECT-EC", "expired_card"),
        _bank("bank_account", "Successful"),
        _bank("bank_account_without_funds", "Penniless", "insufficient_funds"),
    )
}
"""Token -> instrument."""

BANK_ACCOUNTS: dict[str, dict[str, str]] = {
    "EUR": {"iban": "FR1420041010050500013M02606"},
    "GBP": {"country_code": "GB", "branch_code": "200000", "account_number": "55779911"},
    "USD": {
        "country_code": "US",
        "account_type": "checking",
        "bank_code": "026073150",
        "account_number": "2715500356",
    },
}
"""Currency -> GoCardless' test bank details
(https://developer.gocardless.com/developer-tools/test-bank-details)."""
