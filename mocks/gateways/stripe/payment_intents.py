"""All PaymentIntents of one gateway, and how they come to move money."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from itertools import chain
from typing import Any

from mocks.gateways.stripe.attempts import Attempts
from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.customers import Customers
from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import (
    below,
    integer,
    listing,
    metadata,
    page_of,
    place_in,
    text,
)
from mocks.gateways.stripe.payment_intent import PaymentIntent
from mocks.gateways.stripe.payment_method import PaymentMethod
from mocks.gateways.stripe.payment_methods import PaymentMethods, worth_keeping
from mocks.gateways.stripe.payment_options import check_type, future_usage_of, types_of
from mocks.gateways.stripe.search import Index
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


class PaymentIntents:
    """PaymentIntents by card, captured at once or by a call of its own, and by a debit that succeeds later.

    Methods raise ``StripeError`` for what Stripe answers with an error.

    Args:
        ledger: Where a capture is booked, under the PaymentIntent's id: a caller holds that id, and a
            PaymentIntent succeeds at most once.
        charges: Where attempts are kept.
        balance: Where the merchant's share is booked.
        events: Where changes of state are told.
        customers: Who may pay.
        methods: Where PaymentMethods are kept.
        clock: The mock's clock.
        new_id: Prefix -> a new identifier.

    Attributes:
        attempts: Takes the money.
    """

    def __init__(
        self,
        ledger: Ledger,
        charges: Charges,
        balance: Balance,
        events: Events,
        customers: Customers,
        methods: PaymentMethods,
        clock: MockClock,
        new_id: Callable[[str], str],
    ) -> None:
        self._charges = charges
        self._events = events
        self._customers = customers
        self._methods = methods
        self._clock = clock
        self._new_id = new_id
        self._all: list[PaymentIntent] = []
        self._by_id: dict[str, PaymentIntent] = {}
        self._by_customer: dict[str, list[PaymentIntent]] = {}
        self._index = Index(self._all)
        self.attempts = Attempts(
            *(ledger, charges, balance, events, methods, clock, new_id),
            expired=self._expire,
        )
        methods.used = self._method_used

    def find(self, name: str, *, param: str = "intent") -> PaymentIntent:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("payment_intent", name, param=param)
        return self._by_id[name]

    def create(self, parameters: Parameters, method: PaymentMethod | None) -> PaymentIntent:
        """A new PaymentIntent; nothing moves.

        Raises:
            StripeError: 400 when there is no such customer.
        """
        customer = text(parameters, "customer")
        if customer is not None:
            self._customers.living(customer, param="customer")
        name = self._new_id("pi_")
        intent = PaymentIntent(
            name,
            place=len(self._all),
            created=self._clock.unix(),
            amount=integer(parameters, "amount") or 0,
            currency=sys.intern((text(parameters, "currency") or "").lower()),
            labels=tuple(chain.from_iterable(metadata(parameters).items())),
            customer=customer,
        )
        if "description" in parameters:
            intent.description = text(parameters, "description")
        if text(parameters, "capture_method") == "manual":
            intent.manual = True
        if "payment_method_types" in parameters:
            intent.types = types_of(parameters)
        if "setup_future_usage" in parameters:
            intent.future_usage = future_usage_of(parameters)
        if method is not None:
            self._choose(intent, method)
            intent.status = "requires_confirmation"
        self._all.append(intent)
        self._by_id[name] = intent
        if intent.customer:
            self._by_customer.setdefault(intent.customer, []).append(intent)
        asked = (intent,) if intent.future_usage is None else (intent, intent.future_usage)
        self._events.happened("payment_intent.created", PaymentIntent.body_when_created, *asked)
        return intent

    def confirm(
        self,
        intent: PaymentIntent,
        method: PaymentMethod | None,
        at_ns: int,
        parameters: Parameters,
        base_url: Callable[[], str],
    ) -> None:
        """Charge the PaymentMethod: the moment at which money moves, unless it is to be captured later, its
        holder has to be authenticated first, or it is a debit.

        Args:
            intent: The PaymentIntent.
            method: Takes the place of the one that it has.
            at_ns: ``time.monotonic_ns()``.
            parameters: Of the request; what only some payments need is read here.
            base_url: Tells where the client found the mock.

        Raises:
            StripeError: 402 when the card is declined; 400 when the PaymentIntent is in no state for it.
        """
        if intent.status not in CONFIRMABLE:
            raise _unexpected(intent, "confirm", ", ".join(CONFIRMABLE))
        if method is not None:
            self._choose(intent, method)
        instrument = intent.instrument
        if instrument is None or intent.payment_method is None:
            raise StripeError(
                400,
                "invalid_request_error",
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
                payment_intent=intent.body(),
            )
        if "setup_future_usage" in parameters:
            intent.future_usage = future_usage_of(parameters)
        if intent.saved is not None:
            self._methods.check_usable(intent.saved, intent.customer, payment_intent=intent.body())
        self.attempts.start(intent, instrument, at_ns, parameters, base_url)

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
        self.attempts.take(intent, amount, at_ns)
        self._events.happened("charge.captured", Charge.body_when, intent.charge, amount, 0)
        self._events.happened("payment_intent.succeeded", PaymentIntent.body, intent)

    def cancel(self, intent: PaymentIntent, reason: str | None) -> None:
        """Raises StripeError (400) when it has succeeded, been canceled before, or is a debit on its way."""
        if intent.status in ("succeeded", "canceled", "processing"):
            states = "requires_payment_method, requires_capture, requires_confirmation, requires_action"
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

    def _choose(self, intent: PaymentIntent, method: PaymentMethod) -> None:
        kind = method.instrument.kind
        if intent.types or kind != "card":
            check_type(intent, kind)
        if worth_keeping(method):
            self._methods.keep(method)
        intent.instrument, intent.payment_method = method.instrument, method.id
        saved = method if method.kept else None
        if intent.saved is not saved:
            intent.saved = saved

    def _method_used(self, name: str) -> PaymentMethod | None:
        for charge in self._charges:
            if charge.payment_method == name:
                return PaymentMethod(name, charge.instrument, created=charge.created, spent=charge.paid)
        for intent in self._all:
            if intent.payment_method == name and intent.instrument is not None:
                method = PaymentMethod(name, intent.instrument, created=intent.created)
                intent.saved = self._methods.keep(method)
                return method
        return None

    def _cancel(self, intent: PaymentIntent, reason: str | None, released: str) -> None:
        authorized = intent.status == "requires_capture"
        intent.status = "canceled"
        intent.next_action = None
        intent.canceled_at = self._clock.unix()
        intent.cancellation_reason = reason
        if authorized:
            intent.charge.released = True
            self._events.happened(released, Charge.body_when, intent.charge, 0, 0, True)
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
