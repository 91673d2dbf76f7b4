"""Stripe's HTTP interface: routes, authentication, idempotency, headers.

A card number is looked at once, in ``_card``, and kept nowhere but for its last four digits.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import orjson

from mocks.draws import ALPHANUMERIC
from mocks.gateways.call import Call, Prepared
from mocks.gateways.gateway import Gateway
from mocks.gateways.stripe import cards, refunds
from mocks.gateways.stripe.errors import StripeError, invalid, server_error
from mocks.gateways.stripe.form import FormError, Parameters, canonical, parse
from mocks.gateways.stripe.objects import boolean, expansions, integer, known_only, metadata, text
from mocks.gateways.stripe.payment_intents import Card, PaymentIntents, check_amount
from mocks.gateways.stripe.refunds import Refunds
from mocks.gateways.stripe.routes import EXPAND, KNOWN, ROUTES
from mocks.http import Request
from mocks.idempotency import fingerprint
from mocks.latency import Latency
from mocks.reply import Reply

API_VERSION = "2026-10-28.endive"
"""What is answered when a request names no ``Stripe-Version``: that of stripe-py 16.1."""

LONGEST_KEY = 255


class Stripe(Gateway):
    """PaymentIntents and refunds; cards only, captured automatically.

    Idempotency ("Idempotent requests" in the API reference): a key is bound to its endpoint and parameters;
    the first answer is saved once execution has begun, whatever it is, and replayed; what fails validation is
    not saved; a key in use answers 409. That a mismatch is said before a concurrent use is an assumption.
    """

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        super().__init__(name, latency, seed)
        self.intents = PaymentIntents(self.ledger, self._new_id)
        self.refunds = Refunds(self.ledger, self.intents, self._new_id)
        self._executions: dict[str, Callable[[Call, Parameters, str, frozenset[str]], Prepared]] = {
            "payment_intents.create": self._create,
            "payment_intents.confirm": self._confirm,
            "payment_intents.cancel": self._cancel,
            "payment_intents.retrieve": self._retrieve,
            "payment_intents.list": self._list,
            "payment_intents.search": self._search,
            "refunds.create": self._refund,
            "refunds.retrieve": self._retrieve_refund,
            "refunds.list": self._list_refunds,
        }

    def endpoint(self, request: Request) -> str:
        for method, path, endpoint in ROUTES:
            if method == request.method and path.match(request.path):
                return endpoint
        return ""

    def error(self, status: int) -> Reply:
        return server_error(status)

    def headers(self, call: Call, reply: Reply) -> tuple[tuple[str, str], ...]:
        asked = call.exchange.request.headers
        headers = [
            ("Request-Id", "req_" + self.ids.text(call.number + (1 << 40), 14, ALPHANUMERIC)),
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
            _authenticate(request.headers.get("authorization", ""))
            if not call.endpoint:
                raise invalid(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)
            writing = request.method == "POST"
            try:
                parameters = parse(request.body.decode("latin-1") if writing else request.query)
            except FormError as error:
                raise invalid(f"The parameters cannot be read: {error}.") from error
            print_ = ""
            if writing and call.idempotency_key:
                print_ = fingerprint(canonical(parameters).encode())
                replay = self._replay(call, print_)
                if replay is not None:
                    return replay
            prepared = self._validated(call, parameters)
        except StripeError as error:
            return error.reply()
        if print_ and not isinstance(prepared, Reply):
            call.use = self.keys.claim(call.idempotency_key, request.path, print_)
        return prepared

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
        for _, path, endpoint in ROUTES:
            if endpoint == call.endpoint:
                match = path.match(call.exchange.request.path)
                name = match.groupdict().get("id", "") if match is not None else ""
        return self._executions[call.endpoint](call, parameters, name, expand)

    # PaymentIntents.

    def _create(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        check_amount(parameters)
        call.order_id = metadata(parameters).get("order_id", "")
        if text(parameters, "capture_method") not in (None, "automatic", "automatic_async"):
            raise invalid("This mock captures automatically only.", param="capture_method")
        card = self._card(parameters)
        confirm = boolean(parameters, "confirm")
        if confirm and card is None:
            raise invalid(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
            )

        def execute(at_ns: int) -> Reply:
            intent = self.intents.create(parameters, card)
            if confirm:
                self.intents.confirm(intent, None, at_ns)
            return _ok(self.intents.body(intent, "latest_charge" in expand), _result(intent.status))

        return _guarded(execute)

    def _confirm(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        card = self._card(parameters)

        def execute(at_ns: int) -> Reply:
            intent = self.intents.find(name)
            call.order_id = intent.order_id
            self.intents.confirm(intent, card, at_ns)
            return _ok(self.intents.body(intent, "latest_charge" in expand), _result(intent.status))

        return _guarded(execute)

    def _cancel(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        reason = text(parameters, "cancellation_reason")

        def execute(at_ns: int) -> Reply:
            intent = self.intents.find(name)
            call.order_id = intent.order_id
            self.intents.cancel(intent, reason)
            return _ok(self.intents.body(intent, "latest_charge" in expand))

        return _guarded(execute)

    def _retrieve(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        def execute(at_ns: int) -> Reply:
            intent = self.intents.find(name)
            call.order_id = intent.order_id
            return _ok(self.intents.body(intent, "latest_charge" in expand))

        return _guarded(execute)

    def _list(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        return _guarded(lambda at_ns: _ok(self.intents.page(parameters, expand)))

    def _search(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        text(parameters, "query", required=True)
        limit, page = integer(parameters, "limit"), integer(parameters, "page")
        if (limit is not None and not 1 <= limit <= 100) or (page is not None and page < 0):
            raise invalid("Limit must be from 1 to 100, and page one that a search has given.", param="limit")
        return _guarded(lambda at_ns: _ok(self.intents.search(parameters, expand)))

    # Refunds.

    def _refund(self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]) -> Prepared:
        refunds.check(parameters)

        def execute(at_ns: int) -> Reply:
            call.order_id = self.refunds.intent_of(parameters).order_id
            return _ok(self.refunds.body(self.refunds.create(parameters, at_ns), expand), "succeeded")

        return _guarded(execute)

    def _retrieve_refund(
        self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]
    ) -> Prepared:
        return _guarded(lambda at_ns: _ok(self.refunds.body(self.refunds.find(name), expand)))

    def _list_refunds(
        self, call: Call, parameters: Parameters, name: str, expand: frozenset[str]
    ) -> Prepared:
        return _guarded(lambda at_ns: _ok(self.refunds.page(parameters, expand)))

    # What they share.

    def _card(self, parameters: Parameters) -> Card | None:
        """The card that a request names, by ``payment_method`` or ``payment_method_data``."""
        name = text(parameters, "payment_method")
        if name is not None:
            card = cards.by_name(name)
            if card is None:
                raise invalid("No such PaymentMethod.", param="payment_method", code="resource_missing")
            return Card(self._new_id("pm_"), card)
        data = parameters.get("payment_method_data")
        if data is None:
            return None
        if isinstance(data, str) or text(data, "type", required=True) != "card":
            raise invalid("This mock takes cards only.", param="payment_method_data[type]")
        details = data.get("card")
        if not isinstance(details, dict):
            raise invalid(
                "Missing required param: payment_method_data[card].",
                param="payment_method_data[card]",
                code="parameter_missing",
            )
        number = text(details, "number", required=True) or ""
        month, year = (
            integer(details, "exp_month", required=True),
            integer(details, "exp_year", required=True),
        )
        if month is None or not 1 <= month <= 12:
            raise StripeError(
                402, "card_error", "Your card's expiration month is invalid.", code="invalid_expiry_month"
            )
        if year is None or year < 0:
            raise StripeError(
                402, "card_error", "Your card's expiration year is invalid.", code="invalid_expiry_year"
            )
        return Card(self._new_id("pm_"), cards.by_number(number.replace(" ", "")))

    def _new_id(self, prefix: str) -> str:
        return prefix + self.next_id(24, ALPHANUMERIC)


def _guarded(execute: Callable[[int], Reply]) -> Callable[[int], Reply]:
    """Turns the errors of an execution into the answers that they are."""

    def guarded(at_ns: int) -> Reply:
        try:
            return execute(at_ns)
        except StripeError as error:
            return error.reply()

    return guarded


def _ok(body: dict[str, Any], result: str = "") -> Reply:
    return Reply(200, orjson.dumps(body), result)


def _result(status: str) -> str:
    return "succeeded" if status == "succeeded" else "processing"


def _authenticate(authorization: str) -> None:
    """Any ``sk_test_`` key will do, as Bearer or as the user name of Basic.

    Raises:
        StripeError: 401; the message never quotes a key.
    """
    scheme, _, credentials = authorization.partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key or scheme.lower() not in ("bearer", "basic"):
        raise invalid(
            "You did not provide an API key. Send it in the Authorization header, as Bearer or Basic.",
            status=401,
        )
    if key.startswith(("sk_live_", "rk_live_", "pk_live_")):
        raise invalid(
            "This is a mock: a live key has no business here, and has been refused unseen.", status=401
        )
    if not key.startswith("sk_test_"):
        raise invalid("Invalid API Key provided: the mock takes keys that start with sk_test_.", status=401)
