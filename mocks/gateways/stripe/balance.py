"""The merchant's account at Stripe: what is on it, what is pending, and every line of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from mocks.gateways.stripe.balance_transaction import Adjustment, BalanceTransaction, Source
from mocks.gateways.stripe.errors import missing
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import below, listing, page_of, place_in, text
from mocks.mock_clock import MockClock

SETTLEMENT_S = 2 * 86_400
"""Seconds from a movement until its money is available: two days, an assumption; countries differ."""


class Balance:
    """All balance transactions of one gateway, in the order in which their money becomes available."""

    def __init__(self, clock: MockClock) -> None:
        self._clock = clock
        self._all: list[BalanceTransaction] = []
        self._by_id: dict[str, BalanceTransaction] = {}
        self._named = 0
        self._settled = 0
        self._total: dict[str, int] = {}
        self._available: dict[str, int] = {}
        self._fees: dict[str, int] = {}
        self._available_on = 0
        self._unpaid: dict[str, list[BalanceTransaction]] = {}
        self.booked: Callable[[BalanceTransaction], None] = lambda line: None
        self.items_of: Callable[[str], list[BalanceTransaction]] = lambda payout: []

    def book(self, kind: str, source: Source, amount: int, fee: int, currency: str) -> BalanceTransaction:
        """Money came (``amount`` above zero) or went; the fee is in the minor unit, too."""
        created = self._clock.unix()
        if self._available_on != created + SETTLEMENT_S:
            self._available_on = created + SETTLEMENT_S  # one object for all that are booked in a second
        line = BalanceTransaction(
            len(self._all), created, self._available_on, kind, amount, fee, currency, source
        )
        self._book(line)
        return line

    def adjust(
        self,
        kind: str,
        category: str,
        source: Source,
        amount: int,
        fee: int,
        currency: str,
        *,
        back: bool = False,
    ) -> BalanceTransaction:
        """Book what is neither a payment nor a refund nor a payout; see ``Adjustment``. That it settles like
        a payment is an assumption."""
        created, place = self._clock.unix(), len(self._all)
        settled = created + SETTLEMENT_S
        line = Adjustment(place, created, settled, kind, amount, fee, currency, source, category, back)
        self._book(line)
        return line

    def _move(
        self,
        make: Callable[..., BalanceTransaction],
        kind: str,
        amount: int,
        currency: str,
        source: Source,
    ) -> BalanceTransaction:
        self._settle()
        created = self._clock.unix()
        line = make(len(self._all), created, created, kind, amount, 0, currency, source)
        self._all.append(line)
        self._total[currency] = self._total.get(currency, 0) + amount
        self._available[currency] = self._available.get(currency, 0) + amount
        self._unpaid.setdefault(currency, []).append(line)
        return line

    def _book(self, line: BalanceTransaction) -> None:
        self._all.append(line)
        currency = line.currency
        self._total[currency] = self._total.get(currency, 0) + line.amount - line.fee
        if line.fee:
            self._fees[currency] = self._fees.get(currency, 0) + line.fee
        self.booked(line)

    def payable(self) -> dict[str, list[BalanceTransaction]]:
        """Currency -> the lines that are available and in no payout yet, where their sum is above zero."""
        self._settle()
        return {
            currency: lines for currency, lines in self._unpaid.items() if sum(line.net for line in lines) > 0
        }

    def next_available(self) -> int | None:
        """When the first of the lines that are pending becomes available, in Unix seconds; None without."""
        self._settle()
        return self._all[self._settled].available_on if self._settled < len(self._all) else None

    def pay_out(self, payout: Source, items: list[BalanceTransaction]) -> BalanceTransaction:
        """Book a payout of these lines, which are all that ``payable`` gave for their currency. It leaves
        at once, and its fees are withheld with it."""
        currency, created = items[0].currency, self._clock.unix()
        amount = sum(item.net for item in items)
        line = BalanceTransaction(len(self._all), created, created, "payout", -amount, 0, currency, payout)
        self._all.append(line)
        self._total[currency] -= amount
        self._available[currency] -= amount
        del self._unpaid[currency]
        self._fees[currency] = self._fees.get(currency, 0) - sum(item.fee for item in items)
        return line

    def available(self, currency: str) -> int:
        """What could be paid out now, in the minor unit."""
        self._settle()
        return self._available.get(currency, 0)

    def withdraw(self, payout: Source, amount: int, currency: str) -> BalanceTransaction:
        """Book a payout that was asked for. It leaves at once, and is an item of the next automatic one."""
        return self._move(BalanceTransaction, "payout", -amount, currency, payout)

    def put_back(self, payout: Source, amount: int, currency: str) -> BalanceTransaction:
        """Book the return of such a payout; the money is available at once."""
        return self._move(
            partial(Adjustment, reporting_category="payout_reversal", back=True),
            *("payout_cancel", amount, currency, payout),
        )

    def take_fees(self) -> dict[str, int]:
        """Currency -> the sum of the fees that were not withheld from a payout, nor told of here before."""
        fees, self._fees = self._fees, {}
        return {currency: fee for currency, fee in fees.items() if fee}

    def find(self, name: str) -> BalanceTransaction:
        """Raises StripeError (404) when there is none."""
        found = self._named_line(name)
        if found is None:
            raise missing("balance transaction", name, param="id")
        return found

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``currency``, ``type``, ``source``, ``payout``, ``created``."""
        payout = text(parameters, "payout")
        rows = self._all if payout is None else self.items_of(payout)
        currency, kind, source = (text(parameters, name) for name in ("currency", "type", "source"))
        if currency or kind or source:
            rows = [
                row
                for row in rows
                if currency in (None, row.currency)
                and kind in (None, row.kind)
                and source in (None, row.source.id)
            ]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        inner = below(expand, "data") or ()
        return listing("/v1/balance_transactions", page, lambda row: self.line(row, inner))

    def line(self, transaction: BalanceTransaction, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object of a balance transaction."""
        return transaction.body(expand, self._clock.now())

    def body(self) -> dict[str, Any]:
        """The API's ``balance``: per currency what is available and what is not yet."""
        self._settle()
        currencies = sorted(self._total) or ["eur"]
        available = {currency: self._available.get(currency, 0) for currency in currencies}
        pending = {currency: self._total.get(currency, 0) - available[currency] for currency in currencies}
        return {
            "object": "balance",
            "available": [_funds(currency, available[currency]) for currency in currencies],
            "livemode": False,
            "pending": [_funds(currency, pending[currency]) for currency in currencies],
        }

    def _settle(self) -> None:
        now = self._clock.now()
        while self._settled < len(self._all) and self._all[self._settled].available_on <= now:
            line = self._all[self._settled]
            if not line.kind.startswith("payout"):
                self._available[line.currency] = self._available.get(line.currency, 0) + line.net
                self._unpaid.setdefault(line.currency, []).append(line)
            self._settled += 1

    def _named_line(self, name: str) -> BalanceTransaction | None:
        # Names are read off the lines when somebody asks for one, not while payments are made.
        for place in range(self._named, len(self._all)):
            self._by_id[self._all[place].id] = self._all[place]
        self._named = len(self._all)
        return self._by_id.get(name)

    def _cursor(self, name: str, param: str, rows: list[BalanceTransaction]) -> tuple[int, int]:
        line = self._named_line(name)
        if line is None:
            raise missing("balance transaction", name, param=param, status=400)
        return place_in(rows, line.place)


def _funds(currency: str, amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
