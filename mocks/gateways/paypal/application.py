"""PayPal's HTTP interface: authentication, idempotency, headers, and what each endpoint does."""

from __future__ import annotations

import contextlib
import time

import orjson

from journal.clock import Clock
from journal.writer import Sink
from mocks.draws import UPPER_ALPHANUMERIC, Draws
from mocks.faults.matcher import Traits
from mocks.gateways.call import Call, Prepared
from mocks.gateways.gateway import Gateway, known
from mocks.gateways.paypal.access import authenticate, grant
from mocks.gateways.paypal.answer import Done, Endpoint, base_url, reply_of, wants_all
from mocks.gateways.paypal.contradiction import contradiction_of
from mocks.gateways.paypal.dispute_calls import DisputeCalls
from mocks.gateways.paypal.disputes import Disputes
from mocks.gateways.paypal.errors import DEBUG_ID, PayPalError, server_error
from mocks.gateways.paypal.events import Events, event_id
from mocks.gateways.paypal.fields import Body, body_of
from mocks.gateways.paypal.forgery import forger
from mocks.gateways.paypal.multipart import json_part
from mocks.gateways.paypal.order_calls import OrderCalls
from mocks.gateways.paypal.orders import Orders
from mocks.gateways.paypal.payment_calls import PaymentCalls
from mocks.gateways.paypal.payments import Payments
from mocks.gateways.paypal.reporting import Reporting
from mocks.gateways.paypal.reporting_calls import ReportingCalls
from mocks.gateways.paypal.routes import ROUTES
from mocks.gateways.paypal.signing import WEBHOOK_ID, Signer
from mocks.gateways.paypal.tokens import Tokens
from mocks.gateways.paypal.traits import PAYMENT_ENDPOINTS, of_order, traits_of
from mocks.gateways.paypal.triggers import GENERIC_DECLINE, mock_issue
from mocks.gateways.paypal.webhook import Webhooks
from mocks.gateways.paypal.webhook_calls import WebhookCalls
from mocks.http import Request
from mocks.idempotency import Keys, fingerprint
from mocks.latency import Latency
from mocks.reply import Reply
from mocks.webhooks import Rules

SANDBOX = "https://api-m.sandbox.paypal.com"
"""The URL in links where the mock is not served but answers within a test's own process."""

_HOUR = 3600.0
REDELIVERY_S = (
    *(30.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
    *(_HOUR, _HOUR, 2 * _HOUR, 2 * _HOUR),
    *[13 * _HOUR / 3] * 15,
)
"""Waits between attempts: PayPal tries up to 25 times over three days ("Webhooks"); the steps are assumed."""

TOLERANCE_S = 3 * 24 * _HOUR
"""Age from which a receiver should refuse a signature. PayPal names none: an assumption, after the time for
which it redelivers."""

LONGEST_REQUEST_ID = 10_000
"""Characters of a ``PayPal-Request-Id``, at most (Orders v2: 1 to 10,000)."""

PAYMENT_KEYS_S = 45 * 86_400
"""Seconds for which the ids of captures of authorizations, voids and refunds are kept (Payments v2)."""

MULTIPART = ("disputes.provide_evidence", "disputes.accept_claim")
"""The endpoints that take files beside their JSON."""

_TAKING = ("orders.capture", "authorizations.capture")
_HEX = "0123456789abcdef"


class PayPal(Gateway):
    """Orders that a payer approves, captured at once or authorized first; refunds, disputes, webhooks,
    reports.

    Idempotency ("Idempotency" in PayPal's REST documentation): a request with a known ``PayPal-Request-Id``
    executes nothing and answers with the latest status of what the first one made; 200 for orders, where the
    first answer was 201. While the first is in process, a duplicate fails: 409 PREVIOUS_REQUEST_IN_PROGRESS.
    Ids are kept per endpoint, 6 hours for orders and 45 days for payments. What failed with a 5xx may be sent
    again with its id, and is executed unless it had been. Two things are not published, and assumed: an id
    with another body or another resource is 400 DUPLICATE_REQUEST_ID (as in Payments v1); a request that
    ended in any other error leaves its id free, too.

    What the journal calls the order is the ``custom_id`` of the first purchase unit, else its
    ``reference_id``, else its ``invoice_id``.
    """

    idempotency_header = "paypal-request-id"
    key_lifetime_s = 6 * 3600
    webhook_secret = WEBHOOK_ID
    payment_endpoints = frozenset(PAYMENT_ENDPOINTS)

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        super().__init__(name, latency, seed)
        self.tokens = Tokens(self.mock_clock)
        self.signer = Signer(seed, self.base_url, self.mock_clock.now)
        self.events = Events(self.outbox, self.base_url)
        self.payments = Payments(self.ledger, self.events, self._new_id, self.mock_clock)
        self.orders = Orders(self.payments, self.events, self._new_id, self.mock_clock)
        self.disputes = Disputes(self.payments, self.events, self._new_dispute_id, self.mock_clock)
        self.webhooks = Webhooks(self.outbox, self.signer, self._new_id)
        self.payment_keys = Keys(self.mock_clock, PAYMENT_KEYS_S)
        self._done: dict[str, Done] = {}
        self._order_calls = OrderCalls(self.orders, self.mock_clock)
        self._payment_calls = PaymentCalls(self.payments, self.orders)
        self._dispute_calls = DisputeCalls(self.disputes)
        self._webhook_calls = WebhookCalls(self.webhooks, self.events, self.outbox, self.signer)
        self._endpoints: dict[str, Endpoint] = {
            **self._order_calls.endpoints,
            **self._payment_calls.endpoints,
            **self._dispute_calls.endpoints,
            **self._webhook_calls.endpoints,
            **ReportingCalls(Reporting(self.payments, self.disputes), self.mock_clock).endpoints,
        }

    def webhook_rules(self) -> Rules:
        return Rules(
            event_id=event_id(Draws(self.seed, f"{self.name}/events")),
            sign=lambda body, at: self.signer.headers(body, at),
            redelivery_s=REDELIVERY_S,
            tolerance_s=TOLERANCE_S,
            forge=forger(self.name, self.seed, lambda: self.signer),
        )

    def begin(self, clock: Clock, writer: Sink | None) -> None:
        super().begin(clock, writer)
        if self.outbox.endpoints:
            self.signer.prepare()

    def base_url(self) -> str:
        """The URL of the mock, for what no caller asked for: where it is served, or PayPal's own when it is
        not."""
        server = self.server
        if server is None:
            return SANDBOX
        host = f"[{server.host}]" if ":" in server.host else server.host
        return f"{server.scheme}://{host}:{server.port}"

    def settle(self, at_ns: int) -> None:
        for currency, fee in self.payments.take_fees().items():
            self.ledger.fee(self._new_id(), "", fee, currency, at_ns)

    def endpoint(self, request: Request) -> str:
        for method, path, endpoint in ROUTES:
            if method == request.method and path.match(request.path):
                return endpoint
        return ""

    def moved(self, call: Call, reply: Reply) -> bool:
        # An order that is not paid yet is processing, too.
        return reply.result == "succeeded" or (reply.result == "processing" and call.endpoint in _TAKING)

    def contradiction(self, reply: Reply) -> Reply | None:
        return contradiction_of(reply)

    def known_key(self, call: Call) -> tuple[Keys, str] | None:
        if not call.idempotency_key:
            return None
        keys = self.keys if call.endpoint.startswith("orders.") else self.payment_keys
        return known(keys, f"{call.endpoint} {call.idempotency_key}")

    def decline_payments(self, on: bool) -> None:
        self.payments.storm = GENERIC_DECLINE if on else ""

    def fail_later(self, reply: Reply, seconds: float) -> bool:
        try:
            body = orjson.loads(reply.body)
            units = body.get("purchase_units")
            name = body["id"] if units is None else units[0]["payments"]["captures"][0]["id"]
            capture = self.payments.capture(name)
        except (ValueError, KeyError, TypeError, PayPalError):
            return False
        charge_back = self.payments.charge_back
        self.mock_clock.call_later(seconds, lambda: charge_back(capture, time.monotonic_ns()))
        return True

    @property
    def has_tokens(self) -> bool:
        return True

    def forget_tokens(self) -> None:
        self.tokens.forget()

    def traits(self, call: Call) -> Traits:
        asked = traits_of(call.exchange.request.body)
        if call.endpoint in ("orders.capture", "orders.authorize"):
            order = self.orders.find(_id_in(call.exchange.request, call.endpoint))
            return of_order(asked, order)
        return asked

    def error(self, status: int) -> Reply:
        return server_error(status, self.next_id(13, _HEX))

    def headers(self, call: Call, reply: Reply) -> tuple[tuple[str, str], ...]:
        if any(name == DEBUG_ID for name, _ in reply.headers):
            return reply.headers
        return ((DEBUG_ID, self._debug_id(call)), *reply.headers)

    def prepare(self, call: Call) -> Prepared:
        request = call.exchange.request
        try:
            if call.endpoint == "oauth2.token":
                return grant(self.tokens, request, self._new_token, self._debug_id(call))
            if call.endpoint == "orders.approve":
                return _guarded(self._order_calls.approve(call), self._debug_id(call))
            if call.endpoint == "webhooks.certificate":
                return self._webhook_calls.certificate(_id_in(request, call.endpoint))
            authenticate(self.tokens, request)
            if self.rate_limit.enforced and self.rate_limit.refusal(call.endpoint):
                raise PayPalError("", status=429)
            if not call.endpoint:
                raise PayPalError("", status=404)
            return self._prepare(call)
        except PayPalError as error:
            return error.reply(self._debug_id(call))

    def _prepare(self, call: Call) -> Prepared:
        request = call.exchange.request
        read = request.method == "GET"
        body = {} if read else _body(request, call.endpoint)
        slot = ""
        keys = self.keys if call.endpoint.startswith("orders.") else self.payment_keys
        if request.method == "POST" and call.idempotency_key:
            if len(call.idempotency_key) > LONGEST_REQUEST_ID:
                raise PayPalError("INVALID_STRING_LENGTH", "PayPal-Request-Id")
            slot = f"{call.endpoint} {call.idempotency_key}"
        print_ = ""
        if slot:
            print_ = fingerprint(request.path.encode(), orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
            replay = self._replay(call, keys, slot, print_)
            if replay is not None:
                return replay
        issue = mock_issue(request.headers.get("paypal-mock-response", ""))
        name = _id_in(request, call.endpoint)
        action = self._endpoints[call.endpoint](call, body, name)
        if slot:
            call.use = keys.claim(slot, call.endpoint, print_)

        def execute(at_ns: int) -> Reply:
            try:
                if issue:
                    link = self._name_order(call, name)
                    raise PayPalError(issue, link=link if issue == "INSTRUMENT_DECLINED" else "")
                done = action(at_ns)
            except PayPalError as error:
                if call.use is not None:
                    keys.release(slot)
                    call.use = None
                return error.reply(self._debug_id(call))
            if slot:
                self._keep(slot, done)
            return reply_of(done, done.status, read or wants_all(request))

        return execute

    def _keep(self, slot: str, done: Done) -> None:
        self._done[slot] = done
        known = len(self.keys) + len(self.payment_keys)
        if len(self._done) > 2 * known + 1000:
            # Most of these ids have expired.
            live = (self.keys, self.payment_keys)
            self._done = {
                name: old for name, old in self._done.items() if any(keys.find(name) for keys in live)
            }

    def _replay(self, call: Call, keys: Keys, slot: str, print_: str) -> Reply | None:
        use = keys.find(slot)
        if use is None:
            return None
        if use.fingerprint != print_:
            raise PayPalError("DUPLICATE_REQUEST_ID")
        if use.in_progress:
            raise PayPalError("PREVIOUS_REQUEST_IN_PROGRESS")
        call.replayed = True
        call.order_id = use.order_id
        done = self._done.get(slot)
        if done is None:  # its execution broke
            return use.saved
        return reply_of(done, done.replay_status, wants_all(call.exchange.request))

    # Names.

    def _new_id(self) -> str:
        return self.next_id(17, UPPER_ALPHANUMERIC)

    def _new_dispute_id(self) -> str:
        return "PP-D-" + self.next_id(8, "0123456789")

    def _new_token(self) -> str:
        return "A21AA" + self.next_id(32, UPPER_ALPHANUMERIC) + self.next_id(32, UPPER_ALPHANUMERIC)

    def _debug_id(self, call: Call) -> str:
        return self.ids.text(call.number + (1 << 40), 13, _HEX)

    def _name_order(self, call: Call, name: str) -> str:
        """Note the order that a request is about, if it is known; returns where its payer approves."""
        kind = call.endpoint.partition(".")[0]
        calls = self._payment_calls
        with contextlib.suppress(PayPalError):
            if kind == "orders" and name:
                return self._order_calls.find(call, name).approve_url(base_url(call))
            find = {
                "disputes": self._dispute_calls.find,
                "authorizations": calls.authorization,
                "captures": calls.capture,
                "refunds": calls.refund,
            }.get(kind)
            if find is not None:
                find(call, name)
        return ""


def _guarded(prepared: Prepared, debug_id: str) -> Prepared:
    """The same, with PayPal's error for a ``PayPalError`` of the execution."""
    if isinstance(prepared, Reply):
        return prepared

    def execute(at_ns: int) -> Reply:
        try:
            return prepared(at_ns)
        except PayPalError as error:
            return error.reply(debug_id)

    return execute


def _id_in(request: Request, endpoint: str) -> str:
    """The object that a path names; empty without one."""
    match = next(path.match(request.path) for _, path, name in ROUTES if name == endpoint)
    return match.groupdict().get("id", "") if match is not None else ""


def _body(request: Request, endpoint: str) -> Body:
    """Raises PayPalError (400, 415)."""
    if not request.body:
        return {}
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return body_of(request.body)
    if kind.startswith("multipart/") and endpoint in MULTIPART:
        return json_part(content_type, request.body)
    raise PayPalError("", status=415)
