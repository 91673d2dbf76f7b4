"""An early fraud warning: the card's issuer suspects fraud. It moves no money, and wants no answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.objects import below


@dataclass(slots=True)
class EarlyFraudWarning:
    """``place`` is its number among all of them."""

    id: str
    place: int
    created: int
    charge: Charge

    @property
    def actionable(self) -> bool:
        """Whether a refund could still forestall a dispute: not after either of them."""
        return not self.charge.disputed and self.charge.refunded < self.charge.captured

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object as it is now."""
        charge = below(expand, "charge")
        intent = self.charge.intent
        whole = below(expand, "payment_intent") is not None
        return {
            "id": self.id,
            "object": "radar.early_fraud_warning",
            "actionable": self.actionable,
            "charge": self.charge.id if charge is None else self.charge.body(charge),
            "created": self.created,
            "fraud_type": "misc",
            "livemode": False,
            "payment_intent": intent.body() if whole else intent.id,
        }
