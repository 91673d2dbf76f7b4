"""The endpoints of PaymentIntents: what a request must hold, and what it does."""

from __future__ import annotations

from mocks.gateways.call import Call, Prepared
from mocks.gateways.stripe.amounts import check_amount
from mocks.gateways.stripe.answers import Endpoint, guarded, ok
from mocks.gateways.stripe.errors import invalid
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import boolean, integer, metadata, text
from mocks.gateways.stripe.payment_intents import PaymentIntents
from mocks.gateways.stripe.payment_methods import PaymentMethods
from mocks.gateways.stripe.payment_options import future_usage_of, types_of
from mocks.gateways.stripe.three_d_secure import outcome_of
from mocks.reply import Reply


class PaymentCalls:
    """Endpoint name -> endpoint, for PaymentIntents."""

    def __init__(self, intents: PaymentIntents, methods: PaymentMethods) -> None:
        self._intents = intents
        self._methods = methods
        self.endpoints: dict[str, Endpoint] = {
            "payment_intents.create": self._create,
            "payment_intents.confirm": self._confirm,
            "payment_intents.capture": self._capture,
            "payment_intents.cancel": self._cancel,
            "payment_intents.retrieve": self._retrieve,
            "payment_intents.list": self._list,
            "payment_intents.search": self._search,
            "three_d_secure.visit": self._visit,
            "three_d_secure.submit": self._visit,
        }

    def _create(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        check_amount(parameters)
        call.order_id = metadata(parameters).get("order_id", "")
        if text(parameters, "capture_method") not in (None, "automatic", "automatic_async", "manual"):
            raise invalid(
                "Invalid capture_method: must be one of automatic, automatic_async, or manual",
                param="capture_method",
            )
        if "payment_method_types" in parameters:
            types_of(parameters)
        if "setup_future_usage" in parameters:
            future_usage_of(parameters)
        method = self._methods.asked(parameters)
        confirm = boolean(parameters, "confirm")
        if confirm and method is None:
            raise invalid(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
            )

        def execute(at_ns: int) -> Reply:
            intent = self._intents.create(parameters, method)
            if confirm:
                self._intents.confirm(intent, None, at_ns, parameters, lambda: _base_url(call))
            return ok(intent.body(expand), _result(intent.status))

        return guarded(execute)

    def _confirm(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        method = self._methods.asked(parameters)

        def execute(at_ns: int) -> Reply:
            intent = self._intents.find(name)
            call.order_id = intent.order_id
            self._intents.confirm(intent, method, at_ns, parameters, lambda: _base_url(call))
            return ok(intent.body(expand), _result(intent.status))

        return guarded(execute)

    def _capture(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        amount = integer(parameters, "amount_to_capture")
        if amount is not None and amount < 1:
            raise invalid(
                "Invalid positive integer", param="amount_to_capture", code="parameter_invalid_integer"
            )
        if text(parameters, "final_capture") not in (None, "true"):
            raise invalid("This mock captures a PaymentIntent once only.", param="final_capture")

        def execute(at_ns: int) -> Reply:
            intent = self._intents.find(name)
            call.order_id = intent.order_id
            self._intents.capture(intent, amount, at_ns)
            return ok(intent.body(expand), _result(intent.status))

        return guarded(execute)

    def _cancel(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        reason = text(parameters, "cancellation_reason")

        def execute(at_ns: int) -> Reply:
            intent = self._intents.find(name)
            call.order_id = intent.order_id
            self._intents.cancel(intent, reason)
            return ok(intent.body(expand))

        return guarded(execute)

    def _retrieve(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        def execute(at_ns: int) -> Reply:
            intent = self._intents.find(name)
            call.order_id = intent.order_id
            return ok(intent.body(expand))

        return guarded(execute)

    def _list(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return guarded(lambda at_ns: ok(self._intents.page(parameters, expand)))

    def _search(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        text(parameters, "query", required=True)
        limit, page = integer(parameters, "limit"), integer(parameters, "page")
        if (limit is not None and not 1 <= limit <= 100) or (page is not None and page < 0):
            raise invalid("Limit must be from 1 to 100, and page one that a search has given.", param="limit")
        return guarded(lambda at_ns: ok(self._intents.search(parameters, expand)))

    def _visit(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        outcome = outcome_of(parameters)
        call.order_id = self._intents.attempts.authentications.find(name).order_id
        return guarded(lambda at_ns: self._intents.attempts.authentications.visit(name, outcome, at_ns))


def _base_url(call: Call) -> str:
    """Where the payer finds the mock: where its caller does."""
    return f"{call.exchange.scheme}://{call.exchange.request.headers.get('host', '')}"


def _result(status: str) -> str:
    return "succeeded" if status == "succeeded" else "processing"
