"""Payment requests: what one must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mocks.gateways.adyen import cards
from mocks.gateways.adyen.amounts import Amount, Body, amount_of
from mocks.gateways.adyen.bank_account import METHOD as SEPA
from mocks.gateways.adyen.bank_account import check_account
from mocks.gateways.adyen.errors import AdyenError, invalid, merchant_refused

LONGEST_DELAY = 672
"""Hours of ``captureDelayHours``, at most (28 days)."""

WALLETS = {"applepay": "applePayToken", "googlepay": "googlePayToken", "paywithgoogle": "googlePayToken"}
"""``paymentMethod.type`` of a wallet -> the field of its token."""

Flow = Literal["", "redirect", "native"]
"""How the shopper is authenticated: not at all, by a redirect, by the native 3-D Secure 2 flow."""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment that has been validated. The card number itself is not kept.

    Attributes:
        merchant: The merchant account.
        reference: The merchant's own, e.g. the order id.
        amount: To be authorised.
        method: ``paymentMethod.type`` as the answer gives it.
        brand: The card's brand; the method again where there is no card.
        manual: It is captured on request only.
        delay_hours: From its authorisation to its automatic capture.
        flow: How the shopper is authenticated.
        return_url: Where the shopper goes after a redirect; empty without one.
        trigger: What is to become of it.
    """

    merchant: str
    reference: str
    amount: Amount
    method: str
    brand: str
    manual: bool
    delay_hours: int
    flow: Flow
    return_url: str
    trigger: cards.Trigger


def payment_request(body: Body) -> PaymentRequest:
    """Read a payment request.

    ``returnUrl`` is asked for only where the shopper is redirected; the published specification says that it
    is always required.

    Raises:
        AdyenError: 403, 422.
    """
    merchant = merchant_of(body)
    amount = amount_of(body)
    reference = body.get("reference")
    if not isinstance(reference, str) or not reference:
        raise invalid("130", "Required field 'reference' is not provided.")
    method = body.get("paymentMethod")
    if not isinstance(method, dict):
        raise invalid("14_006", "Required object 'paymentMethod' is not provided.")
    kind, number = method.get("type") or "scheme", ""
    if kind in ("scheme", "card"):
        kind, number = "scheme", _card_number(method)
    elif isinstance(kind, str) and kind in WALLETS:
        number = _wallet_number(method, WALLETS[kind])
    elif kind == SEPA:
        check_account(method)
        if amount.currency != "EUR":
            raise invalid("138", "Unsupported currency specified")
    else:
        known = ", ".join(("scheme", *WALLETS, SEPA))
        raise invalid("14_006", f"This mock takes a paymentMethod.type of {known} only.")
    trigger = _trigger(method, body.get("additionalData"))
    brand = SEPA if kind == SEPA else cards.BRANDS.get(number)
    if brand is None:
        # A real number has no place here. The test environment refuses what is not a test card.
        brand, trigger = "unknown", cards.Trigger(cards.INVALID_NUMBER)
    flow: Flow = _flow(body) if kind == "scheme" and number in cards.ENROLLED else ""
    return_url = _return_url(body) if flow == "redirect" else ""
    return PaymentRequest(
        merchant=merchant,
        reference=reference,
        amount=amount,
        method=kind,
        brand=brand,
        manual=_manual(body),
        delay_hours=_delay_hours(body),
        flow=flow,
        return_url=return_url,
        trigger=trigger,
    )


def merchant_of(body: Body) -> str:
    """Any merchant account will do; a missing one is answered like a foreign one. Raises AdyenError (403)."""
    merchant = body.get("merchantAccount")
    if not isinstance(merchant, str) or not merchant:
        raise merchant_refused()
    return merchant


def _manual(body: Body) -> bool:
    additional = body.get("additionalData")
    return isinstance(additional, dict) and str(additional.get("manualCapture")).lower() == "true"


def _delay_hours(body: Body) -> int:
    delay = body.get("captureDelayHours", 0)
    if isinstance(delay, bool) or not isinstance(delay, int) or not 0 <= delay <= LONGEST_DELAY:
        raise invalid("702", f"captureDelayHours is a whole number from 0 to {LONGEST_DELAY}.")
    return delay


def _flow(body: Body) -> Flow:
    authentication = body.get("authenticationData")
    if not isinstance(authentication, dict):
        return "redirect"
    if authentication.get("attemptAuthentication") == "never":
        return ""
    request = authentication.get("threeDSRequestData")
    native = isinstance(request, dict) and request.get("nativeThreeDS") == "preferred"
    return "native" if native else "redirect"


def _return_url(body: Body) -> str:
    url = body.get("returnUrl")
    if not isinstance(url, str) or not url:
        raise invalid("14_030", "Return URL is missing.")
    return url


def _decrypted(value: str) -> str:
    if not value.startswith(cards.ENCRYPTED_PREFIX):
        raise AdyenError(422, "174", "Unable to decrypt data", "validation")
    return value.removeprefix(cards.ENCRYPTED_PREFIX)


def _card_number(method: Body) -> str:
    encrypted = method.get("encryptedCardNumber")
    number = _decrypted(encrypted) if isinstance(encrypted, str) else method.get("number")
    return _digits(number)


def _wallet_number(method: Body, field: str) -> str:
    """A wallet's token is opaque; here it is a test card number behind the prefix of encrypted fields."""
    token = method.get(field)
    if not isinstance(token, str) or not token:
        raise invalid("14_006", f"Required field 'paymentMethod.{field}' is not provided.")
    return _digits(_decrypted(token))


def _digits(number: object) -> str:
    digits = number.replace(" ", "") if isinstance(number, str) else ""
    if digits not in cards.BRANDS and not cards.passes_luhn(digits):
        raise invalid("101", "Invalid card number")
    return digits


def _trigger(method: Body, additional: object) -> cards.Trigger:
    if isinstance(additional, dict):
        code = additional.get("RequestedTestAcquirerResponseCode")
        if code is not None:
            return cards.by_acquirer_code(str(code))
    holder = method.get("ownerName" if method.get("type") == SEPA else "holderName")
    return cards.by_holder_name(holder) if isinstance(holder, str) else cards.ORDINARY
