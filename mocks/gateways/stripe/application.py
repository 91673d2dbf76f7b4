"""Stripe's HTTP interface: authentication, idempotency, headers, and the endpoints."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, Protocol

import orjson

from mocks.draws import ALPHANUMERIC
from mocks.faults.matcher import Traits
from mocks.gateways.call import Call, Prepared
from mocks.gateways.gateway import Gateway
from mocks.gateways.rate_limit import Limit, Limits
from mocks.gateways.stripe import cards, disputes, events, payouts, refunds, webhook_endpoints
from mocks.gateways.stripe.answers import Endpoint, guarded, ok
from mocks.gateways.stripe.authentication import authenticate
from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.contradiction import contradiction_of
from mocks.gateways.stripe.customer_calls import CustomerCalls
from mocks.gateways.stripe.customers import Customers
from mocks.gateways.stripe.dispute import Dispute
from mocks.gateways.stripe.disputes import Disputes
from mocks.gateways.stripe.early_fraud_warning import EarlyFraudWarning
from mocks.gateways.stripe.errors import StripeError, invalid, rate_limited, server_error
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.forgery import forger
from mocks.gateways.stripe.form import FormError, Parameters, canonical, parse
from mocks.gateways.stripe.objects import expansions, known_only
from mocks.gateways.stripe.payment_calls import PaymentCalls
from mocks.gateways.stripe.payment_intents import PaymentIntents
from mocks.gateways.stripe.payment_method_calls import PaymentMethodCalls
from mocks.gateways.stripe.payment_methods import PaymentMethods
from mocks.gateways.stripe.payout import Payout
from mocks.gateways.stripe.payouts import Payouts
from mocks.gateways.stripe.refunds import Refunds
from mocks.gateways.stripe.routes import EXPAND, KNOWN, named, route
from mocks.gateways.stripe.traits import PAYMENT_ENDPOINTS, of_instrument, traits_of
from mocks.gateways.stripe.webhook_endpoint import WebhookEndpoint
from mocks.gateways.stripe.webhook_endpoints import WebhookEndpoints
from mocks.http import Request
from mocks.idempotency import fingerprint
from mocks.latency import Latency
from mocks.reply import Reply
from mocks.webhooks import Rules

API_VERSION = "2026-10-28.endive"
"""What is answered when a request names no ``Stripe-Version``: that of stripe-py 16.1."""

LONGEST_KEY = 255

LIMITS = Limits(Limit(25), endpoint=Limit(25))
"""Requests per second of a sandbox, and of each endpoint ("Rate limits"). That a burst of as many is let
through at once is an assumption."""


class Stripe(Gateway):
    """PaymentIntents by card, wallet and SEPA debit, customers, charges, refunds, balance, payouts, events.

    Idempotency ("Idempotent requests" in the API reference): a key is bound to its endpoint and parameters;
    the first answer is saved once execution has begun, whatever it is, and replayed; what fails validation is
    not saved; a key in use answers 409. That a mismatch is said before a concurrent use is an assumption.
    Keys are kept for 24 hours: the real one keeps them for at least that long.
    """

    key_lifetime_s = 86_400.0
    webhook_secret = events.WEBHOOK_SECRET
    limits = LIMITS
    payment_endpoints = frozenset(PAYMENT_ENDPOINTS)

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        super().__init__(name, latency, seed)
        clock = self.mock_clock
        self.events = Events(self.outbox, API_VERSION, self._request_id)
        self.balance = Balance(clock)
        self.charges = Charges(clock, self._new_id)
        self.customers = Customers(self.events, clock, self._new_id)
        self.methods = PaymentMethods(self.customers, self.events, clock, self._new_id)
        self.intents = PaymentIntents(
            *(self.ledger, self.charges, self.balance, self.events),
            *(self.customers, self.methods, clock, self._new_id),
        )
        self.refunds = Refunds(
            self.ledger, self.intents, self.charges, self.balance, self.events, clock, self._new_id
        )
        self.disputes = Disputes(
            *(self.ledger, self.intents, self.charges, self.refunds, self.balance, self.events, clock),
            self._new_id,
        )
        self.payouts = Payouts(self.ledger, self.balance, self.events, clock, self._new_id)
        payments = PaymentCalls(self.intents, self.methods)
        self.webhook_endpoints = WebhookEndpoints(self.outbox, clock, self._new_id)
        self._endpoints: dict[str, Endpoint] = {
            **payments.endpoints,
            **CustomerCalls(self.customers, self.methods).endpoints,
            **PaymentMethodCalls(self.methods).endpoints,
            "refunds.create": self._refund,
            "refunds.update": _changing(self.refunds.find, self.refunds.update, refunds.check),
            "refunds.cancel": _changing(self.refunds.find, lambda row, parameters: self.refunds.cancel(row)),
            "early_fraud_warnings.retrieve": _retrieving(self.disputes.warnings.find, EarlyFraudWarning.body),
            "early_fraud_warnings.list": _listing(self.disputes.warnings),
            "disputes.retrieve": _retrieving(self.disputes.find, Dispute.body),
            "disputes.list": _listing(self.disputes),
            "disputes.update": _changing(self.disputes.find, self.disputes.update, disputes.check),
            "disputes.close": _changing(self.disputes.find, lambda row, parameters: self.disputes.close(row)),
            "balance.retrieve": lambda call, parameters, name, expand: guarded(
                lambda at_ns: ok(self.balance.body())
            ),
            "charges.retrieve": _retrieving(self.charges.find, lambda row, expand: row.body(expand)),
            "charges.list": _listing(self.charges),
            "refunds.retrieve": _retrieving(self.refunds.find, lambda row, expand: row.body(expand)),
            "refunds.list": _listing(self.refunds),
            "balance_transactions.retrieve": _retrieving(self.balance.find, self.balance.line),
            "balance_transactions.list": _listing(self.balance),
            "payouts.create": _creating(self.payouts.create, payouts.check),
            "payouts.update": _changing(self.payouts.find, self.payouts.update),
            "payouts.cancel": _changing(self.payouts.find, lambda row, parameters: self.payouts.cancel(row)),
            "payouts.retrieve": _retrieving(self.payouts.find, Payout.body),
            "payouts.list": _listing(self.payouts),
            "webhook_endpoints.create": _creating(self.webhook_endpoints.create, webhook_endpoints.check_new),
            "webhook_endpoints.list": _listing(self.webhook_endpoints),
            "webhook_endpoints.retrieve": _retrieving(self.webhook_endpoints.find, WebhookEndpoint.body),
            "webhook_endpoints.update": _changing(
                self.webhook_endpoints.find, self.webhook_endpoints.update, webhook_endpoints.check
            ),
            "webhook_endpoints.delete": _retrieving(
                self.webhook_endpoints.find, lambda row, expand: self.webhook_endpoints.delete(row)
            ),
            "events.retrieve": _retrieving(self.events.find, self.events.body),
            "events.list": _listing(self.events),
        }

    def webhook_rules(self) -> Rules:
        return replace(events.rules(self.name, self.seed), forge=forger(self.name, self.seed))

    def settle(self, at_ns: int) -> None:
        for currency, fee in self.balance.take_fees().items():
            self.ledger.fee(self._new_id("fee_"), "", fee, currency.upper(), at_ns)

    def endpoint(self, request: Request) -> str:
        return route(request.method, request.path)[0]

    def moved(self, call: Call, reply: Reply) -> bool:
        # A debit that is on its way counts; a PaymentIntent that nobody has confirmed yet is no payment.
        return reply.result == "succeeded" or (
            reply.result == "processing" and b'"status":"processing"' in reply.body
        )

    def contradiction(self, reply: Reply) -> Reply | None:
        return contradiction_of(reply)

    def decline_payments(self, on: bool) -> None:
        self.intents.attempts.storm = cards.GENERIC if on else None

    def fail_later(self, reply: Reply, seconds: float) -> bool:
        try:
            charge = self.intents.find(orjson.loads(reply.body)["id"]).charge
        except (ValueError, KeyError, StripeError):
            return False
        self.mock_clock.call_later(seconds, lambda: self.disputes.charge_back(charge))
        return True

    def traits(self, call: Call) -> Traits:
        asked = traits_of(call.exchange.request.body)
        if call.endpoint in ("payment_intents.confirm", "payment_intents.capture"):
            intent = self.intents.find(named(call.exchange.request.path))
            return of_instrument(asked, intent.currency, intent.instrument)
        return asked

    def error(self, status: int) -> Reply:
        return server_error(status)

    def headers(self, call: Call, reply: Reply) -> tuple[tuple[str, str], ...]:
        asked = call.exchange.request.headers
        headers = [
            ("Request-Id", self._request_id(call.number)),
            ("Stripe-Version", asked.get("stripe-version", API_VERSION)),
        ]
        if call.idempotency_key and call.exchange.request.method == "POST":
            headers.append(("Idempotency-Key", call.idempotency_key))
        if call.replayed:
            headers.append(("Idempotent-Replayed", "true"))
        return (*headers, *reply.headers)

    def prepare(self, call: Call) -> Prepared:
        request = call.exchange.request
        try:
            if not call.endpoint.startswith("three_d_secure."):  # the payer has no key
                authenticate(request.headers.get("authorization", ""))
            if self.rate_limit.enforced:
                refusal = self.rate_limit.refusal(call.endpoint)
                if refusal:
                    return rate_limited(f"{refusal}-rate")
            if not call.endpoint:
                raise invalid(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)
            writing = request.method == "POST"
            try:
                parameters = parse(request.body.decode("latin-1") if writing else request.query)
            except FormError as error:
                raise invalid(f"The parameters cannot be read: {error}.") from error
            print_ = ""
            if writing and call.idempotency_key:
                print_ = fingerprint(canonical(parameters))
                replay = self._replay(call, print_)
                if replay is not None:
                    return replay
            prepared = self._validated(call, parameters)
        except StripeError as error:
            return error.reply()
        if isinstance(prepared, Reply):
            return prepared
        if print_:
            call.use = self.keys.claim(call.idempotency_key, request.path, print_)
        return prepared if request.method == "GET" else self._causing(call, prepared)

    def _replay(self, call: Call, print_: str) -> Reply | None:
        key = call.idempotency_key
        if len(key) > LONGEST_KEY:
            raise invalid(f"An idempotency key has at most {LONGEST_KEY} characters.")
        use = self.keys.find(key)
        if use is None:
            return None
        if use.endpoint != call.exchange.request.path:
            scope = f"for the same endpoint they were first used for ('{use.endpoint}')"
        elif use.fingerprint != print_:
            scope = "with the same parameters they were first used with"
        elif use.in_progress or use.saved is None:
            message = f"Another request with this idempotency key ('{key}') is in progress. Try again later."
            raise StripeError(409, "idempotency_error", message, code="idempotency_key_in_use")
        else:
            call.replayed = True
            call.order_id = use.order_id
            return use.saved
        message = (
            f"Keys for idempotent requests can only be used {scope}. Try using a key other than '{key}' "
            "if you meant to execute a different request."
        )
        raise StripeError(400, "idempotency_error", message)

    def _validated(self, call: Call, parameters: Parameters) -> Prepared:
        known_only(parameters, KNOWN[call.endpoint])
        expand = expansions(parameters, EXPAND[call.endpoint])
        name = named(call.exchange.request.path)
        return self._endpoints[call.endpoint](call, parameters, name, expand)

    def _refund(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        refunds.check(parameters)

        def execute(at_ns: int) -> Reply:
            call.order_id = self.refunds.intent_of(parameters).order_id
            return ok(self.refunds.create(parameters, at_ns).body(expand), "succeeded")

        return guarded(execute)

    def _causing(self, call: Call, execute: Callable[[int], Reply]) -> Callable[[int], Reply]:
        """The same execution, whose events name the call."""

        def caused(at_ns: int) -> Reply:
            self.events.cause = call
            try:
                return execute(at_ns)
            finally:
                self.events.cause = None

        return caused

    def _request_id(self, number: int) -> str:
        return "req_" + self.ids.text(number + (1 << 40), 14, ALPHANUMERIC)

    def _new_id(self, prefix: str) -> str:
        return prefix + self.next_id(24, ALPHANUMERIC)


class _Listed(Protocol):
    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]: ...


def _listing(collection: _Listed) -> Endpoint:
    def endpoint(call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return guarded(lambda at_ns: ok(collection.page(parameters, expand)))

    return endpoint


def _retrieving(find: Callable[[str], Any], body: Callable[[Any, Collection[str]], Any]) -> Endpoint:
    def endpoint(call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return guarded(lambda at_ns: ok(body(find(name), expand)))

    return endpoint


def _changing(
    find: Callable[[str], Any],
    change: Callable[[Any, Parameters], None],
    check: Callable[[Parameters], None] = lambda parameters: None,
) -> Endpoint:
    """An endpoint that changes the object which its path names; ``check`` looks at the parameters before."""

    def endpoint(call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        check(parameters)

        def execute(at_ns: int) -> Reply:
            row = find(name)
            change(row, parameters)
            return ok(row.body(expand))

        return guarded(execute)

    return endpoint


def _creating(create: Callable[[Parameters], Any], check: Callable[[Parameters], None]) -> Endpoint:
    """An endpoint that makes an object; ``check`` looks at the parameters before."""

    def endpoint(call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        check(parameters)
        return guarded(lambda at_ns: ok(create(parameters).body(expand)))

    return endpoint
