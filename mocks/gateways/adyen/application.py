"""Adyen's HTTP interface: routes, authentication, rate limit, idempotency, headers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import orjson

from journal.records import Movement
from mocks.draws import UPPER_ALPHANUMERIC
from mocks.faults.matcher import Traits
from mocks.gateways.adyen import cards, routes
from mocks.gateways.adyen.amounts import Body, amount_of
from mocks.gateways.adyen.contradiction import contradiction_of
from mocks.gateways.adyen.defense import Defense
from mocks.gateways.adyen.disputes import Disputes
from mocks.gateways.adyen.errors import (
    AdyenError,
    invalid,
    server_error,
    too_many_requests,
    unauthorized,
)
from mocks.gateways.adyen.forgery import forger
from mocks.gateways.adyen.modifications import Modifications, payment_reference_of
from mocks.gateways.adyen.notifications import HMAC_KEY, RULES, Notice, notification
from mocks.gateways.adyen.payments import Payments
from mocks.gateways.adyen.request import merchant_of, payment_request
from mocks.gateways.adyen.settlement import Settlement
from mocks.gateways.adyen.three_d_secure import Authentications
from mocks.gateways.adyen.traits import PAYMENT_ENDPOINTS, traits_of
from mocks.gateways.call import Call, Prepared
from mocks.gateways.gateway import Gateway
from mocks.http import Request
from mocks.idempotency import fingerprint
from mocks.latency import Latency
from mocks.reply import Reply
from mocks.webhooks import Rules

LONGEST_KEY = 64
"""Characters of an idempotency key, at most ("API idempotency")."""


WITH_AMOUNT = ("captures.create", "refunds.create", "amount_updates.create")
"""The modifications of an amount."""


class Adyen(Gateway):
    """Payments by card, wallet and SEPA direct debit, captured at once unless the request asks otherwise,
    their modifications, their disputes, their settlement.

    Idempotency ("API idempotency" in Adyen's documentation): the answer to the first attempt is given to
    every later one, with the key in the ``Idempotency-Key`` header. While the first is in process, a
    duplicate gets 422 with error code 704 and ``Transient-Error: true`` (published as 422 or 409). A key is
    valid for 31 days at least, and in one region: two mocks don't know each other's keys. There is no
    look-up: to repeat the request under its key is how a caller asks for the outcome.

    What happens to a key with another body is not published. Here it is 704 without ``Transient-Error``,
    which means "don't try again": to give out the other request's answer would be the worse guess. That
    requests which fail validation save nothing is assumed, too.
    """

    key_lifetime_s = 31 * 86_400.0
    webhook_secret = HMAC_KEY
    payment_endpoints = frozenset(PAYMENT_ENDPOINTS)

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        super().__init__(name, latency, seed)
        reference, tell = self._new_reference, self._tell
        disputes = Disputes(self.ledger, reference, tell, self.mock_clock)
        self.payments = Payments(self.ledger, reference, tell, self.mock_clock, disputes)
        self.authentications = Authentications(self.payments, self.next_id)
        self.modifications = Modifications(self.payments, self.ledger, reference)
        self.defense = Defense(disputes)
        self.settlement = Settlement(
            self.ledger, self.payments, self.mock_clock, reference, tell, self._found_at
        )

    def webhook_rules(self) -> Rules:
        return replace(RULES, forge=forger(self.name, self.seed))

    def endpoint(self, request: Request) -> str:
        return routes.endpoint(request.method, request.path)[0]

    def moved(self, call: Call, reply: Reply) -> bool:
        # What waits for the shopper (a redirect, 3-D Secure) is processing, too, and no payment yet.
        return reply.result == "succeeded" or (
            reply.result == "processing"
            and (b'"resultCode":"Received"' in reply.body or b'"resultCode":"Pending"' in reply.body)
        )

    def contradiction(self, reply: Reply) -> Reply | None:
        return contradiction_of(reply)

    def decline_payments(self, on: bool) -> None:
        self.payments.storm = cards.REFUSED if on else None

    def fail_later(self, reply: Reply, seconds: float) -> bool:
        try:
            payment = self.payments.find(orjson.loads(reply.body)["pspReference"])
        except (ValueError, KeyError, AdyenError):
            return False
        charge_back = self.payments.charge_back
        self.mock_clock.call_later(seconds, lambda: charge_back(payment, time.monotonic_ns()))
        return True

    def traits(self, call: Call) -> Traits:
        return traits_of(call.exchange.request.body)

    def error(self, status: int) -> Reply:
        return server_error(status)

    def settle(self, at_ns: int) -> None:
        self.settlement.book_fees(at_ns)

    def headers(self, call: Call, reply: Reply) -> tuple[tuple[str, str], ...]:
        if call.use is not None or call.replayed:
            return (("Idempotency-Key", call.idempotency_key), *reply.headers)
        return reply.headers

    def prepare(self, call: Call) -> Prepared:
        request = call.exchange.request
        try:
            if call.endpoint == "redirect":
                return self.authentications.visit(request.query)
            _authenticate(request.headers)
            if self.rate_limit.enforced and self.rate_limit.refusal(call.endpoint):
                raise too_many_requests()
            if call.endpoint == "reports":
                return self.settlement.download(request.path)
            if not call.endpoint:
                raise AdyenError(404, "000", "HTTP Status Response - Not Found", "security")
            body = _body(request.body)
            reference = body.get("reference")
            if call.endpoint == "payments" and isinstance(reference, str):
                call.order_id = reference
            path = routes.unversioned(request.path)
            print_ = ""
            if call.idempotency_key:
                print_ = fingerprint(path.encode(), _canonical(body))
                replay = self._replay(call, print_)
                if replay is not None:
                    return replay
            execute = self._execution(call, body)
        except AdyenError as error:
            return error.reply()
        if print_:
            call.use = self.keys.claim(call.idempotency_key, path, print_)
        return execute

    def _replay(self, call: Call, print_: str) -> Reply | None:
        key = call.idempotency_key
        if len(key) > LONGEST_KEY:
            raise invalid("702", f"An idempotency key has at most {LONGEST_KEY} characters.")
        use = self.keys.find(key)
        if use is None:
            return None
        if use.fingerprint != print_:
            raise invalid("704", "request already processed or in progress")
        if use.in_progress or use.saved is None:
            raise AdyenError(422, "704", "request already processed or in progress", transient=True)
        call.replayed = True
        call.order_id = use.order_id
        return use.saved

    def _execution(self, call: Call, body: Body) -> Callable[[int], Reply]:
        """Validate; what is left is the execution. Raises AdyenError."""
        if call.endpoint == "payments":
            return self._payment(call, body)
        if call.endpoint == "payments.details":
            return self._details(call, body)
        if call.endpoint.startswith("disputes."):
            return self._dispute(call, body)
        return self._modification(call, body)

    def _payment(self, call: Call, body: Body) -> Callable[[int], Reply]:
        request = payment_request(body)
        if request.flow:
            base_url = _base_url(call)
            return lambda at_ns: self.authentications.begin(self._new_reference(), request, base_url)
        return lambda at_ns: self.payments.make(self._new_reference(), request, at_ns)

    def _details(self, call: Call, body: Body) -> Callable[[int], Reply]:
        authentication = self.authentications.find(body)
        call.order_id = authentication.request.reference

        def execute(at_ns: int) -> Reply:
            try:
                return self.authentications.finish(authentication, body, at_ns)
            except AdyenError as error:
                return error.reply()

        return execute

    def _dispute(self, call: Call, body: Body) -> Callable[[int], Reply]:
        dispute, endpoint = self.defense.dispute_of(body), call.endpoint
        if dispute is not None:
            call.order_id = dispute.payment.request.reference
        return lambda at_ns: self.defense.answer(endpoint, dispute, body, at_ns)

    def _modification(self, call: Call, body: Body) -> Callable[[int], Reply]:
        endpoint, psp_reference = routes.endpoint("POST", call.exchange.request.path)
        merchant = merchant_of(body)
        modifications = self.modifications
        if not psp_reference:
            call.order_id = reference = payment_reference_of(body)
            return lambda at_ns: modifications.cancel_by_reference(merchant, reference, body)
        amount = amount_of(body) if endpoint in WITH_AMOUNT else None

        def execute(at_ns: int) -> Reply:
            try:
                payment = self.payments.find(psp_reference)
                call.order_id = payment.request.reference
                if amount is None:
                    if endpoint == "cancels.create":
                        return modifications.cancel(payment, body)
                    return modifications.reverse(payment, body, at_ns)
                if endpoint == "captures.create":
                    return modifications.capture(payment, amount, body, at_ns)
                if endpoint == "amount_updates.create":
                    return modifications.update_amount(payment, amount, body)
                return modifications.refund(payment, amount, body, at_ns)
            except AdyenError as error:
                return error.reply()

        return execute

    def _tell(self, notice: Notice) -> None:
        self.outbox.add(notice.code, lambda event: notification(notice, event.created))

    def _moved(self, movement: Movement) -> None:
        super()._moved(movement)
        self.settlement.moved(movement)

    def _found_at(self) -> str:
        """Where the merchant finds the mock; in a test's own process, where it finds Adyen."""
        server = self.server
        if server is None:
            return "https://checkout-test.adyen.com"
        host = f"[{server.host}]" if ":" in server.host else server.host
        return f"{server.scheme}://{host}:{server.port}"

    def _new_reference(self) -> str:
        return self.next_id(16, UPPER_ALPHANUMERIC)


def _base_url(call: Call) -> str:
    """Where the shopper finds the mock: where its caller does."""
    return f"{call.exchange.scheme}://{call.exchange.request.headers.get('host', '')}"


def _body(data: bytes) -> Body:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise AdyenError(400, "702", "The body is no JSON.") from error
    if not isinstance(body, dict):
        raise AdyenError(400, "702", "The body is no JSON object.")
    return body


def _canonical(body: Body) -> bytes:
    """The same bytes for the same JSON, however it is written. Raises AdyenError (400): it is too deep."""
    try:
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise AdyenError(400, "702", "The body is nested too deeply.") from error


def _authenticate(headers: dict[str, str]) -> None:
    """Any API key will do: Adyen's live keys differ from its test keys by host only. A web service user with
    a password (Basic) will do too.

    Raises:
        AdyenError: 401.
    """
    if not headers.get("x-api-key") and not headers.get("authorization", "").lower().startswith("basic "):
        raise unauthorized()
