"""Payments: what becomes of them, and when money moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mocks.gateways.gocardless import working_days
from mocks.gateways.gocardless.collection import Collection, Query, stamp, timestamp
from mocks.gateways.gocardless.creditor import Creditor
from mocks.gateways.gocardless.errors import invalid_state
from mocks.gateways.gocardless.events import Detail, Event
from mocks.gateways.gocardless.fields import Fields
from mocks.gateways.gocardless.mandates import USABLE, Mandate, Mandates
from mocks.gateways.gocardless.payment import Payment, PaymentRequest
from mocks.gateways.gocardless.payouts import NO_FX, Item, Payout, Payouts, fee

FILTERS = ("creditor", "currency", "customer", "mandate", "status")
MOST_RETRIES = 3


@dataclass(slots=True)
class Balance:
    """What waits for a payout, in one currency: payments that are confirmed, and what is to be deducted or
    given back."""

    payments: dict[str, Payment] = field(default_factory=dict)
    corrections: dict[str, Item] = field(default_factory=dict)


class Payments:
    """All payments. What moves them is ``Settlement``, the scenario simulators, ``cancel`` and ``retry``."""

    def __init__(self, creditor: Creditor, mandates: Mandates, payouts: Payouts) -> None:
        self._creditor = creditor
        self._mandates = mandates
        self._payouts = payouts
        self._balances: dict[str, Balance] = {}
        self.all = Collection[Payment]("payments", self._body)

    def create(self, request: PaymentRequest) -> Payment:
        """Raises GoCardlessError: there is no such mandate, it is over, or the currency, amount or day are
        not possible with it."""
        mandate = self._mandates.all.linked(request.mandate)
        if mandate.status not in USABLE:
            raise invalid_state("mandate_is_inactive", "Mandate is failed, cancelled or expired")
        scheme, fields = mandate.scheme, Fields({}, "/payments")
        if scheme.currency != request.currency:
            fields.wrong("currency", f"must be {scheme.currency} for this mandate")
        elif request.amount_minor < scheme.least_minor:
            fields.wrong("amount", f"must be greater than or equal to {scheme.least_minor}")
        elif request.amount_minor > scheme.most_minor:
            fields.wrong("amount", f"must be less than or equal to {scheme.most_minor}")
        day = self._charge_day(mandate, request.charge_day, fields)
        name, now = self._creditor.new_id("PM"), stamp(self._creditor.clock)
        payment = Payment(name, now, request, mandate, day, request.metadata)
        self.all.add(payment)
        mandate.pending[payment.id] = payment
        self.tell(payment, "created", Detail("api", "payment_created"))
        return payment

    def cancel(self, payment: Payment) -> None:
        """Raises GoCardlessError (422): it has been submitted, or is over."""
        if payment.status != "pending_submission":
            raise invalid_state("cancellation_failed", "Payment cannot be cancelled in its present state")
        self._cancelled(payment, Detail("api", "payment_cancelled"))

    def cancel_of(self, mandate: Mandate, cause: Event) -> None:
        """Cancel what has not been submitted: the mandate is over."""
        for payment in tuple(mandate.pending.values()):
            detail = cause.detail if cause.detail.origin == "bank" else Detail("api", "mandate_cancelled")
            self._cancelled(payment, detail, cause)

    def retry(self, payment: Payment, charge_day: int | None = None) -> None:
        """Raises GoCardlessError (422): it has not failed, was retried too often, its mandate is over, or the
        day is not possible."""
        if payment.status != "failed" or payment.attempt > MOST_RETRIES:
            raise invalid_state("retry_failed", "Payment cannot be retried in its present state")
        if payment.mandate.status not in USABLE:
            raise invalid_state("mandate_is_inactive", "Mandate is failed, cancelled or expired")
        payment.charge_day = self._charge_day(payment.mandate, charge_day, Fields({}, "/data"))
        payment.attempt += 1
        payment.status, payment.capture, payment.payout = "pending_submission", "", ""
        payment.mandate.pending[payment.id] = payment
        self.tell(payment, "resubmission_requested", Detail("api", "payment_retried"))

    # Steps on the way. Each does nothing when the payment has come further already.

    def submit(self, payment: Payment) -> None:
        if payment.status != "pending_submission":
            return
        self._mandates.submit(payment.mandate)
        payment.mandate.pending.pop(payment.id, None)
        payment.status = "submitted"
        self.tell(payment, "submitted", Detail("gocardless", "payment_submitted"))

    def confirm(self, payment: Payment, at_ns: int) -> None:
        """The money has come: it moves in the ledger."""
        self.submit(payment)
        if payment.status != "submitted":
            return
        self._mandates.activate(payment.mandate)
        amount, currency = payment.request.amount_minor, payment.request.currency
        payment.capture = payment.id if payment.attempt == 1 else f"{payment.id}-{payment.attempt}"
        self._creditor.ledger.capture(payment.capture, payment.order_id, amount, currency, at_ns)
        self._earn(payment)
        self.tell(payment, "confirmed", Detail("gocardless", "payment_confirmed"))

    def pay_out(self, payment: Payment, at_ns: int) -> None:
        """A payout of this payment, less those corrections that it can bear, the oldest first."""
        self.confirm(payment, at_ns)
        if payment.status == "confirmed":
            self._pay([payment], [], at_ns)

    def pay_out_all(self, payments: list[Payment], arrival_day: int) -> list[Payout]:
        """A payout for each currency of these confirmed payments; they have not been sent yet."""
        by_currency: dict[str, list[Payment]] = {}
        for payment in payments:
            by_currency.setdefault(payment.request.currency, []).append(payment)
        return [self._include(group, [], arrival_day) for group in by_currency.values()]

    def settle(self, correction: Item, currency: str, at_ns: int) -> None:
        """A payout that holds this correction, with as many confirmed payments as it takes, the oldest first.

        Raises:
            GoCardlessError (422): there are not enough confirmed payments. GoCardless waits for them.
        """
        chosen: list[Payment] = []
        total = correction.amount_minor
        for payment in self._balance(currency).payments.values():
            if total >= 0 and chosen:
                break
            chosen.append(payment)
            total += sum(item.amount_minor for item in payment.items)
        if total < 0:
            raise invalid_state(
                "balance_insufficient", "The confirmed payments do not cover this; confirm more first"
            )
        self._pay(chosen, [correction], at_ns)

    def fall_through(self, payment: Payment, at_ns: int) -> None:
        """The bank does not pay, or takes back what seemed paid; nothing when the payment is over already."""
        if payment.status in ("pending_submission", "submitted"):
            self.fail(payment)
        elif payment.status in ("confirmed", "paid_out"):
            self.fail_late(payment, at_ns)

    def fail(self, payment: Payment) -> None:
        """The bank did not pay."""
        self.submit(payment)
        payment.status = "failed"
        cause, code = payment.mandate.scheme.failure
        self.tell(payment, "failed", Detail("bank", cause, payment.mandate.scheme.name, code))

    def fail_late(self, payment: Payment, at_ns: int) -> Item | None:
        """The bank takes back what seemed paid. Returns what a payout has to deduct, if it was paid out."""
        debit = self._reverse(payment, "payment_failed", at_ns)
        payment.status = "failed"
        cause, code = payment.mandate.scheme.failure
        self.tell(payment, "failed", Detail("bank", cause, payment.mandate.scheme.name, code))
        return debit

    def charge_back(self, payment: Payment, at_ns: int) -> Item | None:
        """The payer fetched the money back. Returns what a payout has to deduct, if it was paid out."""
        debit = self._reverse(payment, "payment_charged_back", at_ns)
        payment.status = "charged_back"
        cause, code = payment.mandate.scheme.chargeback
        self.tell(payment, "charged_back", Detail("bank", cause, payment.mandate.scheme.name, code))
        return debit

    def cancel_chargeback(self, payment: Payment, at_ns: int) -> None:
        """The payer's bank has given the money back: the payment is paid out as before, or again."""
        request = payment.request
        reference = f"{_reversal(payment, 'payment_charged_back')}-returned"
        self._creditor.ledger.return_dispute(reference, payment.capture, request.amount_minor, at_ns)
        waiting = [item for item in payment.debits if self.forget(request.currency, item)]
        if payment.debits and len(waiting) == len(payment.debits):
            payment.status = "paid_out"
        else:
            # A payout has deducted some of it: the rest is deducted, too, and the payment is paid out anew.
            for item in waiting:
                self.correct(request.currency, item)
            self._earn(payment)
        payment.debits = ()
        scheme = payment.mandate.scheme.name
        self.tell(payment, "chargeback_cancelled", Detail("bank", "chargeback_cancelled", scheme, "TEST"))

    # Money.

    def item(self, kind: str, amount_minor: int, payment: Payment, refund: str = "") -> Item:
        """A credit or debit; its identifier is new."""
        name = self._creditor.new_id("PI")
        now = stamp(self._creditor.clock)
        return Item(name, now, kind, amount_minor, payment.id, payment.mandate.id, refund)

    def correct(self, currency: str, item: Item) -> Item:
        """Have a later payout deduct or give back this."""
        self._balance(currency).corrections[item.id] = item
        return item

    def forget(self, currency: str, item: Item) -> bool:
        """Drop a correction. Returns False when a payout holds it already."""
        return self._balance(currency).corrections.pop(item.id, None) is not None

    def is_waiting(self, currency: str, item: Item) -> bool:
        """Whether a correction still waits for a payout."""
        return item.id in self._balance(currency).corrections

    def _reverse(self, payment: Payment, kind: str, at_ns: int) -> Item | None:
        request = payment.request
        payment.reversals += 1
        reference = _reversal(payment, kind)
        self._creditor.ledger.dispute(reference, payment.capture, request.amount_minor, at_ns)
        if self._balance(request.currency).payments.pop(payment.id, None) is not None:
            payment.items = payment.debits = ()
            return None
        back = self.correct(request.currency, self.item("gocardless_fee", fee(request.amount_minor), payment))
        debit = self.correct(request.currency, self.item(kind, -request.amount_minor, payment))
        payment.debits = (back, debit)
        return debit

    def _earn(self, payment: Payment) -> None:
        amount = payment.request.amount_minor
        payment.items = (
            self.item("payment_paid_out", amount, payment),
            self.item("gocardless_fee", -fee(amount), payment),
        )
        self._balance(payment.request.currency).payments[payment.id] = payment
        payment.status = "confirmed"

    def _pay(self, payments: list[Payment], first: list[Item], at_ns: int) -> None:
        self._payouts.send(self._include(payments, first), at_ns)

    def _include(self, payments: list[Payment], first: list[Item], arrival_day: int | None = None) -> Payout:
        currency = payments[0].request.currency
        balance = self._balance(currency)
        items = [item for payment in payments for item in payment.items] + first
        left = sum(item.amount_minor for item in items)
        for item in (*balance.corrections.values(),):
            if item not in first and left + item.amount_minor >= 0:
                items.append(item)
                left += item.amount_minor
        payout = self._payouts.create(currency, tuple(items), arrival_day)
        for payment in payments:
            del balance.payments[payment.id]
            payment.items, payment.payout, payment.status = (), payout.id, "paid_out"
            self.tell(payment, "paid_out", Detail("gocardless", "payment_paid_out"), {"payout": payout.id})
        for item in items:
            if balance.corrections.pop(item.id, None) is not None:
                self._settled(item, payout.id)
        return payout

    def _settled(self, item: Item, payout: str) -> None:
        events = self._creditor.events
        links = {"payment": item.payment, "payout": payout}
        payment = self.all.get(item.payment)
        if item.type == "payment_failed":
            self.tell(payment, "late_failure_settled", Detail("gocardless", "late_failure_settled"), links)
        elif item.type == "payment_charged_back":
            self.tell(payment, "chargeback_settled", Detail("gocardless", "chargeback_settled"), links)
        elif item.type == "payment_refunded":
            links = {"refund": item.refund, "payout": payout}
            events.add("refunds", "refund_settled", Detail("gocardless", "refund_settled"), links, {})
        elif item.type == "refund_funds_returned" and not item.told:
            links = {"refund": item.refund, "payout": payout}
            detail = Detail("gocardless", "refund_funds_returned")
            events.add("refunds", "funds_returned", detail, links, {})

    def _charge_day(self, mandate: Mandate, asked: int | None, fields: Fields) -> int:
        earliest = self._mandates.next_charge_day(mandate)
        if asked is not None and asked < earliest:
            fields.wrong("charge_date", "must be on or after the mandate's next_possible_charge_date")
        fields.done()
        # Published: a day that is free is rolled forward.
        return earliest if asked is None else working_days.roll_forward(asked)

    def _balance(self, currency: str) -> Balance:
        return self._balances.setdefault(currency, Balance())

    def _cancelled(self, payment: Payment, detail: Detail, parent: Event | None = None) -> None:
        payment.mandate.pending.pop(payment.id, None)
        payment.status = "cancelled"
        self.tell(payment, "cancelled", detail, parent=parent)

    # What is seen of it.

    def tell(
        self,
        payment: Payment,
        action: str,
        detail: Detail,
        links: dict[str, str] | None = None,
        parent: Event | None = None,
    ) -> None:
        """An event of a payment."""
        own = {"payment": payment.id, **(links or {})}
        self._creditor.events.add("payments", action, detail, own, payment.metadata, parent)

    def page(self, asked: Query) -> dict[str, Any]:
        wanted = asked.filters

        def fits(payment: Payment) -> bool:
            mandate = payment.mandate
            return (
                wanted.get("status") in (None, payment.status)
                and wanted.get("mandate") in (None, mandate.id)
                and wanted.get("customer") in (None, mandate.account.customer.id)
                and wanted.get("creditor") in (None, self._creditor.id)
                and wanted.get("currency") in (None, payment.request.currency)
            )

        return self.all.page(asked, fits)

    def _body(self, payment: Payment) -> dict[str, Any]:
        request = payment.request
        links = {"mandate": payment.mandate.id, "creditor": self._creditor.id}
        if payment.payout:
            links["payout"] = payment.payout
        return {
            "id": payment.id,
            "created_at": timestamp(payment.created),
            "charge_date": working_days.text(payment.charge_day),
            "amount": request.amount_minor,
            "description": request.description or None,
            "currency": request.currency,
            "status": payment.status,
            "amount_refunded": payment.refunded_minor,
            "reference": request.reference or None,
            "metadata": payment.metadata,
            "retry_if_possible": request.retry_if_possible,
            "scheme": payment.mandate.scheme.name,
            "fx": NO_FX,
            "links": links,
        }


def _reversal(payment: Payment, kind: str) -> str:
    """The ledger's reference of the last time that its money was fetched back."""
    again = f"-{payment.reversals}" if payment.reversals > 1 else ""
    return f"{payment.capture}-{kind}{again}"
