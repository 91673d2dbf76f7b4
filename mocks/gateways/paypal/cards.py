"""Cards as they are shown, and PayPal's test cards for 3-D Secure."""

from __future__ import annotations

import re
from typing import NamedTuple

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body, text

_EXPIRY = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])\Z")
_NUMBER = re.compile(r"[0-9]{13,19}\Z")
_CODE = re.compile(r"[0-9]{3,4}\Z")

BRANDS = (
    (re.compile(r"3[47]"), "AMEX"),
    (re.compile(r"4"), "VISA"),
    (re.compile(r"5[1-5]|2[2-7]"), "MASTERCARD"),
    (re.compile(r"35"), "JCB"),
    (re.compile(r"62"), "CHINA_UNION_PAY"),
    (re.compile(r"6"), "DISCOVER"),
)
"""How a card number starts -> its brand; the first that fits."""


class Authentication(NamedTuple):
    """The result of 3-D Secure, in PayPal's letters; ``status`` is empty where there was none. ``challenge``:
    the cardholder is asked."""

    liability_shift: str
    enrollment: str
    status: str
    challenge: bool

    def body(self) -> Body:
        """``authentication_result``."""
        three_d_secure = {"enrollment_status": self.enrollment}
        if self.status:
            three_d_secure["authentication_status"] = self.status
        return {"liability_shift": self.liability_shift, "three_d_secure": three_d_secure}


AUTHENTICATED = Authentication("POSSIBLE", "Y", "Y", True)
CANCELED = Authentication("NO", "Y", "N", True)

THREE_D_SECURE = {
    number: result
    for numbers, result in (
        (("4868719460707704", "5329879786234393"), AUTHENTICATED),
        (("4868719115514992", "5329879785160250"), Authentication("UNKNOWN", "Y", "U", True)),
        (("4868719796782421", "5329879743856650"), Authentication("NO", "Y", "N", True)),
        (("4868719041085422", "5329879703852350"), Authentication("POSSIBLE", "Y", "A", False)),
        (("4868719632978803", "5329879761823947"), Authentication("NO", "U", "", False)),
        (("4868719196829038", "5329879707824603"), Authentication("POSSIBLE", "Y", "Y", False)),
        (("4868719158130060", "5329879769571910"), Authentication("NO", "Y", "N", False)),
        (("4868719581920723", "5329879715396727"), Authentication("POSSIBLE", "Y", "A", False)),
        (("4868719033482561", "5329879705777613"), Authentication("NO", "Y", "U", False)),
        (("4868719081564153", "5319541865518409"), Authentication("NO", "Y", "R", False)),
    )
    for number in numbers
}
"""Card number -> the result, if authentication is asked for (PayPal's page "3D Secure test scenarios",
second-hand). Other cards are challenged when ``SCA_ALWAYS`` asks for it, and authenticated."""


class Card(NamedTuple):
    """A card without its number; ``expiry`` is ``YYYY-MM``, ``vaulted`` means that a ``vault_id`` stood for
    it. ``authentication`` is None where none is asked for."""

    name: str
    last_digits: str
    brand: str
    expiry: str
    vaulted: bool
    authentication: Authentication | None

    def body(self) -> Body:
        """``payment_source.card`` of an answer."""
        body: Body = {"last_digits": self.last_digits, "brand": self.brand, "type": "CREDIT"}
        if self.name:
            body["name"] = self.name
        if self.expiry:
            body["expiry"] = self.expiry
        if self.authentication is not None:
            body["authentication_result"] = self.authentication.body()
        return body


def card_of(node: Body, where: str, month: str) -> Card:
    """Read ``payment_source.card``. ``month`` is the present one, ``YYYY-MM``.

    Raises:
        PayPalError: 400, 422. That a number which fails the check digit is ``VALIDATION_ERROR`` is second-
            hand.
    """
    name = text(node, "name", where, longest=300)
    number = text(node, "number", where, longest=19)
    expiry = text(node, "expiry", where, longest=7)
    code = text(node, "security_code", where, longest=4)
    if text(node, "vault_id", where, longest=255):
        return Card(name, "1111", "VISA", "", True, None)
    if not number:
        raise PayPalError("CARD_NUMBER_REQUIRED", f"{where}/number")
    if not _NUMBER.match(number) or not _check_digit_fits(number):
        raise PayPalError("VALIDATION_ERROR", f"{where}/number")
    if not expiry:
        raise PayPalError("CARD_EXPIRY_REQUIRED", f"{where}/expiry")
    if not _EXPIRY.match(expiry):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", f"{where}/expiry")
    if expiry < month:
        raise PayPalError("CARD_EXPIRED", f"{where}/expiry")
    if code and not _CODE.match(code):
        raise PayPalError("INVALID_SECURITY_CODE_LENGTH", f"{where}/security_code")
    brand = next((brand for start, brand in BRANDS if start.match(number)), "VISA")
    return Card(name, number[-4:], brand, expiry, False, _authentication(node, number))


def _authentication(node: Body, number: str) -> Authentication | None:
    verification = node
    for name in ("attributes", "verification"):
        inner = verification.get(name)
        verification = inner if isinstance(inner, dict) else {}
    method = verification.get("method")
    if method == "SCA_ALWAYS":
        return THREE_D_SECURE.get(number, AUTHENTICATED)
    return THREE_D_SECURE.get(number) if method == "SCA_WHEN_REQUIRED" else None


def _check_digit_fits(number: str) -> bool:
    """The check digit of ISO/IEC 7812 (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
