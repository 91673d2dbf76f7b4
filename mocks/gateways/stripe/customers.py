"""All customers of one gateway."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.customer import TEXTS, Customer
from mocks.gateways.stripe.errors import invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import listing, metadata, page_of, place_in, text
from mocks.gateways.stripe.payment_method_data import address_of
from mocks.mock_clock import MockClock


class Customers:
    """Methods raise ``StripeError`` for what Stripe answers with an error."""

    def __init__(self, events: Events, clock: MockClock, new_id: Callable[[str], str]) -> None:
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._all: list[Customer] = []
        self._by_id: dict[str, Customer] = {}

    def create(self, parameters: Parameters) -> Customer:
        """A new customer, without a PaymentMethod yet."""
        created = self._clock.unix()
        customer = Customer(self._new_id("cus_"), len(self._all), created, {}, metadata(parameters))
        self._describe(customer, parameters)
        self._all.append(customer)
        self._by_id[customer.id] = customer
        self._tell("created", customer)
        return customer

    def update(self, customer: Customer, parameters: Parameters) -> None:
        """Change what the parameters name; an empty value takes it away."""
        self._describe(customer, parameters)
        customer.metadata = merged(customer.metadata, parameters)
        self._tell("updated", customer)

    def delete(self, customer: Customer) -> None:
        """It is gone for good; ``find`` still knows its identifier."""
        self._tell("deleted", customer)
        customer.deleted = True

    def find(self, name: str, *, param: str = "id") -> Customer:
        """A customer, deleted or not. Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("customer", name, param=param)
        return self._by_id[name]

    def living(self, name: str, *, param: str = "id", status: int = 400) -> Customer:
        """A customer that isn't deleted. Raises StripeError when there is none."""
        customer = self._by_id.get(name)
        if customer is None or customer.deleted:
            raise missing("customer", name, param=param, status=status)
        return customer

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``email`` and ``created``."""
        email = text(parameters, "email")
        rows = [row for row in self._all if not row.deleted and email in (None, row.texts.get("email"))]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        return listing("/v1/customers", page, Customer.body)

    def _describe(self, customer: Customer, parameters: Parameters) -> None:
        for name in TEXTS:
            if name in parameters:
                customer.texts[name] = text(parameters, name)
        if "address" in parameters:
            customer.address = address_of(parameters, "address")
        if "shipping" in parameters:
            customer.shipping = _shipping(parameters)

    def _tell(self, what: str, customer: Customer) -> None:
        body = customer.body()
        self._events.happened(f"customer.{what}", lambda: body)

    def _cursor(self, name: str, param: str, rows: list[Customer]) -> tuple[int, int]:
        return place_in(rows, self.living(name, param=param).place)


def check(parameters: Parameters) -> None:
    """What can be said of a customer's parameters before they are used. Raises StripeError (400)."""
    email = text(parameters, "email")
    if email is not None and not all(email.partition("@")):
        raise invalid(f"Invalid email address: {email[:100]}", param="email", code="email_invalid")
    for name in TEXTS:
        text(parameters, name)
    address_of(parameters, "address")
    _shipping(parameters)
    metadata(parameters)


def merged(old: dict[str, str], parameters: Parameters) -> dict[str, str]:
    """The metadata after an update: pairs are added or replaced, and taken away by an empty value; an empty
    ``metadata`` takes all away."""
    if "metadata" not in parameters:
        return old
    if not parameters["metadata"]:
        return {}
    return {name: value for name, value in (old | metadata(parameters)).items() if value}


def _shipping(parameters: Parameters) -> dict[str, Any] | None:
    node = parameters.get("shipping")
    if not node:
        return None
    if isinstance(node, str):
        raise invalid("Invalid object", param="shipping")
    return {
        "address": address_of(node, "shipping[address]"),
        "name": text(node, "name"),
        "phone": text(node, "phone"),
    }
