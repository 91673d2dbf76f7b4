"""What pays an order: authorizations, captures and refunds, and their bodies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from mocks.gateways.paypal.fees import fee_of
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.money import Money

SELLER_PROTECTION: Body = {
    "status": "ELIGIBLE",
    "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The purchase unit that a payment belongs to. ``drill_order_id`` is what the journal calls the order."""

    paypal_order_id: str
    drill_order_id: str
    custom_id: str
    invoice_id: str


@dataclass(slots=True)
class Refund:
    """Money given back; always COMPLETED. ``made`` is the time of creation, RFC 3339; ``total`` is the sum of
    the capture's refunds with this one, in the minor unit. ``reversal``: PayPal took it back for the payer,
    after a dispute."""

    id: str
    amount: Money
    capture: Capture
    made: str
    total: int
    note: str = ""
    invoice_id: str = ""
    custom_id: str = ""
    reversal: bool = False

    def body(self, base: str, full: bool = True) -> Body:
        """The API's object; ``base`` is the URL of the mock. Not full: id, status and links.

        PayPal keeps the fee of the capture, so none is given back.
        """
        href = f"{base}/v2/payments/refunds/{self.id}"
        body: Body = {
            "id": self.id,
            "status": "COMPLETED",
            "links": [
                _link(href, "self"),
                _link(f"{base}/v2/payments/captures/{self.capture.id}", "up"),
            ],
        }
        if not full:
            return body
        currency, amount = self.amount.currency, self.amount.body()
        body |= {
            "amount": amount,
            "seller_payable_breakdown": {
                "gross_amount": amount,
                "paypal_fee": Money(currency, 0).body(),
                "net_amount": amount,
                "total_refunded_amount": Money(currency, self.total).body(),
            },
            "create_time": self.made,
            "update_time": self.made,
        }
        invoice, custom = self.invoice_id or self.capture.origin.invoice_id, self.custom_id
        return body | _present(
            note_to_payer=self.note, invoice_id=invoice, custom_id=custom or self.capture.origin.custom_id
        )


@dataclass(slots=True)
class Capture:
    """Money taken, or a try at it: ``code`` is the processor's response code, empty when it approved.

    ``made``, ``updated`` and ``booked``, when its money came, are RFC 3339. ``waited_for`` is why it was
    PENDING at first, empty if it was not; ``pending`` tells whether it still is, and ``denied`` that it ended
    so. ``refunded`` and ``reversed`` (after disputes) are sums in the minor unit; that a reversed capture
    shows itself as refunded is assumed.
    """

    id: str
    amount: Money
    origin: Origin
    made: str
    code: str = ""
    final: bool = True
    authorization_id: str = ""
    refunded: int = 0
    reversed: int = 0
    waited_for: str = ""
    pending: bool = False
    denied: bool = False
    updated: str = ""
    booked: str = ""

    @property
    def status(self) -> str:
        if self.code or self.denied:
            return "DECLINED"
        if self.pending:
            return "PENDING"
        returned = self.refunded + self.reversed
        if returned == 0:
            return "COMPLETED"
        return "REFUNDED" if returned == self.amount.minor else "PARTIALLY_REFUNDED"

    @property
    def first_status(self) -> str:
        """The status that it was made with."""
        if self.code:
            return "DECLINED"
        return "PENDING" if self.waited_for else "COMPLETED"

    def body(self, base: str, full: bool = True) -> Body:
        """The API's object; ``base`` is the URL of the mock. Not full: id, status and links."""
        return self.body_when(base, self.status, self.updated or self.made, full)

    def body_when(self, base: str, status: str, updated: str, full: bool = True) -> Body:
        """The API's object as it was when it had this status, since ``updated``."""
        href = f"{base}/v2/payments/captures/{self.id}"
        up = (
            f"{base}/v2/payments/authorizations/{self.authorization_id}"
            if self.authorization_id
            else f"{base}/v2/checkout/orders/{self.origin.paypal_order_id}"
        )
        links = [_link(href, "self"), _link(up, "up")]
        if status not in ("DECLINED", "PENDING"):
            links.insert(1, _link(f"{href}/refund", "refund", "POST"))
        body: Body = {"id": self.id, "status": status, "links": links}
        if not full:
            return body
        amount = self.amount.body()
        body |= {
            "amount": amount,
            "seller_protection": SELLER_PROTECTION,
            "final_capture": self.final,
            "disbursement_mode": "INSTANT",
            "create_time": self.made,
            "update_time": updated,
            "supplementary_data": {"related_ids": _present(order_id=self.origin.paypal_order_id)},
        }
        if status == "PENDING":
            body["status_details"] = {"reason": self.waited_for}
        elif status != "DECLINED":
            fee = fee_of(self.amount)
            body["seller_receivable_breakdown"] = {
                "gross_amount": amount,
                "paypal_fee": fee.body(),
                "net_amount": Money(fee.currency, self.amount.minor - fee.minor).body(),
            }
        if self.code:
            body["processor_response"] = _processor_response(self.code)
        return body | _present(custom_id=self.origin.custom_id, invoice_id=self.origin.invoice_id)


@dataclass(slots=True)
class Authorization:
    """Money held. ``code`` as for a capture; ``payer_name`` may be a trigger for its captures, too;
    ``captured`` is the sum of its captures in the minor unit;
    ``expires`` is in Unix seconds of the mock's clock; that an expired one keeps its status is assumed."""

    id: str
    amount: Money
    origin: Origin
    made: str
    expires: int
    code: str = ""
    payer_name: str = ""
    captured: int = 0
    closed: bool = False
    voided: bool = False
    updated: str = ""
    captures: list[Capture] = field(default_factory=list)

    @property
    def status(self) -> str:
        if self.code:
            return "DENIED"
        if self.voided:
            return "VOIDED"
        if self.closed or self.captured >= self.amount.minor:
            return "CAPTURED"
        return "PARTIALLY_CAPTURED" if self.captured else "CREATED"

    @property
    def first_status(self) -> str:
        """The status that it was made with."""
        return "DENIED" if self.code else "CREATED"

    def body(self, base: str, full: bool = True) -> Body:
        """The API's object; ``base`` is the URL of the mock. Not full: id, status and links."""
        return self.body_when(base, self.status, self.updated or self.made, full)

    def body_when(self, base: str, status: str, updated: str, full: bool = True) -> Body:
        """The API's object as it was when it had this status, since ``updated``."""
        href = f"{base}/v2/payments/authorizations/{self.id}"
        links = [_link(href, "self")]
        if status in ("CREATED", "PARTIALLY_CAPTURED"):
            links += [_link(f"{href}/capture", "capture", "POST"), _link(f"{href}/void", "void", "POST")]
        links.append(_link(f"{base}/v2/checkout/orders/{self.origin.paypal_order_id}", "up"))
        body: Body = {"id": self.id, "status": status, "links": links}
        if not full:
            return body
        body |= {
            "amount": self.amount.body(),
            "seller_protection": SELLER_PROTECTION,
            "create_time": self.made,
            "update_time": updated,
            "expiration_time": rfc3339(self.expires),
            "supplementary_data": {"related_ids": _present(order_id=self.origin.paypal_order_id)},
        }
        if self.code:
            body["processor_response"] = _processor_response(self.code)
        return body | _present(custom_id=self.origin.custom_id, invoice_id=self.origin.invoice_id)


def rfc3339(unix: float) -> str:
    """Unix seconds as PayPal writes times: UTC, ``2026-01-31T12:00:00Z``."""
    return datetime.fromtimestamp(int(unix), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _processor_response(code: str) -> Body:
    # For all rejection triggers PayPal names the same AVS and CVV codes.
    return {"avs_code": "G", "cvv_code": "P", "response_code": code}


def _link(href: str, rel: str, method: str = "GET") -> Body:
    return {"href": href, "rel": rel, "method": method}


def _present(**values: str) -> Body:
    return {name: value for name, value in values.items() if value}
