"""A refund of a charge, whole or in part."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mocks.gateways.stripe.balance_transaction import BalanceTransaction
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.objects import below
from mocks.gateways.stripe.payment_intent import PaymentIntent


@dataclass(slots=True)
class Refund:
    """``place`` is its number among all refunds, in the order of creation. A refund that failed has a
    ``failure_reason``, and ``failure_balance_transaction`` is the money that came back."""

    id: str
    place: int
    created: int
    amount: int
    intent: PaymentIntent
    reason: str | None
    metadata: dict[str, str]
    balance_transaction: BalanceTransaction | None = None
    status: str = "succeeded"
    failure_reason: str | None = None
    failure_balance_transaction: BalanceTransaction | None = None

    @property
    def charge(self) -> Charge:
        return self.intent.charge

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object as it is now."""
        body = self.body_when(self.status, expand)
        if self.failure_balance_transaction is not None:
            failure: str | dict[str, Any] = self.failure_balance_transaction.id
            if below(expand, "failure_balance_transaction") is not None:
                failure = self.failure_balance_transaction.body()
            body |= {"failure_reason": self.failure_reason, "failure_balance_transaction": failure}
        return body

    def body_when(self, status: str, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object as it was in this status, before any failure."""
        charge = below(expand, "charge")
        transaction = self.balance_transaction
        balance: str | dict[str, Any] | None = transaction.id if transaction is not None else None
        if transaction is not None and below(expand, "balance_transaction") is not None:
            balance = transaction.body()
        whole = below(expand, "payment_intent") is not None
        body = {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": balance,
            "charge": self.charge.id if charge is None else self.charge.body(charge),
            "created": self.created,
            "currency": self.intent.currency,
            "metadata": self.metadata,
            "payment_intent": self.intent.body() if whole else self.intent.id,
            "reason": self.reason,
            "status": status,
        }
        if status == "pending":
            body["pending_reason"] = "processing"
        return body

    def body_when_created(self, status: str, metadata: dict[str, str]) -> dict[str, Any]:
        """The API's object as it was made, with this status and metadata."""
        return self.body_when(status) | {"metadata": metadata}
