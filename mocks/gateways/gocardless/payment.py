"""One payment: what was asked for, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mocks.gateways.gocardless import working_days
from mocks.gateways.gocardless.fields import Fields
from mocks.gateways.gocardless.mandates import Mandate
from mocks.gateways.gocardless.payouts import Item
from mocks.gateways.gocardless.schemes import BY_CURRENCY

KNOWN = frozenset(
    {"amount", "app_fee", "charge_date", "currency", "description", "faster_ach", "links", "metadata"}
    | {"psu_interaction_type", "reference", "retry_if_possible"}
)


class PaymentRequest(NamedTuple):
    """What a payment was asked to be; ``charge_day`` as in ``working_days``, None for the earliest."""

    mandate: str
    amount_minor: int
    currency: str
    charge_day: int | None
    description: str
    reference: str
    retry_if_possible: bool
    metadata: dict[str, str]


@dataclass(slots=True)
class Payment:
    """One payment.

    Attributes:
        mandate: What it is collected by.
        charge_day: The working day on which the customer is charged, as in ``working_days``.
        metadata: As asked for, or as updated since.
        attempt: 1, and one more for every retry.
        capture: The ledger's reference of the capture of the present attempt, empty before there is one.
        items: Its credit and its fee while they wait for a payout.
        payout: The identifier of the payout that it is part of.
        refunded_minor: The sum of its refunds that have not come back.
        refunds: How many refunds were asked for.
        reversals: How often its money was fetched back by the bank.
        debits: What a payout has to deduct for the last time.
        due: When its next step by the timeline is due, in Unix seconds.
    """

    id: str
    created: float
    request: PaymentRequest
    mandate: Mandate
    charge_day: int
    metadata: dict[str, str]
    status: str = "pending_submission"
    attempt: int = 1
    capture: str = ""
    items: tuple[Item, ...] = ()
    payout: str = ""
    refunded_minor: int = 0
    refunds: int = 0
    reversals: int = 0
    debits: tuple[Item, ...] = ()
    due: float = 0.0

    @property
    def order_id(self) -> str:
        """The order that the merchant named in ``metadata.order_id``, empty if it named none."""
        return self.request.metadata.get("order_id", "")


def read_charge_day(fields: Fields) -> int | None:
    """The day that ``charge_date`` names, None without one."""
    written = fields.text("charge_date")
    day = working_days.number(written) if written else None
    if written and day is None:
        fields.wrong("charge_date", "is not a date")
    return day


def read_payment(fields: Fields) -> PaymentRequest:
    """What is asked for. Raises GoCardlessError (422)."""
    fields.amount("app_fee", required=False)
    request = PaymentRequest(
        mandate=fields.link("mandate"),
        amount_minor=fields.amount("amount"),
        currency=fields.text("currency", required=True, choices=tuple(BY_CURRENCY)),
        charge_day=read_charge_day(fields),
        description=fields.text("description"),
        reference=fields.text("reference", longest=140),
        retry_if_possible=fields.flag("retry_if_possible"),
        metadata=fields.metadata(),
    )
    fields.done()
    return request
