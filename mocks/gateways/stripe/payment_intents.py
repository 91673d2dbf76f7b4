"""All PaymentIntents of one gateway, and how they come to move money."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.balance_transaction import fee_of
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.customers import Customers
from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import FormError, Parameters, listed
from mocks.gateways.stripe.objects import (
    below,
    boolean,
    integer,
    listing,
    metadata,
    page_of,
    place_in,
    text,
)
from mocks.gateways.stripe.payment_intent import DEFAULT_TYPES, PaymentIntent
from mocks.gateways.stripe.payment_method import TYPES, PaymentMethod
from mocks.gateways.stripe.payment_methods import PaymentMethods, worth_keeping
from mocks.gateways.stripe.search import Index
from mocks.gateways.stripe.sepa_debit import CURRENCY as SEPA_CURRENCY
from mocks.gateways.stripe.sepa_debit import Account
from mocks.gateways.stripe.three_d_secure import FAILED, NOT_HANDLED, REQUIRED, Authentications, off_session
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock

AUTHORIZATION_S = 7 * 86_400
"""Seconds after which an authorization that was not captured expires ("Place a hold on a payment method":
seven days by default for cards; some networks allow less)."""


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
        captured: Told of every charge whose card has a sequel, once its money is taken.
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
        self._ledger = ledger
        self._charges = charges
        self._balance = balance
        self._events = events
        self._customers = customers
        self._methods = methods
        self._clock = clock
        self._new_id = new_id
        self._all: list[PaymentIntent] = []
        self._by_id: dict[str, PaymentIntent] = {}
        self._by_customer: dict[str, list[PaymentIntent]] = {}
        self._index = Index(self._all)
        self.authentications = Authentications(new_id, self._charge_authenticated, self._unauthenticated)
        methods.used = self._method_used
        self.captured: Callable[[Charge, str], None] = lambda charge, sequel: None

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
            id=name,
            place=len(self._all),
            created=self._clock.unix(),
            amount=integer(parameters, "amount") or 0,
            currency=(text(parameters, "currency") or "").lower(),
            metadata=metadata(parameters),
            customer=customer,
            description=text(parameters, "description"),
            client_secret=f"{name}_secret_{self._new_id('')}",
            manual=text(parameters, "capture_method") == "manual",
        )
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
        self._events.happened("payment_intent.created", PaymentIntent.body_when_created, intent)
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
        if isinstance(instrument, Account):
            self._debit(intent, instrument, parameters)
        elif instrument.authentication and self._must_authenticate(intent, parameters):
            intent.next_action = self.authentications.begin(
                intent, text(parameters, "return_url"), base_url()
            )
            intent.status = "requires_action"
            self._tell("payment_intent.requires_action", intent)
        else:
            self._charge(intent, at_ns)

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
            _check_type(intent, kind)
        if worth_keeping(method):
            self._methods.keep(method)
        intent.instrument, intent.payment_method = method.instrument, method.id
        intent.saved = method if method.kept else None

    def _must_authenticate(self, intent: PaymentIntent, parameters: Parameters) -> bool:
        assert intent.instrument is not None
        if off_session(parameters):
            when = intent.instrument.authentication
            ready = intent.saved is not None and intent.saved.set_up
            if when == "set_up" or (when == "unless_set_up" and ready):
                return False
            raise self._failed(intent, REQUIRED)
        if boolean(parameters, "error_on_requires_action"):
            raise self._failed(intent, NOT_HANDLED)
        return True

    def _charge_authenticated(self, intent: PaymentIntent, at_ns: int) -> None:
        self._charge(intent, at_ns, authenticated=True)

    def _unauthenticated(self, intent: PaymentIntent) -> None:
        self._failed(intent, FAILED)

    def _charge(self, intent: PaymentIntent, at_ns: int, *, authenticated: bool = False) -> None:
        """Raises StripeError (402) when the card is declined."""
        if intent.future_usage is not None and intent.customer is not None:
            self._customers.living(intent.customer, param="customer")
        assert intent.instrument is not None and intent.payment_method is not None
        charge = self._charges.add(intent, intent.instrument, intent.payment_method)
        if authenticated:
            charge.authenticated, intent.next_action = True, None
        if intent.instrument.decline is not None:
            raise self._declined(intent)
        intent.last_payment_error = intent.next_action = None
        if intent.saved is not None or intent.future_usage is not None:
            self._used(intent)
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

    def _debit(self, intent: PaymentIntent, account: Account, parameters: Parameters) -> None:
        """Send a debit off; its outcome is known later. Raises StripeError (400)."""
        assert intent.payment_method is not None and intent.saved is not None
        if intent.manual:
            raise invalid(
                "The payment method type sepa_debit does not support manual capture.", param="capture_method"
            )
        mandate = intent.saved.mandate
        if "mandate_data" in parameters:
            check_mandate(parameters)
            mandate = self._new_id("mandate_")
        if not mandate:
            raise invalid(
                "This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate "
                "acceptance from the customer and provide acceptance data in the mandate_data parameter."
            )
        charge = self._charges.add(intent, account, intent.payment_method, "py_")
        charge.pending, charge.mandate = True, mandate
        intent.status = "processing"
        intent.last_payment_error = None
        self._used(intent)
        if intent.saved.customer is not None:
            intent.saved.mandate = mandate
        pending = charge.body()
        self._events.happened("charge.pending", lambda: pending)
        self._tell("payment_intent.processing", intent)
        self._clock.call_later(account.outcome_s, lambda: self._debited(intent, charge))

    def _debited(self, intent: PaymentIntent, charge: Charge) -> None:
        charge.pending = False
        if charge.instrument.decline is not None:
            self._declined(intent)
            return
        self._take(intent, intent.amount, time.monotonic_ns())
        self._events.happened("charge.succeeded", Charge.body_when, charge, intent.amount, 0)
        self._events.happened("payment_intent.succeeded", PaymentIntent.body, intent)

    def _used(self, intent: PaymentIntent) -> None:
        """A payment has used its PaymentMethod: attach it if that was asked for; without a customer it may
        not be used again."""
        assert intent.instrument is not None and intent.payment_method is not None
        method = intent.saved
        if method is None:
            method = PaymentMethod(intent.payment_method, intent.instrument)
        if intent.future_usage is not None and intent.customer is not None:
            intent.saved = method
            method.set_up = True
            self._methods.attach(method, intent.customer)
        elif method.customer is None:
            method.spent = True

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
        decline = charge.instrument.decline
        assert decline is not None
        # A debit fails long after its request: that its error is no card_error is second-hand.
        kind = "card_error" if charge.instrument.kind == "card" else "invalid_request_error"
        error = StripeError(
            402,
            kind,
            decline.message,
            code=decline.code,
            decline_code=decline.decline_code,
            param=decline.param,
            charge=charge.id,
        )
        self._events.happened("charge.failed", Charge.body_when, charge, 0, 0)
        return self._failed(intent, error)

    def _failed(self, intent: PaymentIntent, cause: StripeError) -> StripeError:
        """The attempt is over; another PaymentMethod may be tried. What is returned is the answer."""
        method: dict[str, Any] | None = None
        if intent.saved is not None:
            method = intent.saved.body()
        elif intent.instrument is not None:
            method = {
                "id": intent.payment_method,
                "object": "payment_method",
                "type": intent.instrument.kind,
            }
        shown = cause.error | {"payment_method": method}
        error = StripeError(cause.status, shown.pop("type"), shown.pop("message"), **shown)
        intent.status = "requires_payment_method"
        intent.instrument = intent.payment_method = intent.saved = intent.next_action = None
        intent.last_payment_error = dict(error.error)
        body = error.error["payment_intent"] = intent.body()
        self._events.happened("payment_intent.payment_failed", lambda: body)
        return error

    def _tell(self, kind: str, intent: PaymentIntent) -> None:
        """An event with the PaymentIntent as it is now, where it changes further."""
        body = intent.body()
        self._events.happened(kind, lambda: body)

    def _cancel(self, intent: PaymentIntent, reason: str | None, released: str) -> None:
        authorized = intent.status == "requires_capture"
        intent.status = "canceled"
        intent.next_action = None
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


def _check_type(intent: PaymentIntent, kind: str) -> None:
    """Raises StripeError (400) when the PaymentIntent cannot be paid by this type."""
    if intent.types and kind not in intent.types:
        raise invalid(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach a "
            f"PaymentMethod of one of the following types: {', '.join(intent.types)}.",
            param="payment_method",
            code="payment_intent_incompatible_payment_method",
        )
    if kind == "sepa_debit" and intent.currency != SEPA_CURRENCY:
        raise _currency_mismatch(intent.currency, kind)
    intent.types = intent.types or (*DEFAULT_TYPES, kind)


def _currency_mismatch(currency: str, kind: str) -> StripeError:
    return invalid(
        f"The currency provided ({currency}) is invalid for {kind}, which expects eur.",
        param="currency",
        code="payment_method_currency_mismatch",
    )


def types_of(parameters: Parameters) -> tuple[str, ...]:
    """``payment_method_types``. Raises StripeError (400) for what is no such type, or not for the currency.

    A type that Stripe has and this mock does not is refused as on an account that has not turned it on.
    """
    try:
        names = [str(name) for name in listed(parameters["payment_method_types"])]
    except FormError as error:
        raise invalid("Invalid array", param="payment_method_types") from error
    for name in names:
        if name not in TYPES:
            raise invalid(
                f'The payment method type "{name[:60]}" is invalid. Please ensure the provided type is '
                "activated in your dashboard.",
                param="payment_method_types",
            )
    currency = (text(parameters, "currency") or "").lower()
    if "sepa_debit" in names and currency != SEPA_CURRENCY:
        raise _currency_mismatch(currency, "sepa_debit")
    return tuple(names)


def future_usage_of(parameters: Parameters) -> str | None:
    """``setup_future_usage``. Raises StripeError (400)."""
    usage = text(parameters, "setup_future_usage")
    if usage not in (None, "on_session", "off_session"):
        raise invalid(
            "Invalid setup_future_usage: must be one of on_session or off_session", param="setup_future_usage"
        )
    return usage


def check_mandate(parameters: Parameters) -> None:
    """``mandate_data``: that its customer has accepted. Raises StripeError (400)."""
    data = parameters["mandate_data"]
    acceptance = data.get("customer_acceptance") if isinstance(data, dict) else None
    kind = acceptance.get("type") if isinstance(acceptance, dict) else None
    param = "mandate_data[customer_acceptance][type]"
    if kind is None:
        raise invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")
    if kind not in ("online", "offline"):
        raise invalid("Invalid type: must be one of online or offline", param=param)
    if kind == "offline":
        return
    online = acceptance.get("online") if isinstance(acceptance, dict) else None
    for name in ("ip_address", "user_agent"):
        if not isinstance(online, dict) or not online.get(name):
            param = f"mandate_data[customer_acceptance][online][{name}]"
            raise invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")
