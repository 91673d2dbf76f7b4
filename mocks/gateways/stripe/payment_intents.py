"""All PaymentIntents of one gateway, and how they come to move money."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.balance_transaction import fee_of
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.currencies import CURRENCIES, MINIMUM
from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import below, integer, listing, metadata, page_of, place_in, text
from mocks.gateways.stripe.payment_intent import Card, PaymentIntent
from mocks.gateways.stripe.search import Index
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock

LARGEST = 99_999_999
"""The largest amount in minor units ("Supported currencies": eight digits)."""

AUTHORIZATION_S = 7 * 86_400
"""Seconds after which an authorization that was not captured expires ("Place a hold on a payment method":
seven days by default for cards; some networks allow less)."""


class PaymentIntents:
    """PaymentIntents by card, captured at once or by a call of its own.

    Methods raise ``StripeError`` for what Stripe answers with an error.

    Args:
        ledger: Where a capture is booked, under the PaymentIntent's id: a caller holds that id, and a
            PaymentIntent succeeds at most once.
        charges: Where attempts are kept.
        balance: Where the merchant's share is booked.
        events: Where changes of state are told.
        clock: The mock's clock.
        new_id: Prefix -> a new identifier.

    Attributes:
        captured: Told of every charge whose card has a sequel, once its money is taken.
    """

    def __init__(
        self,
        ledger: Ledger,
        charges: Charges,
        balance: Balance,
        events: Events,
        clock: MockClock,
        new_id: Callable[[str], str],
    ) -> None:
        self._ledger = ledger
        self._charges = charges
        self._balance = balance
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._all: list[PaymentIntent] = []
        self._by_id: dict[str, PaymentIntent] = {}
        self._by_customer: dict[str, list[PaymentIntent]] = {}
        self._index = Index(self._all)
        self.captured: Callable[[Charge, str], None] = lambda charge, sequel: None

    def find(self, name: str, *, param: str = "intent") -> PaymentIntent:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("payment_intent", name, param=param)
        return self._by_id[name]

    def create(self, parameters: Parameters, card: Card | None) -> PaymentIntent:
        """A new PaymentIntent; nothing moves."""
        name = self._new_id("pi_")
        intent = PaymentIntent(
            id=name,
            place=len(self._all),
            created=self._clock.unix(),
            amount=integer(parameters, "amount") or 0,
            currency=(text(parameters, "currency") or "").lower(),
            metadata=metadata(parameters),
            customer=text(parameters, "customer"),
            description=text(parameters, "description"),
            client_secret=f"{name}_secret_{self._new_id('')}",
            manual=text(parameters, "capture_method") == "manual",
        )
        if card is not None:
            intent.card, intent.payment_method = card.card, card.payment_method
            intent.status = "requires_confirmation"
        self._all.append(intent)
        self._by_id[name] = intent
        if intent.customer:
            self._by_customer.setdefault(intent.customer, []).append(intent)
        self._index.add(intent)
        self._events.happened("payment_intent.created", PaymentIntent.body_when_created, intent)
        return intent

    def confirm(self, intent: PaymentIntent, card: Card | None, at_ns: int) -> None:
        """Charge the card: the moment at which money moves, unless it is to be captured later.

        Raises:
            StripeError: 402 when the card is declined; 400 when the PaymentIntent is in no state for it.
        """
        if intent.status not in ("requires_payment_method", "requires_confirmation"):
            raise _unexpected(intent, "confirm", "requires_payment_method, requires_confirmation")
        if card is not None:
            intent.card, intent.payment_method = card.card, card.payment_method
        if intent.card is None or intent.payment_method is None:
            raise StripeError(
                400,
                "invalid_request_error",
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
                payment_intent=intent.body(),
            )
        charge = self._charges.add(intent, intent.card, intent.payment_method)
        if intent.card.decline is not None:
            raise self._declined(intent)
        intent.last_payment_error = None
        if intent.manual:
            intent.status = "requires_capture"
            self._clock.call_later(AUTHORIZATION_S, lambda: self._expire(intent))
            self._events.happened("charge.succeeded", Charge.body_when, charge, 0, 0)
            self._events.happened(
                "payment_intent.amount_capturable_updated", PaymentIntent.body_when_authorized, intent, charge
            )
        else:
            self._take(intent, intent.amount, at_ns)
            self._events.happened("charge.succeeded", Charge.body_when, charge, intent.amount, 0)
            self._events.happened("payment_intent.succeeded", PaymentIntent.body, intent)

    def capture(self, intent: PaymentIntent, amount: int | None, at_ns: int) -> None:
        """Take the money of an authorization, once: ``amount``, or all of it. The rest is released.

        Raises:
            StripeError: 400 when there is no authorization, or the amount is more than it covers.
        """
        if intent.status != "requires_capture":
            raise StripeError(
                400,
                "invalid_request_error",
                "This PaymentIntent could not be captured because it has a status of "
                f"{intent.status}. Only a PaymentIntent with one of the following statuses may be captured: "
                "requires_capture.",
                code="payment_intent_unexpected_state",
                payment_intent=intent.body(),
            )
        amount = intent.amount if amount is None else amount
        if amount > intent.amount:
            raise invalid(
                f"The amount to capture ({amount}) is greater than the capturable amount ({intent.amount}).",
                param="amount_to_capture",
                code="amount_too_large",
            )
        self._take(intent, amount, at_ns)
        self._events.happened("charge.captured", Charge.body_when, intent.charges[-1], amount, 0)
        self._events.happened("payment_intent.succeeded", PaymentIntent.body, intent)

    def cancel(self, intent: PaymentIntent, reason: str | None) -> None:
        """Raises StripeError (400) when it has succeeded or been canceled before."""
        if intent.status in ("succeeded", "canceled"):
            states = "requires_payment_method, requires_capture, requires_confirmation"
            raise _unexpected(intent, "cancel", states)
        self._cancel(intent, reason, "charge.refunded")

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``customer`` and ``created``."""
        customer = text(parameters, "customer")
        rows = self._all if customer is None else self._by_customer.get(customer, [])
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        inner = below(expand, "data") or ()
        return listing("/v1/payment_intents", page, lambda row: row.body(inner))

    def search(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A page of what ``query`` matches; see ``Index``."""
        rows = self._index.matching(text(parameters, "query") or "")
        limit = integer(parameters, "limit") or 10
        first = integer(parameters, "page") or 0
        more = first + limit < len(rows)
        inner = below(expand, "data") or ()
        return {
            "object": "search_result",
            "url": "/v1/payment_intents/search",
            "has_more": more,
            "next_page": str(first + limit) if more else None,
            "data": [row.body(inner) for row in rows[first : first + limit]],
        }

    def _take(self, intent: PaymentIntent, amount: int, at_ns: int) -> None:
        self._ledger.capture(intent.id, intent.order_id, amount, intent.currency.upper(), at_ns)
        intent.status = "succeeded"
        intent.amount_received = amount
        charge = intent.charges[-1]
        charge.captured = amount
        fee = fee_of(amount, intent.currency)
        charge.balance_transaction = self._balance.book("charge", charge, amount, fee, intent.currency)
        sequel = charge.sequel
        if sequel:
            self.captured(charge, sequel)

    def _declined(self, intent: PaymentIntent) -> StripeError:
        charge = intent.charges[-1]
        decline = charge.card.decline
        assert decline is not None
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
        body = error.error["payment_intent"] = intent.body()
        self._events.happened("charge.failed", Charge.body_when, charge, 0, 0)
        self._events.happened("payment_intent.payment_failed", lambda: body)
        return error

    def _cancel(self, intent: PaymentIntent, reason: str | None, released: str) -> None:
        authorized = intent.status == "requires_capture"
        intent.status = "canceled"
        intent.canceled_at = self._clock.unix()
        intent.cancellation_reason = reason
        if authorized:
            intent.charges[-1].released = True
            self._events.happened(released, Charge.body_when, intent.charges[-1], 0, 0, True)
        self._events.happened("payment_intent.canceled", PaymentIntent.body, intent)

    def _expire(self, intent: PaymentIntent) -> None:
        if intent.status == "requires_capture":
            self._cancel(intent, "automatic", "charge.expired")

    def _cursor(self, name: str, param: str, rows: list[PaymentIntent]) -> tuple[int, int]:
        if name not in self._by_id:
            raise missing("payment_intent", name, param=param, status=400)
        return place_in(rows, self._by_id[name].place)


def _unexpected(intent: PaymentIntent, verb: str, states: str) -> StripeError:
    message = (
        f"You cannot {verb} this PaymentIntent because it has a status of {intent.status}. "
        f"Only a PaymentIntent with one of the following statuses may be used here: {states}."
    )
    code = "payment_intent_unexpected_state"
    return StripeError(400, "invalid_request_error", message, code=code, payment_intent=intent.body())


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
