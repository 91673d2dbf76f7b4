"""The PaymentMethods that one gateway keeps, and the customers that they are attached to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.customers import Customers, merged
from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import integer, listing, page_of, place_in, text
from mocks.gateways.stripe.payment_method import PLAIN, TYPES, Details, Instrument, PaymentMethod
from mocks.gateways.stripe.payment_method_data import billing_of, by_name, check_expiry, details_of, read
from mocks.mock_clock import MockClock


class PaymentMethods:
    """Those that were made by a call of their own, attached to a customer, or charged in a way that has to
    be remembered. A PaymentMethod of an ordinary payment is not kept.

    Methods raise ``StripeError`` for what Stripe answers with an error.
    """

    def __init__(
        self, customers: Customers, events: Events, clock: MockClock, new_id: Callable[[str], str]
    ) -> None:
        self._customers = customers
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._all: list[PaymentMethod] = []
        self._by_id: dict[str, PaymentMethod] = {}
        self.used: Callable[[str], PaymentMethod | None] = lambda name: None

    def asked(self, parameters: Parameters) -> PaymentMethod | None:
        """The PaymentMethod that a payment names, by ``payment_method`` or ``payment_method_data``; None
        when neither is there. One by a name for tests, or by its data, is new each time and not kept.

        Raises:
            StripeError: 400 for what is no PaymentMethod, 402 for an expiry date that cannot be.
        """
        name = text(parameters, "payment_method")
        if name is not None:
            instrument = by_name(name)
            if instrument is None:
                return self.find(name, param="payment_method", status=400)
            return PaymentMethod(self._new_id("pm_"), instrument, details_of(name))
        data = parameters.get("payment_method_data")
        if data is None:
            return None
        if isinstance(data, str):
            raise invalid("Invalid object", param="payment_method_data[type]")
        instrument, details = read(data, "payment_method_data")
        return PaymentMethod(self._new_id("pm_"), instrument, details)

    def create(self, instrument: Instrument, details: Details) -> PaymentMethod:
        """A new one, attached to nobody."""
        return self.keep(PaymentMethod(self._new_id("pm_"), instrument, details))

    def keep(self, method: PaymentMethod) -> PaymentMethod:
        """Keep one from here on; nothing happens to one that is kept already."""
        if not method.kept:
            method.kept = True
            method.place, method.created = len(self._all), method.created or self._clock.unix()
            self._all.append(method)
            self._by_id[method.id] = method
        return method

    def find(self, name: str, *, param: str = "payment_method", status: int = 404) -> PaymentMethod:
        """One that is kept, or that a payment used. Raises StripeError when there is none."""
        method = self._by_id.get(name)
        if method is None:
            method = self.used(name)
            if method is None:
                raise missing("PaymentMethod", name, param=param, status=status)
            self.keep(method)
        return method

    def named(self, name: str) -> PaymentMethod:
        """One for attaching: a name for tests makes a new one. Raises StripeError (404)."""
        instrument = by_name(name)
        if instrument is None:
            return self.find(name)
        return PaymentMethod(self._new_id("pm_"), instrument, details_of(name))

    def update(self, method: PaymentMethod, parameters: Parameters) -> None:
        """Change billing details, metadata or the expiry date. Raises StripeError (400, 402)."""
        if method.customer is None:
            raise invalid("You must save this PaymentMethod to a customer before you can update it.")
        details = method.details
        month, year = details.exp_month, details.exp_year
        card = parameters.get("card")
        if isinstance(card, dict):
            new_month, new_year = integer(card, "exp_month"), integer(card, "exp_year")
            month = month if new_month is None else new_month
            year = year if new_year is None else new_year
            check_expiry(month, year)
        billing = billing_of(parameters, old=details.billing)
        method.details = Details(billing, merged(details.metadata, parameters), month, year)
        self._tell("updated", method)

    def attach(self, method: PaymentMethod, customer: str, *, param: str = "customer") -> None:
        """Attach it to a customer, or leave it with the one that it has.

        Raises:
            StripeError: 400 when there is no such customer, or it is another's or spent; 402 when the card
                is declined.
        """
        self._customers.living(customer, param=param)
        if method.customer == customer:
            return
        if method.customer is not None:
            raise invalid("The payment method you provided has already been attached to a customer.")
        if method.spent:
            raise invalid(
                "This PaymentMethod was previously used without being attached to a Customer or was "
                "detached from a Customer, and may not be used again."
            )
        decline = method.instrument.decline
        if decline is not None and not method.instrument.attachable:
            raise StripeError(
                402,
                "card_error",
                decline.message,
                code=decline.code,
                decline_code=decline.decline_code,
                param=decline.param,
            )
        self.keep(method).customer = customer
        self._tell("attached", method)

    def detach(self, method: PaymentMethod) -> None:
        """Take it away from its customer, for good. Raises StripeError (400) when it has none."""
        if method.customer is None:
            raise invalid(
                "The payment method you provided is not attached to a customer so detachment is impossible."
            )
        method.customer, method.spent = None, True
        self._tell("detached", method)

    def forget_customer(self, customer: str) -> None:
        """Detach all that a customer has."""
        for method in self._all:
            if method.customer == customer:
                self.detach(method)

    def default_of(self, parameters: Parameters, customer: str) -> str | None:
        """``invoice_settings[default_payment_method]``, which has to be one of the customer's; None without.
        Raises StripeError (400)."""
        param = "invoice_settings[default_payment_method]"
        node = parameters.get("invoice_settings")
        name = text(node, "default_payment_method") if isinstance(node, dict) else None
        if name is None:
            return None
        if self.find(name, param=param, status=400).customer != customer:
            raise invalid(
                f"The customer does not have a payment method with the ID {name}. The payment method must be "
                "attached to the customer.",
                param=param,
                code="resource_missing",
            )
        return name

    def check_usable(self, method: PaymentMethod, customer: str | None, **fields: Any) -> None:
        """Whether a payment for this customer may use it.

        Args:
            method: One that is kept.
            customer: Of the payment.
            fields: Of the error, beside the message.

        Raises:
            StripeError: 400.
        """
        if method.customer is None:
            if method.spent:
                raise StripeError(
                    400,
                    "invalid_request_error",
                    "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
                    "attachment or was detached from a Customer. It may not be used again; attach a "
                    "PaymentMethod to a Customer first to use it multiple times.",
                    **fields,
                )
        elif customer is None:
            raise StripeError(
                400,
                "invalid_request_error",
                f"The `payment_method` parameter supplied {method.id} belongs to the Customer "
                f"{method.customer}. Please include the Customer in the `customer` parameter on the "
                "PaymentIntent.",
                code="parameter_missing",
                param="source",
                **fields,
            )
        elif method.customer != customer:
            raise StripeError(
                400,
                "invalid_request_error",
                f"The PaymentMethod {method.id} does not belong to the Customer you supplied {customer}. "
                "Please use this PaymentMethod with the Customer that it belongs to instead.",
                param="payment_method",
                **fields,
            )

    def page(
        self, parameters: Parameters, expand: Collection[str], customer: str | None = None
    ) -> dict[str, Any]:
        """A list page, newest first; filters ``customer`` and ``type``. Raises StripeError (400, 404)."""
        url = "/v1/payment_methods" if customer is None else f"/v1/customers/{customer}/payment_methods"
        if customer is not None:
            self._customers.living(customer, param="customer", status=404)
        else:
            customer = text(parameters, "customer")
            if customer is not None:
                self._customers.living(customer, param="customer")
        kind = text(parameters, "type")
        if kind is not None and kind not in TYPES:
            raise invalid(f"Invalid type: must be one of {', '.join(TYPES)}", param="type")
        rows = [
            row
            for row in self._all
            if customer in (None, row.customer) and kind in (None, row.instrument.kind)
        ]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        return listing(url, page, PaymentMethod.body)

    def _tell(self, what: str, method: PaymentMethod) -> None:
        body = method.body()
        self._events.happened(f"payment_method.{what}", lambda: body)

    def _cursor(self, name: str, param: str, rows: list[PaymentMethod]) -> tuple[int, int]:
        if name not in self._by_id:
            raise missing("PaymentMethod", name, param=param, status=400)
        return place_in(rows, self._by_id[name].place)


def worth_keeping(method: PaymentMethod) -> bool:
    """Whether more is said of a payment's PaymentMethod than can be made anew from its instrument."""
    return method.details.billing is not PLAIN.billing or method.instrument.authentication != ""
