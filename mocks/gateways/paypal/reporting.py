"""What moved the seller's balance (Transaction Search v1): its transactions and its balances.

Nothing is kept for them while payments are made: they are read off the captures, refunds and disputes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mocks.gateways.paypal.disputes import Disputes
from mocks.gateways.paypal.fees import fee_of
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.money import Money
from mocks.gateways.paypal.payment import Capture, Refund
from mocks.gateways.paypal.payments import Payments

ACCOUNT = "PAYDRILLSELLER"

CHECKOUT, REFUND, REVERSAL = "T0006", "T1107", "T1106"
"""Transaction event codes ("Transaction event codes"): a payment by the checkout API, a refund that the
seller made, and a reversal that PayPal made."""


class Transaction(NamedTuple):
    """A line of the account. ``made``, ``updated`` and ``booked`` are RFC 3339; ``booked`` is when it moved
    the balance, empty if it did not. ``status`` is PayPal's letter: S for successful, P for pending, D for
    denied, V for reversed. ``amount_minor`` and ``fee_minor`` are negative where money leaves; ``reference``
    is the capture of a refund."""

    id: str
    code: str
    status: str
    made: str
    updated: str
    booked: str
    currency: str
    amount_minor: int
    fee_minor: int
    reference: str
    custom_id: str
    invoice_id: str

    def body(self) -> Body:
        """``transaction_info``."""
        body: Body = {
            "paypal_account_id": ACCOUNT,
            "transaction_id": self.id,
            "transaction_event_code": self.code,
            "transaction_initiation_date": self.made,
            "transaction_updated_date": self.updated,
            "transaction_amount": signed(self.currency, self.amount_minor),
            "transaction_status": self.status,
        }
        if self.fee_minor:
            body["fee_amount"] = signed(self.currency, self.fee_minor)
        if self.reference:
            body |= {"paypal_reference_id": self.reference, "paypal_reference_id_type": "TXN"}
        if self.custom_id:
            body["custom_field"] = self.custom_id
        if self.invoice_id:
            body["invoice_id"] = self.invoice_id
        return body


class Reporting:
    """The account of one gateway."""

    def __init__(self, payments: Payments, disputes: Disputes) -> None:
        self._payments = payments
        self._disputes = disputes

    def __iter__(self) -> Iterator[Transaction]:
        """All transactions: payments, then refunds and reversals, each oldest first."""
        for capture in self._payments.captures:
            yield _of_capture(capture)
        for refund in self._payments.refunds:
            yield _of_refund(refund)

    def balances(self, until: str) -> dict[str, tuple[int, int]]:
        """Currency -> its balance in the minor unit, and what of it is withheld for open disputes, after all
        that happened until then (RFC 3339)."""
        totals: dict[str, int] = {}
        for row in self:
            if row.booked and row.booked <= until:
                totals[row.currency] = totals.get(row.currency, 0) + row.amount_minor + row.fee_minor
        withheld: dict[str, int] = {}
        for dispute in self._disputes:
            if dispute.open:
                currency = dispute.amount.currency
                withheld[currency] = withheld.get(currency, 0) + dispute.amount.minor
        return {currency: (total, withheld.get(currency, 0)) for currency, total in sorted(totals.items())}


def signed(currency: str, minor: int) -> dict[str, str]:
    """An amount that may be negative."""
    body = Money(currency, abs(minor)).body()
    return body if minor >= 0 else body | {"value": "-" + body["value"]}


def _of_capture(capture: Capture) -> Transaction:
    status = {"DECLINED": "D", "PENDING": "P"}.get(capture.status, "V" if capture.reversed else "S")
    fee = fee_of(capture.amount).minor if capture.booked else 0
    return Transaction(
        capture.id,
        CHECKOUT,
        status,
        capture.made,
        capture.updated or capture.made,
        capture.booked,
        capture.amount.currency,
        capture.amount.minor,
        -fee,
        "",
        capture.origin.custom_id,
        capture.origin.invoice_id,
    )


def _of_refund(refund: Refund) -> Transaction:
    return Transaction(
        refund.id,
        REVERSAL if refund.reversal else REFUND,
        "S",
        refund.made,
        refund.made,
        refund.made,
        refund.amount.currency,
        -refund.amount.minor,
        0,
        refund.capture.id,
        refund.custom_id or refund.capture.origin.custom_id,
        refund.invoice_id or refund.capture.origin.invoice_id,
    )
