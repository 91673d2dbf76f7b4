"""The endpoints of orders, and the payer's page."""

from __future__ import annotations

from urllib.parse import parse_qs

from mocks.gateways.call import Call, Prepared
from mocks.gateways.paypal.answer import Action, Done, Endpoint, base_url, result_of
from mocks.gateways.paypal.approval import visit
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.order import Order, order_request
from mocks.gateways.paypal.orders import Orders
from mocks.gateways.paypal.patches import patch
from mocks.gateways.paypal.payment import rfc3339
from mocks.gateways.paypal.source import source_of
from mocks.mock_clock import MockClock
from mocks.reply import Reply


class OrderCalls:
    """What each endpoint of orders does."""

    def __init__(self, orders: Orders, clock: MockClock) -> None:
        self._orders = orders
        self._clock = clock
        self.endpoints: dict[str, Endpoint] = {
            "orders.create": self._create,
            "orders.retrieve": self._retrieve,
            "orders.patch": self._patch,
            "orders.confirm": self._confirm,
            "orders.capture": lambda call, body, name: self._pay(call, body, name, "CAPTURE"),
            "orders.authorize": lambda call, body, name: self._pay(call, body, name, "AUTHORIZE"),
        }

    def find(self, call: Call, name: str) -> Order:
        """The order that a call is about; the journal is told. Raises PayPalError (404)."""
        order = self._orders.find(name)
        call.order_id = order.units[0].drill_order_id
        return order

    def approve(self, call: Call) -> Prepared:
        """The payer's page; whoever knows the link may visit it. Raises PayPalError (404) when executed."""
        query = parse_qs(call.exchange.request.query)
        name = query.get("token", [""])[0]

        def execute(at_ns: int) -> Reply:
            return visit(self._orders, self.find(call, name), base_url(call), cancel="cancel" in query)

        return execute

    def _create(self, call: Call, body: Body, name: str) -> Action:
        request = order_request(body, self._month())
        call.order_id = request.units[0].drill_order_id
        if request.at_once and not call.idempotency_key:
            raise PayPalError("PAYPAL_REQUEST_ID_REQUIRED")

        def action(at_ns: int) -> Done:
            order = self._orders.create(request, at_ns)
            return _done(call, order, 201)

        return action

    def _retrieve(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            order = self.find(call, name)
            return Done(200, 200, lambda full: order.body(base_url(call), full))

        return action

    def _patch(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            patch(self.find(call, name), body.get("patches"))
            return Done(204, 204, lambda full: None)

        return action

    def _confirm(self, call: Call, body: Body, name: str) -> Action:
        source = source_of(body, self._month())
        if source is None:
            raise PayPalError("NO_PAYMENT_SOURCE_PROVIDED", "/payment_source")

        def action(at_ns: int) -> Done:
            order = self.find(call, name)
            self._orders.confirm(order, source)
            return _done(call, order, 200)

        return action

    def _pay(self, call: Call, body: Body, name: str, intent: str) -> Action:
        source = source_of(body, self._month())

        def action(at_ns: int) -> Done:
            order = self.find(call, name)
            self._orders.pay(order, intent, at_ns, base_url(call), source)
            return _done(call, order, 201)

        return action

    def _month(self) -> str:
        return rfc3339(self._clock.unix())[:7]


def _done(call: Call, order: Order, status: int) -> Done:
    base = base_url(call)
    return Done(status, 200, lambda full: order.body(base, full), result_of(order))
