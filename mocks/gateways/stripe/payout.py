"""A payout: what goes from the merchant's balance to its bank account."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from mocks.gateways.stripe.balance_transaction import BalanceTransaction


@dataclass(slots=True)
class Payout:
    """One payout.

    Attributes:
        place: Its number among all payouts.
        amount: In the minor unit; of an automatic one, the sum of the nets of its ``items``.
        automatic: Made by the schedule; otherwise asked for, and then nobody says of which items it consists.
        returned: The money that came back when it was canceled.
    """

    id: str
    place: int
    created: int
    arrival_date: int
    amount: int
    currency: str
    items: list[BalanceTransaction]
    status: str = "in_transit"
    balance_transaction: BalanceTransaction | None = None
    automatic: bool = True
    method: str = "standard"
    description: str | None = "STRIPE PAYOUT"
    statement_descriptor: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    returned: BalanceTransaction | None = None

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object as it is now."""
        transaction, returned = self.balance_transaction, self.returned
        return {
            "id": self.id,
            "object": "payout",
            "amount": self.amount,
            "arrival_date": self.arrival_date,
            "automatic": self.automatic,
            "balance_transaction": transaction.id if transaction is not None else None,
            "created": self.created,
            "currency": self.currency,
            "description": self.description,
            "destination": None,
            "failure_balance_transaction": returned.id if returned is not None else None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": self.metadata,
            "method": self.method,
            "original_payout": None,
            "reconciliation_status": "completed" if self.automatic else "not_applicable",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": self.statement_descriptor,
            "status": self.status,
            "type": "bank_account",
        }
