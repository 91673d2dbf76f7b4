"""A balance transaction: one line of the merchant's account at Stripe."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from mocks.gateways.stripe.currencies import THREE_DECIMALS
from mocks.gateways.stripe.objects import below

FEE_PER_10_000 = 150
FEE_FIXED = 25


class Source(Protocol):
    """What moved the money."""

    @property
    def id(self) -> str: ...

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object."""


def fee_of(amount: int, currency: str) -> int:
    """What Stripe keeps of a captured amount, in the minor unit: 1.5% rounded half up, plus 25.

    The rate is an assumption, in the manner of the published prices for European cards; each account has its
    own. The fixed part is 250 in currencies of three decimals.
    """
    fixed = FEE_FIXED * 10 if currency in THREE_DECIMALS else FEE_FIXED
    return (amount * FEE_PER_10_000 + 5_000) // 10_000 + fixed


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """``amount`` and ``net`` are negative where money leaves; ``net = amount - fee``.

    ``available_on`` is in Unix seconds of the mock's clock; ``place`` counts all of them.
    """

    place: int
    created: int
    available_on: int
    kind: str
    amount: int
    fee: int
    currency: str
    source: Source

    @property
    def category(self) -> str:
        """The ``reporting_category``: mostly the same as ``type``."""
        return self.kind

    @property
    def id(self) -> str:
        """Carries the letters of its source's identifier, so that none has to be made or remembered."""
        return "txn_" + self.source.id.partition("_")[2]

    @property
    def fee_description(self) -> str:
        """What the fee is for."""
        return "Stripe processing fees"

    @property
    def net(self) -> int:
        return self.amount - self.fee

    def body(self, expand: Collection[str] = (), now: float = 0.0) -> dict[str, Any]:
        """The API's object; ``now`` decides whether its money is available."""
        whole = expand and below(expand, "source") is not None
        fees = []
        if self.fee:
            fees.append(
                {
                    "amount": self.fee,
                    "application": None,
                    "currency": self.currency,
                    "description": self.fee_description,
                    "type": "stripe_fee",
                }
            )
        return {
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "available_on": self.available_on,
            "balance_type": "payments",
            "created": self.created,
            "currency": self.currency,
            "description": None,
            "exchange_rate": None,
            "fee": self.fee,
            "fee_details": fees,
            "net": self.net,
            "reporting_category": self.category,
            "source": self.source.body() if whole else self.source.id,
            "status": "available" if self.available_on <= now else "pending",
            "type": self.kind,
        }


@dataclass(frozen=True, slots=True)
class Adjustment(BalanceTransaction):
    """A line beyond payments, refunds and payouts.

    ``back`` tells that money of an earlier line of the same source has come back; that line and this one
    differ in the last letter of their identifiers.
    """

    reporting_category: str = ""
    back: bool = False

    @property
    def category(self) -> str:
        return self.reporting_category

    @property
    def id(self) -> str:
        return f"txn_{self.source.id.partition('_')[2]}{'b' if self.back else ''}"

    @property
    def fee_description(self) -> str:
        return "Dispute fee"
