"""What PayPal keeps of a captured payment.

The rate is an assumption, in the manner of the published prices of the United States (3.49% and a fixed part
for each currency; sandbox captures of 100.00 USD show a fee of 3.98); each account has its own.
"""

from __future__ import annotations

from mocks.gateways.paypal.money import NO_DECIMALS, NO_MINOR_UNIT, Money

PER_10_000 = 349

FIXED = {
    "AUD": 59,
    "BRL": 290,
    "CAD": 59,
    "CHF": 49,
    "CNY": 350,
    "CZK": 979,
    "DKK": 290,
    "EUR": 39,
    "GBP": 39,
    "HKD": 379,
    "HUF": 14900,
    "ILS": 160,
    "JPY": 49,
    "MXN": 900,
    "MYR": 200,
    "NOK": 390,
    "NZD": 69,
    "PHP": 2500,
    "PLN": 189,
    "RUB": 3900,
    "SEK": 409,
    "SGD": 69,
    "THB": 1500,
    "TWD": 1400,
    "USD": 49,
}
"""The fixed part in the minor unit (second-hand; those of CNY and RUB are made up)."""


def fee_of(amount: Money) -> Money:
    """The fee of a captured amount: 3.49% rounded half up to what PayPal writes in that currency (whole
    forints, whole Taiwan dollars), plus the fixed part; never more than the amount, which is assumed."""
    step = 100 if amount.currency in NO_DECIMALS - NO_MINOR_UNIT else 1
    share = (amount.minor * PER_10_000 + 5_000 * step) // (10_000 * step) * step
    return Money(amount.currency, min(amount.minor, share + FIXED[amount.currency]))
