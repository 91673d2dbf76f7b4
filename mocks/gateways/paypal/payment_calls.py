"""The endpoints of authorizations, captures and refunds."""

from __future__ import annotations

from mocks.gateways.call import Call
from mocks.gateways.paypal.answer import Action, Done, Endpoint, base_url, result_of_capture, wants_all
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body, text
from mocks.gateways.paypal.money import money
from mocks.gateways.paypal.orders import Orders
from mocks.gateways.paypal.payment import Authorization, Capture, Refund
from mocks.gateways.paypal.payments import Payments


class PaymentCalls:
    """What each endpoint of payments does."""

    def __init__(self, payments: Payments, orders: Orders) -> None:
        self._payments = payments
        self._orders = orders
        self.endpoints: dict[str, Endpoint] = {
            "authorizations.retrieve": self._retrieve_authorization,
            "authorizations.capture": self._capture,
            "authorizations.void": self._void,
            "captures.retrieve": self._retrieve_capture,
            "captures.refund": self._refund,
            "refunds.retrieve": self._retrieve_refund,
        }

    def authorization(self, call: Call, name: str) -> Authorization:
        """The authorization that a call is about; the journal is told. Raises PayPalError (404)."""
        held = self._payments.authorization(name)
        call.order_id = held.origin.drill_order_id
        return held

    def capture(self, call: Call, name: str) -> Capture:
        """The capture that a call is about; the journal is told. Raises PayPalError (404)."""
        capture = self._payments.capture(name)
        call.order_id = capture.origin.drill_order_id
        return capture

    def refund(self, call: Call, name: str) -> Refund:
        """The refund that a call is about; the journal is told. Raises PayPalError (404)."""
        refund = self._payments.refund(name)
        call.order_id = refund.capture.origin.drill_order_id
        return refund

    def _retrieve_authorization(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            held = self.authorization(call, name)
            return Done(200, 200, lambda full: held.body(base_url(call)))

        return action

    def _capture(self, call: Call, body: Body, name: str) -> Action:
        asked = money(body["amount"], "/amount") if body.get("amount") is not None else None
        final = body.get("final_capture", False)
        if not isinstance(final, bool):
            raise PayPalError("INVALID_PARAMETER_SYNTAX", "/final_capture")

        def action(at_ns: int) -> Done:
            held = self.authorization(call, name)
            capture = self._payments.take_held(held, asked, final, at_ns)
            self._orders.add_capture(capture)
            base = base_url(call)
            return Done(201, 201, lambda full: capture.body(base, full), result_of_capture(capture))

        return action

    def _void(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            held = self.authorization(call, name)
            self._payments.void(held)
            if not wants_all(call.exchange.request):
                return Done(204, 204, lambda full: None)
            base = base_url(call)
            return Done(200, 200, lambda full: held.body(base))

        return action

    def _retrieve_capture(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            capture = self.capture(call, name)
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
            refund = self._payments.give_back(self.capture(call, name), asked, texts, at_ns)
            self._orders.add_refund(refund)
            base = base_url(call)
            return Done(201, 201, lambda full: refund.body(base, full), "succeeded")

        return action

    def _retrieve_refund(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            refund = self.refund(call, name)
            return Done(200, 200, lambda full: refund.body(base_url(call)))

        return action
