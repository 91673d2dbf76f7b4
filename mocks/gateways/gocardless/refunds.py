"""Refunds of payments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from mocks.gateways.gocardless.collection import Collection, Query, stamp, timestamp
from mocks.gateways.gocardless.creditor import Creditor
from mocks.gateways.gocardless.errors import invalid_state
from mocks.gateways.gocardless.events import Detail
from mocks.gateways.gocardless.fields import Fields
from mocks.gateways.gocardless.payment import Payment
from mocks.gateways.gocardless.payments import Payments
from mocks.gateways.gocardless.payouts import NO_FX, Item

KNOWN = frozenset({"amount", "links", "metadata", "reference", "total_amount_confirmation"})
FILTERS = ("mandate", "payment", "refund_type")
MOST_REFUNDS = 5


class RefundRequest(NamedTuple):
    """What a refund was asked to be. ``total_minor`` is what all refunds of the payment come to with it."""

    payment: str
    amount_minor: int
    total_minor: int
    reference: str
    metadata: dict[str, str]


@dataclass(slots=True)
class Refund:
    """One refund; ``debit`` is what a payout deducts for it, ``capture`` the ledger's reference of what it
    gives back."""

    id: str
    created: float
    request: RefundRequest
    payment: Payment
    debit: Item
    capture: str
    metadata: dict[str, str]
    status: str = "pending_submission"


class Refunds:
    """All refunds. Money moves when one is created: that is when GoCardless takes it from the creditor's
    balance. Whether the balance covers it is not checked (``available_refund_amount_insufficient``)."""

    def __init__(self, creditor: Creditor, payments: Payments) -> None:
        self._creditor = creditor
        self._payments = payments
        self.all = Collection[Refund]("refunds", _body)

    def create(self, request: RefundRequest, at_ns: int) -> Refund:
        """Raises GoCardlessError: there is no such payment, it is in no state for a refund, it has been
        refunded too often or too much, or the confirmation is wrong."""
        payment = self._payments.all.linked(request.payment)
        if payment.status not in ("confirmed", "paid_out"):
            raise invalid_state(
                "refund_payment_invalid_state", "The payment is neither confirmed nor paid out"
            )
        if payment.refunds >= MOST_REFUNDS:
            raise invalid_state("number_of_refunds_exceeded", f"A payment has at most {MOST_REFUNDS} refunds")
        total = payment.refunded_minor + request.amount_minor
        if total > payment.request.amount_minor:
            fields = Fields({}, "/refunds")
            fields.wrong("amount", "is more than what is left of the payment")
            fields.done()
        if request.total_minor != total:
            raise invalid_state(
                "total_amount_confirmation_invalid", f"The refunds of this payment would come to {total}"
            )
        name = self._creditor.new_id("RF")
        self._creditor.ledger.refund(name, payment.capture, request.amount_minor, at_ns)
        payment.refunded_minor = total
        payment.refunds += 1
        debit = self._payments.item("payment_refunded", -request.amount_minor, payment, name)
        self._payments.correct(payment.request.currency, debit)
        now, capture = stamp(self._creditor.clock), payment.capture
        refund = Refund(name, now, request, payment, debit, capture, request.metadata)
        self.all.add(refund)
        self._tell(refund, "created", Detail("api", "payment_refunded"))
        return refund

    def submit(self, refund: Refund) -> None:
        """Send it to the banks, unless that has happened. No event of it is published, so there is none."""
        if refund.status == "pending_submission":
            refund.status = "submitted"

    def pay(self, refund: Refund) -> None:
        """It has reached the customer."""
        if refund.status != "paid":
            refund.status = "paid"
            self._tell(refund, "paid", Detail("gocardless", "refund_paid"))

    def settle(self, refund: Refund, at_ns: int) -> None:
        """It has reached the customer and is deducted from a payout."""
        currency = refund.payment.request.currency
        if self._payments.is_waiting(currency, refund.debit):
            self._payments.settle(refund.debit, currency, at_ns)
        self.pay(refund)

    def bounce(self, refund: Refund, at_ns: int) -> None:
        """It did not reach the customer. What a payout has deducted already, a later one gives back."""
        self._give_back(refund, at_ns, told=False)
        refund.status = "bounced"
        self._tell(refund, "failed", Detail("gocardless", "refund_failed"))

    def give_back(self, refund: Refund, at_ns: int) -> None:
        """It could not be sent, and the creditor has the money again (``funds_returned``)."""
        self._give_back(refund, at_ns, told=True)
        refund.status = "funds_returned"
        self._tell(refund, "funds_returned", Detail("gocardless", "refund_funds_returned"))

    def _give_back(self, refund: Refund, at_ns: int, *, told: bool) -> None:
        payment, amount = refund.payment, refund.request.amount_minor
        self._creditor.ledger.return_refund(f"{refund.id}-returned", refund.capture, amount, at_ns)
        payment.refunded_minor -= amount
        currency = payment.request.currency
        if not self._payments.forget(currency, refund.debit):
            credit = self._payments.item("refund_funds_returned", amount, payment, refund.id)
            credit.told = told
            self._payments.correct(currency, credit)

    def page(self, asked: Query) -> dict[str, Any]:
        wanted = asked.filters

        def fits(refund: Refund) -> bool:
            return (
                wanted.get("payment") in (None, refund.payment.id)
                and wanted.get("mandate") in (None, refund.payment.mandate.id)
                and wanted.get("refund_type") in (None, "payment")
            )

        return self.all.page(asked, fits)

    def _tell(self, refund: Refund, action: str, detail: Detail) -> None:
        events = self._creditor.events
        events.add("refunds", action, detail, {"refund": refund.id}, refund.metadata)


def read(fields: Fields) -> RefundRequest:
    """What is asked for. Raises GoCardlessError (422)."""
    request = RefundRequest(
        payment=fields.link("payment"),
        amount_minor=fields.amount("amount"),
        total_minor=fields.amount("total_amount_confirmation"),
        reference=fields.text("reference", longest=140),
        metadata=fields.metadata(),
    )
    fields.done()
    return request


def _body(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "amount": refund.request.amount_minor,
        "created_at": timestamp(refund.created),
        "currency": refund.payment.request.currency,
        "reference": refund.request.reference or None,
        "status": refund.status,
        "metadata": refund.metadata,
        "fx": NO_FX,
        "links": {"payment": refund.payment.id, "mandate": refund.payment.mandate.id},
    }
