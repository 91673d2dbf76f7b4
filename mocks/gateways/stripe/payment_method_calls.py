"""The endpoints of PaymentMethods: what a request must hold, and what it does."""

from __future__ import annotations

from mocks.gateways.call import Call, Prepared
from mocks.gateways.stripe.answers import Endpoint, guarded, ok
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import metadata, text
from mocks.gateways.stripe.payment_method_data import read
from mocks.gateways.stripe.payment_methods import PaymentMethods
from mocks.reply import Reply


class PaymentMethodCalls:
    """Endpoint name -> endpoint, for PaymentMethods."""

    def __init__(self, methods: PaymentMethods) -> None:
        self._methods = methods
        self.endpoints: dict[str, Endpoint] = {
            "payment_methods.create": self._create,
            "payment_methods.retrieve": self._retrieve,
            "payment_methods.update": self._update,
            "payment_methods.list": self._list,
            "payment_methods.attach": self._attach,
            "payment_methods.detach": self._detach,
        }

    def _create(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        instrument, details = read(parameters)
        return guarded(lambda at_ns: ok(self._methods.create(instrument, details).body()))

    def _retrieve(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return guarded(lambda at_ns: ok(self._methods.find(name).body()))

    def _update(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        metadata(parameters)

        def execute(at_ns: int) -> Reply:
            method = self._methods.find(name)
            self._methods.update(method, parameters)
            return ok(method.body())

        return guarded(execute)

    def _list(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return guarded(lambda at_ns: ok(self._methods.page(parameters, expand)))

    def _attach(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        customer = text(parameters, "customer", required=True) or ""

        def execute(at_ns: int) -> Reply:
            method = self._methods.named(name)
            self._methods.attach(method, customer)
            return ok(method.body())

        return guarded(execute)

    def _detach(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        def execute(at_ns: int) -> Reply:
            method = self._methods.find(name)
            self._methods.detach(method)
            return ok(method.body())

        return guarded(execute)
