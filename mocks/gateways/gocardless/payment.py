"""One payment: what was asked for, and where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from mocks.gateways.gocardless.fields import Fields
from mocks.gateways.gocardless.mandates import Mandate
from mocks.gateways.gocardless.payouts import Item
from mocks.gateways.gocardless.schemes import BY_CURRENCY

KNOWN = frozenset(
    {"amount", "app_fee", "charge_date", "currency", "description", "faster_ach", "links", "metadata"}
    | {"psu_interaction_type", "reference", "retry_if_possible"}
)


class PaymentRequest(NamedTuple):
    """What a payment was asked to be."""

    mandate: str
    amount_minor: int
    currency: str
    charge_date: str
    description: str
    reference: str
    retry_if_possible: bool
    metadata: dict[str, str]


@dataclass(slots=True)
class Payment:
    """One payment.

    Attributes:
        mandate: What it is collected by.
        attempt: 1, and one more for every retry.
        capture: The ledger's reference of the capture of the present attempt, empty before there is one.
        items: Its credit and its fee while they wait for a payout.
        payout: The identifier of the payout that it is part of.
        refunded_minor: The sum of its refunds that have not come back.
        refunds: How many refunds were asked for.
    """

    id: str
    created: float
    request: PaymentRequest
    mandate: Mandate
    status: str = "pending_submission"
    attempt: int = 1
    capture: str = ""
    items: tuple[Item, ...] = ()
    payout: str = ""
    refunded_minor: int = 0
    refunds: int = 0

    @property
    def order_id(self) -> str:
        """The order that the merchant named in ``metadata.order_id``, empty if it named none."""
        return self.request.metadata.get("order_id", "")


def read_payment(fields: Fields) -> PaymentRequest:
    """What is asked for. Raises GoCardlessError (422)."""
    charge_date = fields.text("charge_date")
    if charge_date and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", charge_date):
        fields.wrong("charge_date", "is not a date")
    fields.amount("app_fee", required=False)
    request = PaymentRequest(
        mandate=fields.link("mandate"),
        amount_minor=fields.amount("amount"),
        currency=fields.text("currency", required=True, choices=tuple(BY_CURRENCY)),
        charge_date=charge_date,
        description=fields.text("description"),
        reference=fields.text("reference", longest=140),
        retry_if_possible=fields.flag("retry_if_possible"),
        metadata=fields.metadata(),
    )
    fields.done()
    return request
