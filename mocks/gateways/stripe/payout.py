"""A payout: what goes from the merchant's balance to its bank account."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mocks.gateways.stripe.balance_transaction import BalanceTransaction


@dataclass(slots=True)
class Payout:
    """``amount`` is the sum of the nets of its ``items``; ``place`` counts all payouts."""

    id: str
    place: int
    created: int
    arrival_date: int
    amount: int
    currency: str
    items: list[BalanceTransaction]
    status: str = "in_transit"
    balance_transaction: BalanceTransaction | None = None

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object as it is now."""
        return self.body_when(self.status)

    def body_when(self, status: str) -> dict[str, Any]:
        """The API's object as it was in this status."""
        transaction = self.balance_transaction
        return {
            "id": self.id,
            "object": "payout",
            "amount": self.amount,
            "arrival_date": self.arrival_date,
            "automatic": True,
            "balance_transaction": transaction.id if transaction is not None else None,
            "created": self.created,
            "currency": self.currency,
            "description": "STRIPE PAYOUT",
            "destination": None,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "completed",
            "source_type": "card",
            "statement_descriptor": None,
            "status": status,
            "type": "bank_account",
        }
