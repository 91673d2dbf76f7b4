"""Which amounts may be charged, and in which currencies.

From Stripe's documentation ("Supported currencies": minimum and maximum charge amounts, special cases).
"""

from __future__ import annotations

from mocks.gateways.stripe.currencies import CURRENCIES, MINIMUM, THREE_DECIMALS
from mocks.gateways.stripe.errors import invalid
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import integer, text

LARGEST = 99_999_999
"""The largest amount in minor units: eight digits. Currencies that allow more are not told apart."""

WHOLE_ONLY = frozenset({"isk", "ugx"})
"""Currencies without decimals whose amounts are given with two all the same, which have to be 0."""


def check_amount(parameters: Parameters) -> None:
    """Whether amount and currency of a new PaymentIntent are acceptable.

    Raises:
        StripeError: 400. That amounts end in 0 where there are three decimals, and in 00 where there should
            be none, is documented; by which error they are refused otherwise is an assumption.
    """
    currency = (text(parameters, "currency", required=True) or "").lower()
    if currency not in CURRENCIES:
        raise invalid(f"Invalid currency: {currency[:10]}.", param="currency")
    amount = integer(parameters, "amount", required=True) or 0
    least = MINIMUM.get(currency, 1)
    if amount < least:
        raise invalid(
            f"Amount must be at least {least} in the minor unit of {currency}.",
            param="amount",
            code="amount_too_small",
        )
    if amount > LARGEST:
        raise invalid(
            f"Amount must be no more than {LARGEST} in the minor unit.",
            param="amount",
            code="amount_too_large",
        )
    if (amount % 10 and currency in THREE_DECIMALS) or (amount % 100 and currency in WHOLE_ONLY):
        zeros = "0" if currency in THREE_DECIMALS else "00"
        raise invalid(
            f"Invalid amount: in {currency} it has to end in {zeros}.",
            param="amount",
            code="parameter_invalid_integer",
        )
