"""All orders of one gateway, and what can be done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.order import Order, OrderRequest
from mocks.gateways.paypal.payment import Capture, Refund, rfc3339
from mocks.gateways.paypal.payments import Payments
from mocks.gateways.paypal.triggers import PAYER_NAMES
from mocks.mock_clock import MockClock


class Orders:
    """Methods raise ``PayPalError`` for what PayPal answers with an error.

    Args:
        payments: What pays the orders.
        new_id: Makes the next id.
        clock: The mock's clock.
    """

    def __init__(self, payments: Payments, new_id: Callable[[], str], clock: MockClock) -> None:
        self._payments = payments
        self._new_id = new_id
        self._clock = clock
        self._orders: dict[str, Order] = {}

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def find(self, name: str) -> Order:
        """Raises PayPalError (404) when there is none."""
        if name not in self._orders:
            raise PayPalError("INVALID_RESOURCE_ID")
        return self._orders[name]

    def create(self, request: OrderRequest, at_ns: int) -> Order:
        """A new order; one with a vaulted wallet is approved and paid at once."""
        payer_id = self._new_id()[:13]
        order = Order(
            self._new_id(), request, rfc3339(self._clock.unix()), payer_id, approved=request.at_once
        )
        self._orders[order.id] = order
        if request.at_once:
            self.pay(order, request.intent, at_ns)
        return order

    def approve(self, order: Order) -> None:
        """The payer says yes. A second time changes nothing."""
        order.approved = True
        order.updated = rfc3339(self._clock.unix())

    def pay(self, order: Order, intent: str, at_ns: int, base: str = "") -> None:
        """Capture or authorize, once per order.

        Raises:
            PayPalError: 422 when the intent is another, the payer has not approved, or it has been done.
        """
        if order.request.intent != intent:
            raise PayPalError("ACTION_DOES_NOT_MATCH_INTENT")
        if order.paid:
            done = "ORDER_ALREADY_CAPTURED" if intent == "CAPTURE" else "ORDER_ALREADY_AUTHORIZED"
            raise PayPalError(done)
        if not order.approved:
            raise PayPalError("ORDER_NOT_APPROVED", link=order.approve_url(base))
        code = PAYER_NAMES.get(order.request.given_name, "")
        for unit in order.units:
            if intent == "CAPTURE":
                unit.captures.append(self._payments.take(unit.amount, order.origin(unit), code, at_ns))
            else:
                unit.authorizations.append(self._payments.authorize(unit.amount, order.origin(unit), code))
        order.updated = rfc3339(self._clock.unix())

    def add_capture(self, capture: Capture) -> None:
        """An authorization of an order has been captured: its order shows it."""
        for unit in self._orders[capture.origin.paypal_order_id].units:
            if any(held.id == capture.authorization_id for held in unit.authorizations):
                unit.captures.append(capture)

    def add_refund(self, refund: Refund) -> None:
        """A capture of an order has been refunded: its order shows it."""
        for unit in self._orders[refund.capture.origin.paypal_order_id].units:
            if refund.capture in unit.captures:
                unit.refunds.append(refund)
