"""PayPal's HTTP interface: authentication, idempotency, headers, and what each endpoint does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from urllib.parse import parse_qs

import orjson

from mocks.draws import UPPER_ALPHANUMERIC
from mocks.gateways.call import Call, Prepared
from mocks.gateways.gateway import Gateway
from mocks.gateways.paypal.access import authenticate, grant
from mocks.gateways.paypal.answer import Action, Done, base_url, reply_of, result_of, wants_all
from mocks.gateways.paypal.approval import visit
from mocks.gateways.paypal.errors import DEBUG_ID, PayPalError, server_error
from mocks.gateways.paypal.fields import Body, body_of, text
from mocks.gateways.paypal.money import money
from mocks.gateways.paypal.order import Order, order_request
from mocks.gateways.paypal.orders import Orders
from mocks.gateways.paypal.patches import patch
from mocks.gateways.paypal.payments import Payments
from mocks.gateways.paypal.routes import ROUTES
from mocks.gateways.paypal.tokens import Tokens
from mocks.gateways.paypal.triggers import mock_issue
from mocks.http import Request
from mocks.idempotency import Keys, fingerprint
from mocks.latency import Latency
from mocks.reply import Reply

LONGEST_REQUEST_ID = 10_000
"""Characters of a ``PayPal-Request-Id``, at most (Orders v2: 1 to 10,000)."""

PAYMENT_KEYS_S = 45 * 86_400
"""Seconds for which the ids of captures of authorizations, voids and refunds are kept (Payments v2)."""

_HEX = "0123456789abcdef"


class PayPal(Gateway):
    """Orders that a payer approves, captured at once or authorized first, and refunds.

    Idempotency ("Idempotency" in PayPal's REST documentation): a request with a known ``PayPal-Request-Id``
    executes nothing and answers with the latest status of what the first one made; 200 for orders, where the
    first answer was 201. While the first is in process, a duplicate fails: 409 PREVIOUS_REQUEST_IN_PROGRESS.
    Ids are kept per endpoint, 6 hours for orders and 45 days for payments. Two things are not published, and
    assumed: an id with another body or another resource is 400 DUPLICATE_REQUEST_ID (as in Payments v1); a
    request that ended in an error leaves its id free.

    What the journal calls the order is the ``custom_id`` of the first purchase unit, else its
    ``reference_id``, else its ``invoice_id``.
    """

    idempotency_header = "paypal-request-id"
    key_lifetime_s = 6 * 3600

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        super().__init__(name, latency, seed)
        self.tokens = Tokens(self.mock_clock)
        self.payments = Payments(self.ledger, self._new_id, self.mock_clock)
        self.orders = Orders(self.payments, self._new_id, self.mock_clock)
        self.payment_keys = Keys(self.mock_clock, PAYMENT_KEYS_S)
        self._done: dict[str, Done] = {}
        self._actions: dict[str, Callable[[Call, Body, str], Action]] = {
            "orders.create": self._create,
            "orders.retrieve": self._retrieve,
            "orders.patch": self._patch,
            "orders.capture": lambda call, body, name: self._pay(call, name, "CAPTURE"),
            "orders.authorize": lambda call, body, name: self._pay(call, name, "AUTHORIZE"),
            "authorizations.retrieve": self._retrieve_authorization,
            "authorizations.capture": self._capture,
            "authorizations.void": self._void,
            "captures.retrieve": self._retrieve_capture,
            "captures.refund": self._refund,
            "refunds.retrieve": self._retrieve_refund,
        }

    def endpoint(self, request: Request) -> str:
        for method, path, endpoint in ROUTES:
            if method == request.method and path.match(request.path):
                return endpoint
        return ""

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
                return self._approve(call)
            authenticate(self.tokens, request)
            if not call.endpoint:
                raise PayPalError("", status=404)
            if request.body and not _is_json(request.headers.get("content-type", "")):
                raise PayPalError("", status=415)
            return self._prepare(call)
        except PayPalError as error:
            return error.reply(self._debug_id(call))

    def _prepare(self, call: Call) -> Prepared:
        request = call.exchange.request
        read = request.method == "GET"
        body = {} if read else body_of(request.body)
        slot = ""
        keys = self.keys if call.endpoint.startswith("orders.") else self.payment_keys
        if request.method == "POST" and call.idempotency_key:
            if len(call.idempotency_key) > LONGEST_REQUEST_ID:
                raise PayPalError("INVALID_STRING_LENGTH", "PayPal-Request-Id")
            slot = f"{call.endpoint} {call.idempotency_key}"
        print_ = fingerprint(request.path.encode(), orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
        if slot:
            replay = self._replay(call, keys, slot, print_)
            if replay is not None:
                return replay
        issue = mock_issue(request.headers.get("paypal-mock-response", ""))
        match = next(path.match(request.path) for _, path, name in ROUTES if name == call.endpoint)
        name = match.groupdict().get("id", "") if match is not None else ""
        action = self._actions[call.endpoint](call, body, name)
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

    # Orders.

    def _create(self, call: Call, body: Body, name: str) -> Action:
        request = order_request(body)
        call.order_id = request.units[0].drill_order_id
        if request.at_once and not call.idempotency_key:
            raise PayPalError("PAYPAL_REQUEST_ID_REQUIRED")

        def action(at_ns: int) -> Done:
            order = self.orders.create(request, at_ns)
            return self._done_order(call, order, 201, 200)

        return action

    def _retrieve(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            order = self._order(call, name)
            return Done(200, 200, lambda full: order.body(base_url(call), full))

        return action

    def _patch(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            patch(self._order(call, name), body.get("patches"))
            return Done(204, 204, lambda full: None)

        return action

    def _pay(self, call: Call, name: str, intent: str) -> Action:
        def action(at_ns: int) -> Done:
            order = self._order(call, name)
            self.orders.pay(order, intent, at_ns, base_url(call))
            return self._done_order(call, order, 201, 200)

        return action

    def _done_order(self, call: Call, order: Order, status: int, replay_status: int) -> Done:
        base = base_url(call)
        return Done(status, replay_status, lambda full: order.body(base, full), result_of(order))

    def _approve(self, call: Call) -> Prepared:
        query = parse_qs(call.exchange.request.query)
        name = query.get("token", [""])[0]

        def execute(at_ns: int) -> Reply:
            try:
                return visit(self.orders, self._order(call, name), base_url(call), cancel="cancel" in query)
            except PayPalError as error:
                return error.reply(self._debug_id(call))

        return execute

    # Authorizations, captures, refunds.

    def _retrieve_authorization(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            held = self.payments.authorization(name)
            call.order_id = held.origin.drill_order_id
            return Done(200, 200, lambda full: held.body(base_url(call)))

        return action

    def _capture(self, call: Call, body: Body, name: str) -> Action:
        asked = money(body["amount"], "/amount") if body.get("amount") is not None else None
        final = body.get("final_capture", False)
        if not isinstance(final, bool):
            raise PayPalError("INVALID_PARAMETER_SYNTAX", "/final_capture")

        def action(at_ns: int) -> Done:
            held = self.payments.authorization(name)
            call.order_id = held.origin.drill_order_id
            capture = self.payments.take_held(held, asked, final, at_ns)
            self.orders.add_capture(capture)
            base = base_url(call)
            return Done(201, 201, lambda full: capture.body(base, full), "succeeded")

        return action

    def _void(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            held = self.payments.authorization(name)
            call.order_id = held.origin.drill_order_id
            self.payments.void(held)
            if not wants_all(call.exchange.request):
                return Done(204, 204, lambda full: None)
            base = base_url(call)
            return Done(200, 200, lambda full: held.body(base))

        return action

    def _retrieve_capture(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            capture = self.payments.capture(name)
            call.order_id = capture.origin.drill_order_id
            return Done(200, 200, lambda full: capture.body(base_url(call)))

        return action

    def _refund(self, call: Call, body: Body, name: str) -> Action:
        asked = money(body["amount"], "/amount") if body.get("amount") is not None else None
        texts = {
            "note_to_payer": text(body, "note_to_payer", "", longest=255),
            "invoice_id": text(body, "invoice_id", "", longest=127),
            "custom_id": text(body, "custom_id", "", longest=127),
        }

        def action(at_ns: int) -> Done:
            capture = self.payments.capture(name)
            call.order_id = capture.origin.drill_order_id
            refund = self.payments.give_back(capture, asked, texts, at_ns)
            self.orders.add_refund(refund)
            base = base_url(call)
            return Done(201, 201, lambda full: refund.body(base, full), "succeeded")

        return action

    def _retrieve_refund(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            refund = self.payments.refund(name)
            call.order_id = refund.capture.origin.drill_order_id
            return Done(200, 200, lambda full: refund.body(base_url(call)))

        return action

    # What they share.

    def _order(self, call: Call, name: str) -> Order:
        order = self.orders.find(name)
        call.order_id = order.units[0].drill_order_id
        return order

    def _new_id(self) -> str:
        return self.next_id(17, UPPER_ALPHANUMERIC)

    def _new_token(self) -> str:
        return "A21AA" + self.next_id(32, UPPER_ALPHANUMERIC) + self.next_id(32, UPPER_ALPHANUMERIC)

    def _debug_id(self, call: Call) -> str:
        return self.ids.text(call.number + (1 << 40), 13, _HEX)

    def _name_order(self, call: Call, name: str) -> str:
        """Note the order that a request is about, if it is known; returns where its payer approves."""
        kind = call.endpoint.partition(".")[0]
        with contextlib.suppress(PayPalError):
            if kind == "orders" and name:
                return self._order(call, name).approve_url(base_url(call))
            if kind == "authorizations":
                call.order_id = self.payments.authorization(name).origin.drill_order_id
            if kind == "captures":
                call.order_id = self.payments.capture(name).origin.drill_order_id
            if kind == "refunds":
                call.order_id = self.payments.refund(name).capture.origin.drill_order_id
        return ""


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"
