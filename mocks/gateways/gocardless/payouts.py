"""Payouts: the money that the creditor gets, item by item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mocks.gateways.gocardless import working_days
from mocks.gateways.gocardless.collection import Collection, Query, stamp, timestamp
from mocks.gateways.gocardless.creditor import Creditor
from mocks.gateways.gocardless.errors import usage
from mocks.gateways.gocardless.events import Detail

FILTERS = ("creditor", "creditor_bank_account", "currency", "payout_type", "reference", "status")

NO_FX = {"fx_currency": None, "fx_amount": None, "exchange_rate": None, "estimated_exchange_rate": None}
"""The ``fx`` of everything here: no currency is exchanged."""


@dataclass(slots=True)
class Item:
    """A credit (positive) or debit of the creditor's balance.

    ``type`` is in GoCardless' words; ``payment``, ``mandate`` and ``refund`` are identifiers, ``refund``
    empty where there is none. ``told``: the event of it need not wait for a payout. Its own identifier is
    not part of the API.
    """

    id: str
    created: float
    type: str
    amount_minor: int
    payment: str
    mandate: str
    refund: str = ""
    told: bool = False


@dataclass(slots=True)
class Payout:
    """One payout; ``arrival_day`` as in ``working_days``."""

    id: str
    created: float
    amount_minor: int
    currency: str
    items: tuple[Item, ...]
    arrival_day: int
    metadata: dict[str, str] = field(default_factory=dict)
    status: str = "pending"


class Payouts:
    """All payouts of one creditor. The ledger is told of one, and of the fees withheld from it, when it is
    sent."""

    def __init__(self, creditor: Creditor) -> None:
        self._creditor = creditor
        self.all = Collection[Payout]("payouts", self._body)

    def create(self, currency: str, items: tuple[Item, ...], arrival_day: int | None = None) -> Payout:
        """A payout of the sum of these items, at least zero, that arrives today unless another day is given.
        It has not been sent yet."""
        amount = sum(item.amount_minor for item in items)
        now = stamp(self._creditor.clock)
        day = int(now // working_days.DAY_S) if arrival_day is None else arrival_day
        return self.all.add(Payout(self._creditor.new_id("PO"), now, amount, currency, items, day))

    def send(self, payout: Payout, at_ns: int) -> None:
        """Send it to the creditor's bank."""
        creditor, amount, currency = self._creditor, payout.amount_minor, payout.currency
        payout.status = "paid"
        fees = _fees(payout)
        if fees:
            creditor.ledger.fee(f"{payout.id}-fees", payout.id, fees, currency, at_ns)
        if amount:
            creditor.ledger.payout(payout.id, amount, currency, at_ns)
        creditor.events.add("payouts", "paid", Detail("gocardless", "payout_paid"), {"payout": payout.id}, {})

    def bounce(self, payout: Payout, at_ns: int) -> None:
        """The creditor's bank sends it back. No event of it is published, so there is none."""
        payout.status = "bounced"
        if payout.amount_minor:
            self._creditor.ledger.payout(f"{payout.id}-bounced", -payout.amount_minor, payout.currency, at_ns)

    def page(self, asked: Query) -> dict[str, Any]:
        wanted = asked.filters

        def fits(payout: Payout) -> bool:
            shown = self._body(payout)
            return all(value in (shown.get(name), shown["links"].get(name)) for name, value in wanted.items())

        return self.all.page(asked, fits)

    def items(self, asked: Query) -> dict[str, Any]:
        """A page of the items of the payout that the filter names; they add up to its amount.

        Raises:
            GoCardlessError: No payout was named, or there is no such payout.
        """
        name = asked.filters.get("payout", "")
        if not name:
            raise usage("invalid_filters", 'Invalid filters ("payout" is required.)')
        page = Collection[Item]("payout_items", item_body)
        for item in reversed(self.all.get(name).items):
            page.add(item)
        return page.page(asked, lambda item: True)

    def _body(self, payout: Payout) -> dict[str, Any]:
        return {
            "id": payout.id,
            "amount": payout.amount_minor,
            "arrival_date": working_days.text(payout.arrival_day),
            "created_at": timestamp(payout.created),
            "currency": payout.currency,
            "deducted_fees": _fees(payout),
            "payout_type": "merchant",
            "reference": f"GC-{payout.id[2:]}",
            "status": payout.status,
            "tax_currency": None,
            "fx": NO_FX,
            "metadata": payout.metadata,
            "links": {"creditor": self._creditor.id, "creditor_bank_account": self._creditor.bank_account},
        }


def fee(amount_minor: int) -> int:
    """What GoCardless keeps of a payment, in the minor unit: 1% + 20, at most 400 (second-hand: its list
    price for domestic payments in the UK), and never more than the payment. In whole units, while GoCardless
    counts tenths and rounds the payout."""
    return min((amount_minor + 50) // 100 + 20, 400, amount_minor)


def item_body(item: Item) -> dict[str, Any]:
    """The API's object; its amount is a text with one decimal."""
    links = {"payment": item.payment, "mandate": item.mandate}
    if item.refund:
        links["refund"] = item.refund
    return {"amount": f"{item.amount_minor}.0", "type": item.type, "links": links, "taxes": []}


def _fees(payout: Payout) -> int:
    return -sum(item.amount_minor for item in payout.items if item.type == "gocardless_fee")
