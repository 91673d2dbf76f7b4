"""Amounts of money as Adyen writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mocks.gateways.adyen.currencies import DECIMALS
from mocks.gateways.adyen.errors import invalid

Body = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True, slots=True)
class Amount:
    """``value`` is in the minor unit of ``currency``, an upper-case code of ``DECIMALS``."""

    currency: str
    value: int

    def body(self) -> Body:
        return {"currency": self.currency, "value": self.value}


def amount_of(body: Body) -> Amount:
    """The amount of a request. Zero-value authorisations are not offered. A largest amount is not published;
    that it has twelve digits is an assumption.

    Raises:
        AdyenError: 422 with 100 (none), 138 (currency) or 137 (value).
    """
    amount = body.get("amount")
    if not isinstance(amount, dict):
        raise invalid("100", "Required object 'amount' is not provided.")
    currency, value = amount.get("currency"), amount.get("value")
    if not isinstance(currency, str) or currency.upper() not in DECIMALS:
        raise invalid("138", "Unsupported currency specified")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**12:
        raise invalid("137", "Invalid amount specified")
    return Amount(currency.upper(), value)
