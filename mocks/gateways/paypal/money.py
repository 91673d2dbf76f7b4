"""Amounts: decimal strings on the wire, integers in the minor unit inside.

The 25 currencies and which of them PayPal takes without decimals (HUF, JPY, TWD) are those of its page
"Currency codes", second-hand. Three-decimal currencies (KWD, BHD, TND) are not among them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mocks.gateways.paypal.errors import PayPalError

_CODES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN RUB SEK SGD THB TWD USD"
CURRENCIES = frozenset(_CODES.split())

NO_DECIMALS = frozenset({"HUF", "JPY", "TWD"})
"""Taken in whole units only. Of these only JPY has no minor unit in ISO 4217: 500 HUF are 50,000 in the
minor unit."""

NO_MINOR_UNIT = frozenset({"JPY"})

LARGEST = 999_999_999_999_999_99
"""In the minor unit of a currency with two decimals (``MAX_VALUE_EXCEEDED``)."""

_VALUE = re.compile(r"(-?)([0-9]*)(?:\.([0-9]+))?\Z")
LONGEST_VALUE = 32


@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` is in the minor unit of ``currency``, an upper-case ISO 4217 code."""

    currency: str
    minor: int

    def body(self) -> dict[str, str]:
        """As on the wire: with all decimals that PayPal takes for the currency, and no others."""
        if self.currency in NO_MINOR_UNIT:
            value = str(self.minor)
        elif self.currency in NO_DECIMALS:
            value = str(self.minor // 100)
        else:
            value = f"{self.minor // 100}.{self.minor % 100:02}"
        return {"currency_code": self.currency, "value": value}


def money(node: object, field: str, *, zero: bool = False) -> Money:
    """Read ``{"currency_code": "EUR", "value": "12.90"}``.

    Args:
        node: The JSON value.
        field: Its JSON Pointer, for errors.
        zero: Whether zero will do.

    Raises:
        PayPalError: 400 for what is no amount, 422 for an amount that will not do.
    """
    if not isinstance(node, dict):
        raise PayPalError("MISSING_REQUIRED_PARAMETER" if node is None else "INVALID_PARAMETER_SYNTAX", field)
    for name in ("currency_code", "value"):
        if node.get(name) is None:
            raise PayPalError("MISSING_REQUIRED_PARAMETER", f"{field}/{name}")
    currency, value = node["currency_code"], node["value"]
    if not isinstance(currency, str):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", f"{field}/currency_code")
    if len(currency) != 3:
        raise PayPalError("INVALID_STRING_LENGTH", f"{field}/currency_code")
    if currency not in CURRENCIES:
        raise PayPalError("INVALID_CURRENCY_CODE", f"{field}/currency_code")
    return Money(currency, minor_units(value, currency, f"{field}/value", zero=zero))


def minor_units(value: object, currency: str, field: str, *, zero: bool = False) -> int:
    """A decimal string in the minor unit of its currency; the syntax is that of the published ``money``
    schema: digits, or a point with digits behind it. Raises PayPalError like ``money``."""
    match = _VALUE.match(value) if isinstance(value, str) else None
    if match is None or (match[2] == "" and match[3] is None):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", field)
    if len(match[0]) > LONGEST_VALUE:
        raise PayPalError("INVALID_STRING_LENGTH", field)
    sign, whole, decimals = match.groups()
    if currency in NO_DECIMALS and decimals is not None:
        raise PayPalError("DECIMALS_NOT_SUPPORTED", field)
    if len(decimals or "") > 2:
        raise PayPalError("DECIMAL_PRECISION", field)
    hundredths = int(whole or "0") * 100 + int((decimals or "").ljust(2, "0"))
    if hundredths > LARGEST:
        raise PayPalError("MAX_VALUE_EXCEEDED", field)
    if zero and sign and hundredths:
        raise PayPalError("CANNOT_BE_NEGATIVE", field)
    if not zero and (sign or not hundredths):
        raise PayPalError("CANNOT_BE_ZERO_OR_NEGATIVE", field)
    return hundredths // 100 if currency in NO_MINOR_UNIT else hundredths
