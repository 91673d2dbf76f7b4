"""The endpoints of customers: what a request must hold, and what it does."""

from __future__ import annotations

from mocks.gateways.call import Call, Prepared
from mocks.gateways.stripe.answers import Endpoint, guarded, ok
from mocks.gateways.stripe.customers import Customers, check
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import text
from mocks.gateways.stripe.payment_methods import PaymentMethods
from mocks.reply import Reply


class CustomerCalls:
    """Endpoint name -> endpoint, for customers."""

    def __init__(self, customers: Customers, methods: PaymentMethods) -> None:
        self._customers = customers
        self._methods = methods
        self.endpoints: dict[str, Endpoint] = {
            "customers.create": self._create,
            "customers.retrieve": self._retrieve,
            "customers.update": self._update,
            "customers.delete": self._delete,
            "customers.list": self._list,
            "customers.payment_methods": self._list_methods,
        }

    def _create(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        check(parameters)
        asked = text(parameters, "payment_method")
        method = None if asked is None else self._methods.named(asked)

        def execute(at_ns: int) -> Reply:
            customer = self._customers.create(parameters)
            if method is not None:
                self._methods.attach(method, customer.id)
            customer.default_method = self._methods.default_of(parameters, customer.id)
            return ok(customer.body())

        return guarded(execute)

    def _retrieve(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return guarded(lambda at_ns: ok(self._customers.find(name).body()))

    def _update(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        check(parameters)

        def execute(at_ns: int) -> Reply:
            customer = self._customers.living(name, status=404)
            if "invoice_settings" in parameters:
                customer.default_method = self._methods.default_of(parameters, customer.id)
            self._customers.update(customer, parameters)
            return ok(customer.body())

        return guarded(execute)

    def _delete(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        def execute(at_ns: int) -> Reply:
            customer = self._customers.living(name, status=404)
            self._methods.forget_customer(customer.id)
            self._customers.delete(customer)
            return ok(customer.body())

        return guarded(execute)

    def _list(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return guarded(lambda at_ns: ok(self._customers.page(parameters, expand)))

    def _list_methods(
        self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]
    ) -> Prepared:
        return guarded(lambda at_ns: ok(self._methods.page(parameters, expand, name)))
