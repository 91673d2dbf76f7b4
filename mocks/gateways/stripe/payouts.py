"""Automatic payouts: what has become available leaves for the bank, once a day at most."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.balance_transaction import BalanceTransaction
from mocks.gateways.stripe.errors import missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import listing, page_of, place_in, text
from mocks.gateways.stripe.payout import Payout
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock

_HOUR = 3600
AFTER_AVAILABLE_S = _HOUR
"""Seconds from the first available money to its payout; what becomes available meanwhile goes along."""

AGAIN_S = 24 * _HOUR
"""Seconds from one payout to the next. Both, and the day until arrival, are assumptions: accounts differ."""

ARRIVAL_S = 24 * _HOUR


class Payouts:
    """All payouts of one gateway.

    A payout takes everything that is available in its currency; where refunds outweigh the charges, it waits.
    In the ledger a payout stands with the sum of the fees that were withheld from it.
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
        balance.items_of = lambda name: self.find(name, param="payout").items

    def find(self, name: str, *, param: str = "id") -> Payout:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("payout", name, param=param)
        return self._by_id[name]

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``status`` and ``created``."""
        status = text(parameters, "status")
        rows = [row for row in self._all if status in (None, row.status)]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        return listing("/v1/payouts", page, Payout.body)

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
        self._events.happened("payout.created", Payout.body_when, payout, "in_transit")
        self._clock.call_at(payout.arrival_date, lambda: self._arrive(payout))

    def _arrive(self, payout: Payout) -> None:
        payout.status = "paid"
        self._events.happened("payout.paid", Payout.body_when, payout, "paid")

    def _cursor(self, name: str, param: str, rows: list[Payout]) -> tuple[int, int]:
        if name not in self._by_id:
            raise missing("payout", name, param=param, status=400)
        return place_in(rows, self._by_id[name].place)
