"""Adyen's HTTP interface: routes, authentication, idempotency, headers."""

from __future__ import annotations

import re
from collections.abc import Callable

import orjson

from mocks.draws import UPPER_ALPHANUMERIC
from mocks.gateways.adyen import refunds
from mocks.gateways.adyen.errors import AdyenError, invalid, server_error, unauthorized
from mocks.gateways.adyen.payments import Body, Payments, payment_request
from mocks.gateways.adyen.refunds import Refunds
from mocks.gateways.call import Call, Prepared
from mocks.gateways.gateway import Gateway
from mocks.http import Request
from mocks.idempotency import fingerprint
from mocks.latency import Latency
from mocks.reply import Reply

LONGEST_KEY = 64
"""Characters of an idempotency key, at most ("API idempotency")."""

_PAYMENTS = re.compile(r"/v\d+/payments\Z")
_REFUNDS = re.compile(r"/v\d+/payments/(?P<psp>[^/]+)/refunds\Z")


class Adyen(Gateway):
    """Card payments, captured at once, and refunds.

    Idempotency ("API idempotency" in Adyen's documentation): the answer to the first attempt is given to
    every later one, with the key in the ``Idempotency-Key`` header. While the first is in process, a
    duplicate gets 422 with error code 704 and ``Transient-Error: true`` (published as 422 or 409). There is
    no look-up: to repeat the request under its key is how a caller asks for the outcome.

    What happens to a key with another body is not published. Here it is 704 without ``Transient-Error``,
    which means "don't try again": to give out the other request's answer would be the worse guess. That
    requests which fail validation save nothing is assumed, too.
    """

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        super().__init__(name, latency, seed)
        self.payments = Payments(self.ledger, self._new_reference)
        self.refunds = Refunds(self.ledger, self._new_reference)

    def endpoint(self, request: Request) -> str:
        if request.method == "POST":
            if _PAYMENTS.match(request.path):
                return "payments"
            if _REFUNDS.match(request.path):
                return "refunds.create"
        return ""

    def error(self, status: int) -> Reply:
        return server_error(status)

    def headers(self, call: Call, reply: Reply) -> tuple[tuple[str, str], ...]:
        if call.use is not None or call.replayed:
            return (("Idempotency-Key", call.idempotency_key), *reply.headers)
        return reply.headers

    def prepare(self, call: Call) -> Prepared:
        request = call.exchange.request
        try:
            _authenticate(request.headers)
            if not call.endpoint:
                raise AdyenError(404, "000", "HTTP Status Response - Not Found", "security")
            body = _body(request.body)
            reference = body.get("reference")
            if call.endpoint == "payments" and isinstance(reference, str):
                call.order_id = reference
            path = re.sub(r"\A/v\d+", "", request.path)
            print_ = ""
            if call.idempotency_key:
                print_ = fingerprint(path.encode(), orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
                replay = self._replay(call, print_)
                if replay is not None:
                    return replay
            execute = self._payment(body) if call.endpoint == "payments" else self._refund(call, body)
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

    def _payment(self, body: Body) -> Callable[[int], Reply]:
        request = payment_request(body)
        return lambda at_ns: self.payments.make(request, at_ns)

    def _refund(self, call: Call, body: Body) -> Callable[[int], Reply]:
        amount = refunds.check(body)
        match = _REFUNDS.match(call.exchange.request.path)
        psp_reference = match["psp"] if match is not None else ""

        def execute(at_ns: int) -> Reply:
            try:
                payment = self.payments.find(psp_reference)
                call.order_id = payment.request.reference
                return self.refunds.make(payment, amount, body, at_ns)
            except AdyenError as error:
                return error.reply()

        return execute

    def _new_reference(self) -> str:
        return self.next_id(16, UPPER_ALPHANUMERIC)


def _body(data: bytes) -> Body:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise AdyenError(400, "702", "The body is no JSON.") from error
    if not isinstance(body, dict):
        raise AdyenError(400, "702", "The body is no JSON object.")
    return body


def _authenticate(headers: dict[str, str]) -> None:
    """Any API key will do: Adyen's live keys differ from its test keys by host only. A web service user with
    a password (Basic) will do too.

    Raises:
        AdyenError: 401.
    """
    if not headers.get("x-api-key") and not headers.get("authorization", "").lower().startswith("basic "):
        raise unauthorized()
