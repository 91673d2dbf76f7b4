"""PaymentIntents: what they are, and how they come to move money."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from mocks.gateways.stripe import cards
from mocks.gateways.stripe.currencies import CURRENCIES, MINIMUM
from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import Page, integer, metadata, page_of, text, unix
from mocks.ledger import Ledger

LARGEST = 99_999_999
"""The largest amount in minor units ("Supported currencies": eight digits)."""

_CLAUSE = re.compile(
    r"""\s*(?:metadata\[(?P<q>["'])(?P<key>.+?)(?P=q)\]|(?P<field>status|customer|currency))"""
    r"""\s*:\s*(?P<r>["'])(?P<value>.*?)(?P=r)\s*"""
)


@dataclass(slots=True)
class Charge:
    """One attempt to take the money of a PaymentIntent."""

    id: str
    created: int
    card: cards.Card
    payment_method: str

    @property
    def paid(self) -> bool:
        return self.card.decline is None


@dataclass(slots=True)
class PaymentIntent:
    """``sequence`` counts the PaymentIntents of the gateway; later ones have higher numbers."""

    id: str
    sequence: int
    created: int
    amount: int
    currency: str
    metadata: dict[str, str]
    customer: str | None
    description: str | None
    client_secret: str
    status: str = "requires_payment_method"
    card: cards.Card | None = None
    payment_method: str | None = None
    charges: list[Charge] = field(default_factory=list)
    last_payment_error: dict[str, Any] | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None

    @property
    def order_id(self) -> str:
        """By convention of this project a caller puts its order id into ``metadata[order_id]``."""
        return self.metadata.get("order_id", "")


@dataclass(frozen=True, slots=True)
class Card:
    """A card as a request names it, with the identifier that its PaymentMethod gets."""

    payment_method: str
    card: cards.Card


class PaymentIntents:
    """All PaymentIntents of one gateway.

    Methods raise ``StripeError`` for what Stripe answers with an error.

    Args:
        ledger: Where a capture is booked, under the PaymentIntent's id: a caller holds that id, and a
            PaymentIntent succeeds at most once.
        new_id: Prefix -> a new identifier.
    """

    def __init__(self, ledger: Ledger, new_id: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._new_id = new_id
        self._all: list[PaymentIntent] = []
        self._by_id: dict[str, PaymentIntent] = {}
        self._by_charge: dict[str, PaymentIntent] = {}
        self._by_customer: dict[str, list[PaymentIntent]] = {}
        self._by_metadata: dict[tuple[str, str], list[PaymentIntent]] = {}

    def find(self, name: str, *, param: str = "intent") -> PaymentIntent:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("payment_intent", name, param=param)
        return self._by_id[name]

    def of_charge(self, charge: str) -> PaymentIntent:
        """Raises StripeError (404) when there is no such charge."""
        if charge not in self._by_charge:
            raise missing("charge", charge, param="charge")
        return self._by_charge[charge]

    def create(self, parameters: Parameters, card: Card | None) -> PaymentIntent:
        """A new PaymentIntent; nothing moves."""
        created = unix()
        name = self._new_id("pi_")
        intent = PaymentIntent(
            id=name,
            sequence=len(self._all),
            created=created,
            amount=integer(parameters, "amount") or 0,
            currency=(text(parameters, "currency") or "").lower(),
            metadata=metadata(parameters),
            customer=text(parameters, "customer"),
            description=text(parameters, "description"),
            client_secret=f"{name}_secret_{self._new_id('')}",
        )
        if card is not None:
            intent.card, intent.payment_method = card.card, card.payment_method
            intent.status = "requires_confirmation"
        self._all.append(intent)
        self._by_id[name] = intent
        if intent.customer:
            self._by_customer.setdefault(intent.customer, []).append(intent)
        for pair in intent.metadata.items():
            self._by_metadata.setdefault(pair, []).append(intent)
        return intent

    def confirm(self, intent: PaymentIntent, card: Card | None, at_ns: int) -> None:
        """Charge the card: the moment at which money moves.

        Raises:
            StripeError: 402 when the card is declined; 400 when the PaymentIntent is in no state for it.
        """
        if intent.status not in ("requires_payment_method", "requires_confirmation"):
            raise self._unexpected(intent, "confirm", "requires_payment_method, requires_confirmation")
        if card is not None:
            intent.card, intent.payment_method = card.card, card.payment_method
        if intent.card is None or intent.payment_method is None:
            raise StripeError(
                400,
                "invalid_request_error",
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
                payment_intent=self.body(intent),
            )
        charge = Charge(self._new_id("ch_"), unix(), intent.card, intent.payment_method)
        intent.charges.append(charge)
        self._by_charge[charge.id] = intent
        decline = intent.card.decline
        if decline is None:
            intent.status = "succeeded"
            intent.last_payment_error = None
            self._ledger.capture(intent.id, intent.order_id, intent.amount, intent.currency.upper(), at_ns)
            return
        error = StripeError(
            402,
            "card_error",
            decline.message,
            code=decline.code,
            decline_code=decline.decline_code,
            param=decline.param,
            charge=charge.id,
            payment_method={"id": charge.payment_method, "object": "payment_method", "type": "card"},
        )
        intent.status = "requires_payment_method"
        intent.card = intent.payment_method = None
        intent.last_payment_error = dict(error.error)
        error.error["payment_intent"] = self.body(intent)
        raise error

    def cancel(self, intent: PaymentIntent, reason: str | None) -> None:
        """Raises StripeError (400) when it has succeeded or been canceled before."""
        if intent.status in ("succeeded", "canceled"):
            raise self._unexpected(intent, "cancel", "requires_payment_method, requires_confirmation")
        intent.status = "canceled"
        intent.canceled_at = unix()
        intent.cancellation_reason = reason

    def page(self, parameters: Parameters, expand: Iterable[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``customer`` and ``created``."""
        customer = text(parameters, "customer")
        rows = self._all if customer is None else self._by_customer.get(customer, [])
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        return self._listed(page, "/v1/payment_intents", expand)

    def search(self, parameters: Parameters, expand: Iterable[str]) -> dict[str, Any]:
        """Search by ``metadata['key']:'value'``, ``status``, ``customer``, ``currency``, joined by AND.

        Consistent at once. The real one lags behind by up to a minute, and longer in an outage of its own
        ("Search": "data is searchable in less than 1 minute"); a caller that relies on this mock's promptness
        is wrong.
        """
        rows = self._matching(text(parameters, "query") or "")
        limit = integer(parameters, "limit") or 10
        first = integer(parameters, "page") or 0
        some = rows[first : first + limit]
        more = first + limit < len(rows)
        return {
            "object": "search_result",
            "url": "/v1/payment_intents/search",
            "has_more": more,
            "next_page": str(first + limit) if more else None,
            "data": [self.body(row, "data.latest_charge" in expand) for row in some],
        }

    def body(self, intent: PaymentIntent, with_charge: bool = False) -> dict[str, Any]:
        """The API's object; ``with_charge`` puts the whole latest charge into it."""
        charge = intent.charges[-1] if intent.charges else None
        latest: str | dict[str, Any] | None = charge.id if charge is not None else None
        if charge is not None and with_charge:
            latest = self.charge_body(intent, charge)
        return {
            "id": intent.id,
            "object": "payment_intent",
            "amount": intent.amount,
            "amount_capturable": 0,
            "amount_received": self._ledger.captured(intent.id),
            "canceled_at": intent.canceled_at,
            "cancellation_reason": intent.cancellation_reason,
            "capture_method": "automatic",
            "client_secret": intent.client_secret,
            "confirmation_method": "automatic",
            "created": intent.created,
            "currency": intent.currency,
            "customer": intent.customer,
            "description": intent.description,
            "last_payment_error": intent.last_payment_error,
            "latest_charge": latest,
            "livemode": False,
            "metadata": intent.metadata,
            "next_action": None,
            "payment_method": intent.payment_method,
            "payment_method_types": ["card"],
            "processing": None,
            "status": intent.status,
        }

    def charge_body(self, intent: PaymentIntent, charge: Charge) -> dict[str, Any]:
        """The API's object of a charge."""
        captured = intent.amount if charge.paid else 0
        refunded = self._ledger.refunded(intent.id) if charge.paid else 0
        decline = charge.card.decline
        return {
            "id": charge.id,
            "object": "charge",
            "amount": intent.amount,
            "amount_captured": captured,
            "amount_refunded": refunded,
            "captured": charge.paid,
            "created": charge.created,
            "currency": intent.currency,
            "customer": intent.customer,
            "failure_code": decline.code if decline is not None else None,
            "failure_message": decline.message if decline is not None else None,
            "livemode": False,
            "metadata": intent.metadata,
            "paid": charge.paid,
            "payment_intent": intent.id,
            "payment_method": charge.payment_method,
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": charge.card.brand,
                    "funding": charge.card.funding,
                    "last4": charge.card.last4,
                },
            },
            "refunded": charge.paid and refunded == captured,
            "status": "succeeded" if charge.paid else "failed",
        }

    def _listed(self, page: Page[PaymentIntent], url: str, expand: Iterable[str]) -> dict[str, Any]:
        with_charge = "data.latest_charge" in expand
        return {
            "object": "list",
            "url": url,
            "has_more": page.has_more,
            "data": [self.body(row, with_charge) for row in page.rows],
        }

    def _cursor(self, name: str, param: str, rows: list[PaymentIntent]) -> tuple[int, int]:
        if name not in self._by_id:
            raise missing("payment_intent", name, param=param, status=400)
        sequence = self._by_id[name].sequence
        older = bisect.bisect_left(rows, sequence, key=attrgetter("sequence"))
        return older, bisect.bisect_right(rows, sequence, key=attrgetter("sequence"))

    def _matching(self, query: str) -> list[PaymentIntent]:
        rows: list[PaymentIntent] | None = None
        position = 0
        while True:
            clause = _CLAUSE.match(query, position)
            if clause is None:
                raise invalid(
                    "The query cannot be read, or uses what this mock does not offer.", param="query"
                )
            key, name, value = clause["key"], clause["field"], clause["value"]
            if key is not None:
                found = self._by_metadata.get((key, value), [])
                rows = found if rows is None else [row for row in rows if row.metadata.get(key) == value]
            else:
                candidates = self._all if rows is None else rows
                rows = [row for row in candidates if getattr(row, name) == value]
            position = clause.end()
            if position == len(query):
                return rows[::-1]
            if query[position : position + 3].upper() != "AND":
                raise invalid(
                    "The query cannot be read, or uses what this mock does not offer.", param="query"
                )
            position += 3

    def _unexpected(self, intent: PaymentIntent, verb: str, states: str) -> StripeError:
        message = (
            f"You cannot {verb} this PaymentIntent because it has a status of {intent.status}. "
            f"Only a PaymentIntent with one of the following statuses may be used here: {states}."
        )
        code = "payment_intent_unexpected_state"
        return StripeError(400, "invalid_request_error", message, code=code, payment_intent=self.body(intent))


def check_amount(parameters: Parameters) -> None:
    """Whether amount and currency of a new PaymentIntent are acceptable. Raises StripeError (400)."""
    currency = text(parameters, "currency", required=True) or ""
    if currency.lower() not in CURRENCIES:
        raise invalid(f"Invalid currency: {currency[:10]}.", param="currency")
    amount = integer(parameters, "amount", required=True) or 0
    least = MINIMUM.get(currency.lower(), 1)
    if amount < least:
        raise invalid(
            f"Amount must be at least {least} in the minor unit of {currency.lower()}.",
            param="amount",
            code="amount_too_small",
        )
    if amount > LARGEST:
        raise invalid(
            f"Amount must be no more than {LARGEST} in the minor unit.",
            param="amount",
            code="amount_too_large",
        )
