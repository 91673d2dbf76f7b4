"""All charges of one gateway."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.errors import missing
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import below, listing, page_of, place_in, text
from mocks.gateways.stripe.payment_intent import PaymentIntent
from mocks.gateways.stripe.payment_method import Instrument
from mocks.mock_clock import MockClock


class Charges:
    """Charges are made by confirming PaymentIntents only; here they are found and listed."""

    def __init__(self, clock: MockClock, new_id: Callable[[str], str]) -> None:
        self._clock = clock
        self._new_id = new_id
        self._all: list[Charge] = []
        self._by_id: dict[str, Charge] = {}

    def add(
        self, intent: PaymentIntent, instrument: Instrument, payment_method: str, prefix: str = "ch_"
    ) -> Charge:
        """A new attempt, the latest of its PaymentIntent."""
        # A PaymentMethod that is not kept is charged once: its letters tell its charge apart.
        name = "" if intent.saved is None and prefix == "ch_" else self._new_id(prefix)
        charge = Charge(name, len(self._all), self._clock.unix(), intent, instrument, payment_method)
        self._all.append(charge)
        intent.latest_charge = charge
        return charge

    def __iter__(self) -> Iterator[Charge]:
        return iter(self._all)

    def find(self, name: str, *, param: str = "id") -> Charge:
        """Raises StripeError (404) when there is none."""
        charge = self._named(name)
        if charge is None:
            raise missing("charge", name, param=param)
        return charge

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``payment_intent``, ``customer`` and ``created``."""
        rows = self._all
        intent, customer = text(parameters, "payment_intent"), text(parameters, "customer")
        if intent or customer:
            rows = [
                row
                for row in rows
                if intent in (None, row.intent.id) and customer in (None, row.intent.customer)
            ]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        inner = below(expand, "data") or ()
        return listing("/v1/charges", page, lambda row: row.body(inner))

    def _cursor(self, name: str, param: str, rows: list[Charge]) -> tuple[int, int]:
        charge = self._named(name)
        if charge is None:
            raise missing("charge", name, param=param, status=400)
        return place_in(rows, charge.place)

    def _named(self, name: str) -> Charge | None:
        # Most of the charges of a load test are never asked for: they are taken in when somebody asks.
        for place in range(len(self._by_id), len(self._all)):
            self._by_id[self._all[place].id] = self._all[place]
        return self._by_id.get(name)
