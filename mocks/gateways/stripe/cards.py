"""Stripe's published test cards: their numbers, their ``pm_card_...`` names, and how they are declined.

From Stripe's documentation ("Testing", "Decline codes", "3D Secure authentication"). No other number is
taken: real ones and invented ones have no place here. A token ``tok_...`` stands for the card that is named
``pm_card_...`` with the same ending.

Stripe documents no card of a wallet for tests. ``tok_applePayVisa`` and ``tok_androidPayVisa`` are known to
its test environment (second-hand: from a test suite that ran against it); the other names of wallets are
this mock's own, as are their ``pm_card_...`` forms.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple


class Decline(NamedTuple):
    """``decline_code`` is None where Stripe sends none; ``param`` names the field at fault."""

    code: str
    decline_code: str | None
    message: str
    param: str | None = None


class Card(NamedTuple):
    """A test card.

    Attributes:
        decline: How it is declined; None for a card that pays.
        authentication: When its holder has to be authenticated: never (empty), ``always``, or within a
            session only: ``set_up`` beforehand, or ``unless_set_up`` by an earlier payment.
        wallet: ``apple_pay``, ``google_pay``, or empty.
        attachable: Whether it can be attached to a customer: it cannot if it is declined at once, except
            for the one that is made for this.
        sequel: What comes after a payment that succeeded, of ``SEQUELS``; mostly nothing (empty).
    """

    brand: str
    last4: str
    funding: str
    decline: Decline | None
    authentication: str = ""
    wallet: str = ""
    attachable: bool = True
    sequel: str = ""

    @property
    def kind(self) -> str:
        """The ``type`` of its PaymentMethod."""
        return "card"

    @property
    def wallet_body(self) -> dict[str, Any] | None:
        """The API's ``wallet``; the number that a device holds in the card's stead ends otherwise."""
        if not self.wallet:
            return None
        return {"type": self.wallet, "dynamic_last4": DYNAMIC_LAST4, self.wallet: {}}

    def body(self) -> dict[str, Any]:
        """What the API shows of the card on its PaymentMethod, besides the expiry date."""
        return {
            "brand": self.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": None if self.wallet else "pass",
            },
            "country": "US",
            "display_brand": self.brand,
            "fingerprint": fingerprint(f"{self.brand}/{self.last4}/{self.funding}"),
            "funding": self.funding,
            "generated_from": None,
            "last4": self.last4,
            "networks": {"available": [self.brand], "preferred": None},
            "three_d_secure_usage": {"supported": self.brand != "amex"},
            "wallet": self.wallet_body,
        }

    def charge_body(self, authenticated: bool, mandate: str) -> dict[str, Any]:
        """What the API shows of the card on a charge."""
        secured = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
        return {
            "brand": self.brand,
            "funding": self.funding,
            "last4": self.last4,
            "three_d_secure": secured if authenticated else None,
            "wallet": self.wallet_body,
        }


DYNAMIC_LAST4 = "4242"
"""The last digits of the number on a wallet's device."""


def fingerprint(number: str) -> str:
    """Sixteen letters that are the same for the same card or account."""
    return blake2b(number.encode(), digest_size=8).hexdigest()


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
"""The decline that gives no reason."""

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
    "4000000000000002": ("visa", "credit", GENERIC),
    "4000000000009995": ("visa", "credit", _FUNDS),
    "4000000000009987": ("visa", "credit", _LOST),
    "4000000000009979": ("visa", "credit", _STOLEN),
    "4000000000000069": ("visa", "credit", _EXPIRED),
    "4000000000000127": ("visa", "credit", _CVC),
    "4000000000000119": ("visa", "credit", _PROCESSING),
    "4242424242424241": ("visa", "credit", _NUMBER),
    "4000000000006975": ("visa", "credit", _VELOCITY),
    "4100000000000019": ("visa", "credit", _FRAUD),
    "4000000000000341": ("visa", "credit", GENERIC),
    "4000000000003055": ("visa", "credit", None),
    "4000002500003155": ("visa", "credit", None),
    "4000002760003184": ("visa", "credit", None),
    "4000003800000446": ("visa", "credit", None),
    "4000000000003220": ("visa", "credit", None),
    "4000008260003178": ("visa", "credit", _FUNDS),
    "4000008400001629": ("visa", "credit", GENERIC),
    "4000000000000259": ("visa", "credit", None),
    "4000000000002685": ("visa", "credit", None),
    "4000000000001976": ("visa", "credit", None),
    "4000000000005423": ("visa", "credit", None),
    "4000000000007726": ("visa", "credit", None),
    "4000000000005126": ("visa", "credit", None),
}

_AUTHENTICATION = {
    "4000002500003155": "unless_set_up",
    "4000003800000446": "set_up",
    "4000002760003184": "always",
    "4000000000003220": "always",
    "4000008260003178": "always",
    "4000008400001629": "always",
}

_SEQUELS = {
    "4000000000000259": "fraudulent",
    "4000000000002685": "product_not_received",
    "4000000000001976": "inquiry",
    "4000000000005423": "early_fraud_warning",
    "4000000000007726": "refund_pending",
    "4000000000005126": "refund_fails",
}

SEQUELS = tuple(_SEQUELS.values())
"""What a card may have in store after its payment ("Testing": disputes, asynchronous refunds): a dispute of
either reason, an inquiry, a warning of the issuer's, a refund that takes its time, a refund that fails."""

_DECLINED_WHEN_ATTACHED = "4000000000000341"

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
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredSetupForOffSession": "4000003800000446",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_threeDSecureRequiredChargeDeclined": "4000008400001629",
    "pm_card_threeDSecureOptional": "4000000000003055",
    "pm_card_amex_threeDSecureNotSupported": "378282246310005",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_createIssuerFraudRecord": "4000000000005423",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}

_WALLETS = {
    "pm_card_applePayVisa": ("apple_pay", "4242424242424242"),
    "pm_card_applePayMastercard": ("apple_pay", "5555555555554444"),
    "pm_card_applePayAmex": ("apple_pay", "378282246310005"),
    "pm_card_applePayChargeDeclined": ("apple_pay", "4000000000000002"),
    "pm_card_applePayChargeDeclinedInsufficientFunds": ("apple_pay", "4000000000009995"),
    "pm_card_androidPayVisa": ("google_pay", "4242424242424242"),
    "pm_card_googlePayVisa": ("google_pay", "4242424242424242"),
    "pm_card_googlePayMastercard": ("google_pay", "5555555555554444"),
    "pm_card_googlePayAmex": ("google_pay", "378282246310005"),
    "pm_card_googlePayChargeDeclined": ("google_pay", "4000000000000002"),
    "pm_card_googlePayChargeDeclinedInsufficientFunds": ("google_pay", "4000000000009995"),
}

NAMES = (*_NAMES, *_WALLETS)
"""The ``pm_card_...`` names."""


def by_number(number: str) -> Card:
    """The card of a number; one that is not a published test number is declined as Stripe declines it in
    test mode."""
    brand, funding, decline = _NUMBERS.get(number, ("unknown", "unknown", _NOT_A_TEST_CARD))
    authentication = _AUTHENTICATION.get(number, "")
    attachable = decline is None or authentication != "" or number == _DECLINED_WHEN_ATTACHED
    sequel = _SEQUELS.get(number, "")
    return Card(brand, number[-4:], funding, decline, authentication, "", attachable, sequel)


def by_name(name: str) -> Card | None:
    """The card of a ``pm_card_...`` name; None when there is none."""
    return _BY_NAME.get(name)


def number_of(name: str) -> str:
    """The number behind a ``pm_card_...`` name; empty when there is no such name."""
    return _NAMES.get(name) or _WALLETS.get(name, ("", ""))[1]


def by_token(token: str) -> Card | None:
    """The card of a ``tok_...`` name; None when there is none."""
    return _BY_NAME.get(f"pm_card_{token[4:]}") if token.startswith("tok_") else None


_BY_NAME = {name: by_number(number) for name, number in _NAMES.items()} | {
    name: by_number(number)._replace(wallet=wallet) for name, (wallet, number) in _WALLETS.items()
}
