"""Payouts: what has become available leaves for the bank, once a day at most, or when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.balance_transaction import BalanceTransaction
from mocks.gateways.stripe.currencies import CURRENCIES
from mocks.gateways.stripe.errors import invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import integer, listing, metadata, page_of, place_in, text
from mocks.gateways.stripe.payout import Payout
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock

_HOUR = 3600
AFTER_AVAILABLE_S = _HOUR
"""Seconds from the first available money to its payout; what becomes available meanwhile goes along."""

AGAIN_S = 24 * _HOUR
"""Seconds from one payout to the next. Both, and the day until arrival, are assumptions: accounts differ."""

ARRIVAL_S = 24 * _HOUR

INSTANT_S = 1_800
"""Seconds until an instant payout arrives ("Instant Payouts": typically within 30 minutes)."""

CANCELABLE_S = _HOUR
"""Seconds for which a payout that was asked for is pending and can be canceled; an assumption."""

METHODS = ("standard", "instant")


class Payouts:
    """All payouts of one gateway.

    An automatic payout takes everything that is available in its currency; where refunds outweigh the
    charges, it waits. In the ledger it stands with the sum of the fees that were withheld from it. A payout
    that was asked for, and its return, are items of the next automatic one, so that these always add up; that
    is an assumption.

    Methods raise ``StripeError`` for what Stripe answers with an error.
    """

    def __init__(
        self,
        ledger: Ledger,
        balance: Balance,
        events: Events,
        clock: MockClock,
        new_id: Callable[[str], str],
    ) -> None:
        self._ledger = ledger
        self._balance = balance
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._all: list[Payout] = []
        self._by_id: dict[str, Payout] = {}
        self._planned = False
        balance.booked = self._booked
        balance.items_of = self._items_of

    def find(self, name: str, *, param: str = "payout", status: int = 404) -> Payout:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("payout", name, param=param, status=status)
        return self._by_id[name]

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``status`` and ``created``."""
        status = text(parameters, "status")
        rows = [row for row in self._all if status in (None, row.status)]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        return listing("/v1/payouts", page, Payout.body)

    def create(self, parameters: Parameters) -> Payout:
        """Pay out an amount of what is available, now."""
        currency = (text(parameters, "currency") or "").lower()
        amount = integer(parameters, "amount") or 0
        if amount > self._balance.available(currency):
            raise invalid(
                f"You have insufficient funds in your Stripe account: less than {amount} is available in "
                f"{currency}. What is pending becomes available later.",
                code="balance_insufficient",
            )
        method = text(parameters, "method") or "standard"
        created = self._clock.unix()
        arrival = created + (INSTANT_S if method == "instant" else ARRIVAL_S)
        payout = Payout(
            *(self._new_id("po_"), len(self._all), created, arrival, amount, currency, []),
            status="pending",
            automatic=False,
            method=method,
            description=text(parameters, "description"),
            statement_descriptor=text(parameters, "statement_descriptor"),
            metadata=metadata(parameters),
        )
        self._all.append(payout)
        self._by_id[payout.id] = payout
        payout.balance_transaction = self._balance.withdraw(payout, amount, currency)
        self._ledger.payout(payout.id, amount, currency.upper(), time.monotonic_ns())
        self._tell("created", payout)
        if method == "standard":
            self._clock.call_later(CANCELABLE_S, lambda: self._leave(payout))
        self._clock.call_at(arrival, lambda: self._arrive(payout))
        return payout

    def cancel(self, payout: Payout) -> None:
        """Call a pending payout back. An automatic one is on its way from the start."""
        if payout.status != "pending":
            raise invalid(
                f"Payouts can only be canceled while they are pending; {payout.id} is {payout.status}."
            )
        payout.status = "canceled"
        payout.returned = self._balance.put_back(payout, payout.amount, payout.currency)
        self._ledger.payout(payout.id, -payout.amount, payout.currency.upper(), time.monotonic_ns())
        self._tell("canceled", payout)
        self._booked(payout.returned)

    def update(self, payout: Payout, parameters: Parameters) -> None:
        """Change the metadata, which is all that can be changed; an empty text takes a name away."""
        new = payout.metadata | metadata(parameters)
        payout.metadata = {name: value for name, value in new.items() if value}
        self._tell("updated", payout)

    def _items_of(self, name: str) -> list[BalanceTransaction]:
        payout = self.find(name, param="payout", status=400)
        if not payout.automatic:
            raise invalid(
                "Balance transactions can only be filtered by an automatic payout, not by a manual one.",
                param="payout",
            )
        return payout.items

    def _leave(self, payout: Payout) -> None:
        if payout.status == "pending":
            payout.status = "in_transit"
            self._tell("updated", payout)

    def _tell(self, what: str, payout: Payout) -> None:
        body = payout.body()
        self._events.happened(f"payout.{what}", lambda: body)

    def _booked(self, line: BalanceTransaction) -> None:
        if not self._planned:
            self._planned = True
            self._clock.call_at(line.available_on + AFTER_AVAILABLE_S, self._pay_out)

    def _pay_out(self) -> None:
        for currency, items in self._balance.payable().items():
            self._one(currency, items)
        next_available = self._balance.next_available()
        self._planned = next_available is not None
        if next_available is not None:
            due = max(self._clock.now() + AGAIN_S, next_available + AFTER_AVAILABLE_S)
            self._clock.call_at(due, self._pay_out)

    def _one(self, currency: str, items: list[BalanceTransaction]) -> None:
        amount = sum(item.net for item in items)
        created = self._clock.unix()
        name = self._new_id("po_")
        payout = Payout(name, len(self._all), created, created + ARRIVAL_S, amount, currency, items)
        self._all.append(payout)
        self._by_id[name] = payout
        payout.balance_transaction = self._balance.pay_out(payout, items)
        at_ns = time.monotonic_ns()
        fee = sum(item.fee for item in items)
        if fee:
            self._ledger.fee(self._new_id("fee_"), name, fee, currency.upper(), at_ns)
        self._ledger.payout(name, amount, currency.upper(), at_ns)
        self._tell("created", payout)
        self._clock.call_at(payout.arrival_date, lambda: self._arrive(payout))

    def _arrive(self, payout: Payout) -> None:
        if payout.status != "canceled":
            payout.status = "paid"
            self._tell("paid", payout)

    def _cursor(self, name: str, param: str, rows: list[Payout]) -> tuple[int, int]:
        return place_in(rows, self.find(name, param=param, status=400).place)


def check(parameters: Parameters) -> None:
    """What can be said of a new payout before it is executed. Raises StripeError (400)."""
    amount = integer(parameters, "amount", required=True) or 0
    if amount < 1:
        raise invalid("Invalid positive integer", param="amount", code="parameter_invalid_integer")
    currency = text(parameters, "currency", required=True) or ""
    if currency.lower() not in CURRENCIES:
        raise invalid(f"Invalid currency: {currency[:10]}.", param="currency")
    if (text(parameters, "method") or "standard") not in METHODS:
        raise invalid(f"Invalid method: must be one of {' or '.join(METHODS)}", param="method")
    if text(parameters, "source_type") not in (None, "card"):
        raise invalid("This mock's balance is all of source_type card.", param="source_type")
    destination = text(parameters, "destination")
    if destination is not None:
        raise missing("external account", destination[:60], param="destination", status=400)
    metadata(parameters)
