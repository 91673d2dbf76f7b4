"""All early fraud warnings of one gateway; only the test card for them brings one about."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.early_fraud_warning import EarlyFraudWarning
from mocks.gateways.stripe.errors import missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import below, listing, page_of, place_in, text
from mocks.mock_clock import MockClock


class EarlyFraudWarnings:
    """Methods raise ``StripeError`` for what Stripe answers with an error."""

    def __init__(self, events: Events, clock: MockClock, new_id: Callable[[str], str]) -> None:
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._all: list[EarlyFraudWarning] = []
        self._by_id: dict[str, EarlyFraudWarning] = {}

    def warn(self, charge: Charge) -> None:
        """The issuer reports a charge."""
        name = self._new_id("issfr_")
        warning = EarlyFraudWarning(name, len(self._all), self._clock.unix(), charge)
        self._all.append(warning)
        self._by_id[name] = warning
        body = warning.body()
        self._events.happened("radar.early_fraud_warning.created", lambda: body)

    def find(self, name: str, *, param: str = "early_fraud_warning", status: int = 404) -> EarlyFraudWarning:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("early fraud warning", name, param=param, status=status)
        return self._by_id[name]

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``charge``, ``payment_intent`` and ``created``."""
        charge, intent = text(parameters, "charge"), text(parameters, "payment_intent")
        rows = [
            row
            for row in self._all
            if charge in (None, row.charge.id) and intent in (None, row.charge.intent.id)
        ]
        page = page_of(
            parameters,
            rows,
            lambda name, param: place_in(rows, self.find(name, param=param, status=400).place),
        )
        inner = below(expand, "data") or ()
        return listing("/v1/radar/early_fraud_warnings", page, lambda row: row.body(inner))
