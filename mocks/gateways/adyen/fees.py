"""What Adyen keeps of a payment: interchange++ for cards, and a fixed processing fee.

The rates are assumptions in the manner of the published prices for European cards: an account has its own,
and real ones differ by scheme, card and country. Refunds, chargebacks and refusals cost nothing here.
"""

from __future__ import annotations

from typing import NamedTuple

from mocks.gateways.adyen.bank_account import METHOD as SEPA
from mocks.gateways.adyen.currencies import DECIMALS

INTERCHANGE_PER_10_000 = 20
"""The issuer's part; the European Union's cap for consumer debit cards."""

SCHEME_PER_10_000 = 10
"""The card scheme's part."""

MARKUP_PER_10_000 = 60
"""The acquirer's part."""

PROCESSING = 11
"""The fixed part of every captured payment, in the minor unit of a currency with two decimals or none."""


class Costs(NamedTuple):
    """Parts of a fee, in the minor unit; withheld from the payment itself."""

    markup: int
    scheme_fees: int
    interchange: int


NONE = Costs(0, 0, 0)


def costs_of(amount_minor: int, method: str) -> Costs:
    """The costs of a capture, each rounded half up. A SEPA direct debit has the processing fee only."""
    if method == SEPA:
        return NONE
    return Costs(
        _share(amount_minor, MARKUP_PER_10_000),
        _share(amount_minor, SCHEME_PER_10_000),
        _share(amount_minor, INTERCHANGE_PER_10_000),
    )


def processing_fee(currency: str) -> int:
    """The fixed fee of one captured payment, in the minor unit. A batch has the sum of them in a row."""
    return PROCESSING * 10 if DECIMALS[currency] == 3 else PROCESSING


def _share(amount_minor: int, per_10_000: int) -> int:
    return (amount_minor * per_10_000 + 5_000) // 10_000
