"""A PaymentMethod: a card or a bank account, and the customer that it is attached to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from mocks.gateways.stripe import cards, sepa_debit

Instrument = cards.Card | sepa_debit.Account
"""What is charged."""

TYPES = ("card", "sepa_debit")
"""The types of PaymentMethods that are mocked."""

NO_BILLING: dict[str, Any] = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


class Details(NamedTuple):
    """What a caller says of a PaymentMethod; the expiry date is a card's only."""

    billing: dict[str, Any]
    metadata: dict[str, str]
    exp_month: int = 12
    exp_year: int = 2034

    def billing_body(self) -> dict[str, Any]:
        """The API's ``billing_details``."""
        return self.billing | {"address": self.billing["address"] or dict.fromkeys(ADDRESS)}


PLAIN = Details(NO_BILLING, {})
"""Of a test name."""


@dataclass(slots=True)
class PaymentMethod:
    """One PaymentMethod. Most are made for one payment and not kept: what is said of them later can be made
    anew from their identifier and instrument.

    Attributes:
        kept: Whether it is among the gateway's PaymentMethods.
        place: Its number among those that are kept.
        spent: It was used without a customer, or detached from one, and may not be used again.
        set_up: A payment has set it up for use off session.
        mandate: The identifier of the mandate by which it may be debited, empty without one.
    """

    id: str
    instrument: Instrument
    details: Details = PLAIN
    created: int = 0
    place: int = 0
    kept: bool = False
    customer: str | None = None
    spent: bool = False
    set_up: bool = False
    mandate: str = ""

    def body(self) -> dict[str, Any]:
        """The API's object."""
        instrument, details = self.instrument, self.details
        shown = instrument.body()
        if instrument.kind == "card":
            shown |= {"exp_month": details.exp_month, "exp_year": details.exp_year}
        return {
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": details.billing_body(),
            "created": self.created,
            "customer": self.customer,
            "livemode": False,
            "metadata": details.metadata,
            "type": instrument.kind,
            instrument.kind: shown,
        }
