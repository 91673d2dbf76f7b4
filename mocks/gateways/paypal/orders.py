"""All orders of one gateway, and what can be done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.events import Events
from mocks.gateways.paypal.order import Order, OrderRequest, with_source
from mocks.gateways.paypal.payment import Capture, Refund, rfc3339
from mocks.gateways.paypal.payments import Payments
from mocks.gateways.paypal.source import Source
from mocks.mock_clock import MockClock


class Orders:
    """Methods raise ``PayPalError`` for what PayPal answers with an error.

    Args:
        payments: What pays the orders.
        events: Is told of what happens.
        new_id: Makes the next id.
        clock: The mock's clock.
    """

    def __init__(
        self, payments: Payments, events: Events, new_id: Callable[[], str], clock: MockClock
    ) -> None:
        self._payments = payments
        self._events = events
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
        """A new order; one whose payment source is ready is paid at once."""
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
        if order.approved:
            return
        order.approved = True
        order.updated = rfc3339(self._clock.unix())
        self._events.happened("CHECKOUT.ORDER.APPROVED", order.body_approved, order.request, order.updated)

    def refuse(self, order: Order) -> None:
        """The payer says no. A cardholder who does not authenticate leaves the payment to the merchant, who
        is told so by ``authentication_result`` and may capture all the same (assumed)."""
        source = order.request.source
        if source is not None and source.card is not None and not order.approved:
            order.request = with_source(order.request, source.refused())
            self.approve(order)

    def confirm(self, order: Order, source: Source) -> None:
        """The payer has chosen a payment source (``confirm-payment-source``); Apple Pay, Google Pay and a
        card that needs no authentication approve the order by that.

        Raises:
            PayPalError: 422 when the order has been paid or approved before.
        """
        if order.paid:
            raise PayPalError("ORDER_ALREADY_COMPLETED")
        if order.approved:
            raise PayPalError("PAYMENT_ALREADY_APPROVED")
        order.request = with_source(order.request, source)
        order.updated = rfc3339(self._clock.unix())
        if not source.awaits_payer:
            self.approve(order)

    def pay(
        self, order: Order, intent: str, at_ns: int, base: str = "", source: Source | None = None
    ) -> None:
        """Capture or authorize, once per order. ``source``: what it is paid with, given only now.

        Raises:
            PayPalError: 422 when the intent is another, the payer has not approved, or it has been done.
        """
        if order.request.intent != intent:
            raise PayPalError("ACTION_DOES_NOT_MATCH_INTENT")
        if order.paid:
            done = "ORDER_ALREADY_CAPTURED" if intent == "CAPTURE" else "ORDER_ALREADY_AUTHORIZED"
            raise PayPalError(done)
        if source is not None:
            order.request = with_source(order.request, source)
            order.approved = order.approved or source.ready
        if not order.approved:
            known = order.request.source
            if known is not None and known.card is not None:
                raise PayPalError("PAYER_ACTION_REQUIRED", link=order.approve_url(base), rel="payer-action")
            raise PayPalError("ORDER_NOT_APPROVED", link=order.approve_url(base))
        payer_name = order.request.payer_name
        for unit in order.units:
            origin = order.origin(unit)
            if intent == "CAPTURE":
                unit.captures.append(self._payments.take(unit.amount, origin, payer_name, at_ns))
            else:
                unit.authorizations.append(self._payments.authorize(unit.amount, origin, payer_name))
        order.updated = rfc3339(self._clock.unix())
        self._events.happened("CHECKOUT.ORDER.COMPLETED", order.body_completed, order.updated)

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
