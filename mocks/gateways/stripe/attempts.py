"""One attempt after the other to take the money of PaymentIntents, and what comes of each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from mocks.gateways.stripe.authorizations import Authorizations
from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.balance_transaction import fee_of
from mocks.gateways.stripe.cards import Decline
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.errors import StripeError, invalid
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import boolean, text
from mocks.gateways.stripe.payment_intent import PaymentIntent
from mocks.gateways.stripe.payment_method import Instrument, PaymentMethod
from mocks.gateways.stripe.payment_methods import PaymentMethods
from mocks.gateways.stripe.payment_options import check_mandate
from mocks.gateways.stripe.sepa_debit import Account
from mocks.gateways.stripe.three_d_secure import FAILED, NOT_HANDLED, REQUIRED, Authentications, off_session
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock


class Attempts:
    """Charges cards, at once or after an authentication, and sends debits off.

    Args:
        ledger: Where a capture is booked, under the PaymentIntent's id: a caller holds that id, and a
            PaymentIntent succeeds at most once.
        charges: Where attempts are kept.
        balance: Where the merchant's share is booked.
        events: Where changes of state are told.
        methods: Where PaymentMethods are kept.
        clock: The mock's clock.
        new_id: Prefix -> a new identifier.
        expired: Told of every authorization whose time is over, captured or not.

    Attributes:
        storm: How every card is declined while it is set, whichever it is.
        captured: Told of every charge whose instrument has a sequel, once its money is taken.
    """

    def __init__(
        self,
        ledger: Ledger,
        charges: Charges,
        balance: Balance,
        events: Events,
        methods: PaymentMethods,
        clock: MockClock,
        new_id: Callable[[str], str],
        expired: Callable[[PaymentIntent], None],
    ) -> None:
        self._ledger = ledger
        self._charges = charges
        self._balance = balance
        self._events = events
        self._methods = methods
        self._clock = clock
        self._new_id = new_id
        self._authorizations = Authorizations(clock, expired)
        self.storm: Decline | None = None
        self.captured: Callable[[Charge, str], None] = lambda charge, sequel: None
        self.authentications = Authentications(new_id, self._charge_authenticated, self._unauthenticated)

    def start(
        self,
        intent: PaymentIntent,
        instrument: Instrument,
        at_ns: int,
        parameters: Parameters,
        base_url: Callable[[], str],
    ) -> None:
        """Take the money, or do what has to come before; see ``PaymentIntents.confirm``."""
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
        """Raises StripeError: 402 when the card is declined, 400 when it cannot be attached as asked."""
        assert intent.instrument is not None and intent.payment_method is not None
        instrument = intent.instrument
        if self.storm is not None and not isinstance(instrument, Account):
            instrument = instrument._replace(decline=self.storm)
        pays = instrument.decline is None
        if pays and (intent.saved is not None or intent.future_usage is not None):
            self._used(intent)
        charge = self._charges.add(intent, instrument, intent.payment_method)
        if intent.saved is not None:
            charge.details = intent.saved.details
        if authenticated:
            charge.authenticated = True
        if not pays:
            raise self._declined(intent)
        _settled(intent)
        if intent.manual:
            intent.status = "requires_capture"
            self._authorizations.add(intent)
            self._events.happened("charge.succeeded", Charge.body_when, charge, 0, 0)
            self._events.happened(
                "payment_intent.amount_capturable_updated", PaymentIntent.body_when_authorized, intent, charge
            )
        else:
            self.take(intent, intent.amount, at_ns)
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
        self._used(intent)
        charge = self._charges.add(intent, account, intent.payment_method, "py_")
        charge.pending, charge.mandate, charge.details = True, mandate, intent.saved.details
        intent.status = "processing"
        _settled(intent)
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
        self.take(intent, intent.amount, time.monotonic_ns())
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

    def take(self, intent: PaymentIntent, amount: int, at_ns: int) -> None:
        """The money moves: book it. ``amount`` is in the minor unit."""
        self._ledger.capture(intent.id, intent.order_id, amount, sys.intern(intent.currency.upper()), at_ns)
        intent.status = "succeeded"
        intent.amount_received = amount
        charge = intent.charge
        charge.captured = amount
        fee = fee_of(amount, intent.currency)
        charge.balance_transaction = self._balance.book("charge", charge, amount, fee, intent.currency)
        sequel = charge.sequel
        if sequel:
            self.captured(charge, sequel)

    def _declined(self, intent: PaymentIntent) -> StripeError:
        charge = intent.charge
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
        elif intent.instrument is not None and intent.payment_method is not None:
            created = self._clock.unix()
            method = PaymentMethod(intent.payment_method, intent.instrument, created=created).body()
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


def _settled(intent: PaymentIntent) -> None:
    """Nothing is wrong any more, and nothing is asked of the payer."""
    if intent.last_payment_error is not None:
        intent.last_payment_error = None
    if intent.next_action is not None:
        intent.next_action = None
