"""What happens by itself: mandates, payments, refunds and payouts on the days of their scheme's timeline.

GoCardless' documentation of its sandbox promises nothing of the kind: there, scenario simulators and
customers with certain names move things. So that is what happens here unless timed settlement is asked for.
With it, the simulators still move things at once; what they have moved past a step does not take it again.
"""

from __future__ import annotations

import time
from typing import Any

from mocks.gateways.gocardless import working_days
from mocks.gateways.gocardless.creditor import Creditor
from mocks.gateways.gocardless.diary import Diary
from mocks.gateways.gocardless.fates import FATES, ORDINARY, SOON_S, Fate
from mocks.gateways.gocardless.mandates import UNBORN, Mandate, Mandates
from mocks.gateways.gocardless.payment import Payment
from mocks.gateways.gocardless.payments import Payments
from mocks.gateways.gocardless.payouts import Payout, Payouts
from mocks.gateways.gocardless.refunds import Refund, Refunds

SUBMITTED_HOUR = working_days.CUT_OFF_HOUR
REPORTED_HOUR = 12
"""When the banks' answers are in: mandates are active, payments are confirmed or have failed."""

PAID_HOUR = 14
"""When payouts arrive. The hours are those published for the UK, taken for every scheme."""

PAYOUT_HOUR = 9
"""When a payout is made up, on the day on which it arrives (assumed)."""

LATE_DAYS = 2
"""Working days from the confirmation of a payment to its late failure (assumed)."""

CHARGEBACK_DAYS = 2
"""Working days from a payout to the chargeback of one of its payments (assumed)."""

REFUND_DAYS = 2
"""Working days that a refund takes to its customer (published for the UK)."""


class Settlement:
    """Moves what is due.

    Attributes:
        timed: Whether time moves things; else customers' names do, and the simulators.
    """

    def __init__(
        self, creditor: Creditor, mandates: Mandates, payments: Payments, refunds: Refunds, payouts: Payouts
    ) -> None:
        self.timed = False
        self._clock = creditor.clock
        self._mandates = mandates
        self._payments = payments
        self._refunds = refunds
        self._payouts = payouts
        self.diary = Diary(creditor.clock)

    # What is to come of what was created.

    def mandate_created(self, mandate: Mandate) -> None:
        """Enter the mandate's way to its activation, if it goes there by itself. To be called again when it
        has been reinstated."""
        if not self.timed:
            if _given_name(mandate) in FATES:
                self.diary.enter(self._clock.now() + SOON_S, self._named_mandates, mandate)
        elif not mandate.scheme.with_first_payment:
            day = working_days.taken_on(self._clock.now())
            self.diary.enter(working_days.at(day, SUBMITTED_HOUR), self._submit_mandates, mandate)
            active = working_days.later(day, mandate.scheme.days.mandate)
            self.diary.enter(working_days.at(active, REPORTED_HOUR), self._activate_mandates, mandate)

    def payment_created(self, payment: Payment) -> None:
        """Enter the payment's way. To be called again when it is retried."""
        if self.timed:
            days = payment.mandate.scheme.days
            day = working_days.later(payment.charge_day, days.submitted - days.charged)
            self._enter(payment, working_days.at(day, SUBMITTED_HOUR), self._submit)
        elif _given_name(payment.mandate) in FATES:
            self._enter(payment, self._clock.now() + SOON_S, self._named_payments)

    def refund_created(self, refund: Refund) -> None:
        """Enter the refund's way to its customer."""
        if self.timed:
            day = working_days.taken_on(self._clock.now())
            self.diary.enter(working_days.at(day, SUBMITTED_HOUR), self._submit_refunds, refund)
            paid = working_days.later(day, REFUND_DAYS)
            self.diary.enter(working_days.at(paid, REPORTED_HOUR), self._pay_refunds, refund)

    def _enter(self, payment: Payment, due: float, step: Any) -> None:
        payment.due = due
        self.diary.enter(due, step, payment)

    # What happens soon, by name.

    def _named_mandates(self, due: float, mandates: list[Mandate]) -> None:
        for mandate in mandates:
            if mandate.status not in UNBORN:
                continue
            if _fate(mandate).mandate == "active":
                self._mandates.activate(mandate)
            else:
                self._payments.cancel_of(mandate, self._mandates.fail(mandate))

    def _named_payments(self, due: float, payments: list[Payment]) -> None:
        at_ns = time.monotonic_ns()
        for payment in payments:
            if payment.due != due or payment.status != "pending_submission":
                continue
            fate = _fate(payment.mandate).payment
            if fate == "failed":
                self._payments.fail(payment)
            elif fate == "late_failure":
                self._payments.confirm(payment, at_ns)
                self._payments.fail_late(payment, at_ns)
            else:
                self._payments.pay_out(payment, at_ns)
                if fate == "charged_back":
                    self._payments.charge_back(payment, at_ns)

    # The timeline of mandates and refunds.

    def _submit_mandates(self, due: float, mandates: list[Mandate]) -> None:
        for mandate in mandates:
            self._mandates.submit(mandate)

    def _activate_mandates(self, due: float, mandates: list[Mandate]) -> None:
        for mandate in mandates:
            if mandate.status != "submitted":
                continue
            if _fate(mandate).mandate == "active":
                self._mandates.activate(mandate)
            else:
                self._payments.cancel_of(mandate, self._mandates.fail(mandate))

    def _submit_refunds(self, due: float, refunds: list[Refund]) -> None:
        for refund in refunds:
            self._refunds.submit(refund)

    def _pay_refunds(self, due: float, refunds: list[Refund]) -> None:
        for refund in refunds:
            if refund.status == "submitted":
                self._refunds.pay(refund)

    # The timeline of payments. A step that is no longer the payment's next one does nothing: something else
    # has moved it meanwhile.

    def _submit(self, due: float, payments: list[Payment]) -> None:
        for payment in payments:
            if payment.due != due or payment.status != "pending_submission":
                continue
            scheme = payment.mandate.scheme
            day = int(due // working_days.DAY_S)
            if payment.mandate.status != "active" and not scheme.with_first_payment:
                # The mandate is on its way to the banks again: the payment waits for it.
                self._enter(
                    payment, working_days.at(working_days.later(day, 1), SUBMITTED_HOUR), self._submit
                )
                continue
            self._payments.submit(payment)
            told = working_days.later(day, scheme.days.confirmed - scheme.days.submitted)
            self._enter(payment, working_days.at(told, REPORTED_HOUR), self._report)

    def _report(self, due: float, payments: list[Payment]) -> None:
        at_ns = time.monotonic_ns()
        for payment in payments:
            if payment.due != due or payment.status != "submitted":
                continue
            fate = _fate(payment.mandate)
            if fate.payment == "failed":
                self._payments.fail(payment)
                continue
            self._payments.confirm(payment, at_ns)
            day, days = int(due // working_days.DAY_S), payment.mandate.scheme.days
            if fate.payment == "late_failure":
                failed = working_days.later(day, LATE_DAYS)
                self._enter(payment, working_days.at(failed, REPORTED_HOUR), self._fail_late)
            else:
                paid = working_days.later(day, days.paid_out - days.confirmed)
                self._enter(payment, working_days.at(paid, PAYOUT_HOUR), self._pay_out)

    def _pay_out(self, due: float, payments: list[Payment]) -> None:
        day = int(due // working_days.DAY_S)
        ready = [payment for payment in payments if payment.due == due and payment.status == "confirmed"]
        for payout in self._payments.pay_out_all(ready, day):
            self.diary.enter(working_days.at(day, PAID_HOUR), self._arrive, payout)
        for payment in ready:
            if _fate(payment.mandate).payment == "charged_back":
                back = working_days.later(day, CHARGEBACK_DAYS)
                self._enter(payment, working_days.at(back, REPORTED_HOUR), self._charge_back)

    def _arrive(self, due: float, payouts: list[Payout]) -> None:
        at_ns = time.monotonic_ns()
        for payout in payouts:
            self._payouts.send(payout, at_ns)

    def _fail_late(self, due: float, payments: list[Payment]) -> None:
        at_ns = time.monotonic_ns()
        for payment in payments:
            if payment.due == due and payment.status in ("confirmed", "paid_out"):
                self._payments.fail_late(payment, at_ns)

    def _charge_back(self, due: float, payments: list[Payment]) -> None:
        at_ns = time.monotonic_ns()
        for payment in payments:
            if payment.due == due and payment.status == "paid_out":
                self._payments.charge_back(payment, at_ns)


def _given_name(mandate: Mandate) -> str:
    return mandate.account.customer.texts["given_name"]


def _fate(mandate: Mandate) -> Fate:
    return FATES.get(_given_name(mandate), ORDINARY)
