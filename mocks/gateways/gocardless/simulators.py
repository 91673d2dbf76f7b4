"""The scenario simulators: what a test asks to happen.

The states in which each may start are those of GoCardless' documentation, with one liberty: a payment may be
anywhere on its way to the state that is asked for (``payment_paid_out`` of one that is ``confirmed``): no
time passes here that would take it there.
"""

from __future__ import annotations

from collections.abc import Callable

from mocks.gateways.gocardless.errors import invalid_state, usage
from mocks.gateways.gocardless.mandates import UNBORN, Mandate, Mandates
from mocks.gateways.gocardless.payment import Payment
from mocks.gateways.gocardless.payments import Payments
from mocks.gateways.gocardless.payouts import Payouts
from mocks.gateways.gocardless.refunds import Refund, Refunds
from mocks.gateways.gocardless.settlement import Settlement

KNOWN = frozenset({"links"})

_BEFORE_CONFIRMED = ("pending_submission", "submitted")
_BEFORE_PAID_OUT = (*_BEFORE_CONFIRMED, "confirmed")
_BEFORE_REVERSED = (*_BEFORE_PAID_OUT, "paid_out")


class Simulators:
    """All simulators by name; those of creditors and billing requests are left out. One is the mock's own:
    ``payment_chargeback_cancelled``, for an event that is published and that nothing else can bring about.
    Mandates are never ``pending_customer_approval`` here and none is of the scheme ``pay_to``, so that the
    simulators which need that refuse.

    That a resource in a wrong state is answered with ``invalid_state`` is second-hand, the reason
    ``simulator_invalid_state`` is assumed.
    """

    def __init__(
        self,
        mandates: Mandates,
        payments: Payments,
        refunds: Refunds,
        payouts: Payouts,
        settlement: Settlement,
    ) -> None:
        self._settlement = settlement
        self._mandates = mandates
        self._payments = payments
        self._refunds = refunds
        self._payouts = payouts
        self._all: dict[str, Callable[[str, int], str]] = {
            "payment_submitted": self._payment(("pending_submission",), self._submit),
            "payment_confirmed": self._payment(_BEFORE_CONFIRMED, payments.confirm),
            "payment_paid_out": self._payment(_BEFORE_PAID_OUT, payments.pay_out),
            "payment_failed": self._payment(_BEFORE_CONFIRMED, self._fail),
            "payment_charged_back": self._payment(_BEFORE_REVERSED, self._charge_back),
            "payment_chargeback_settled": self._payment(_BEFORE_REVERSED, self._charge_back_settled),
            "payment_late_failure": self._payment(_BEFORE_REVERSED, self._fail_late),
            "payment_late_failure_settled": self._payment(_BEFORE_REVERSED, self._fail_late_settled),
            "payment_chargeback_cancelled": self._payment(("charged_back",), payments.cancel_chargeback),
            "mandate_activated": self._mandate(UNBORN, self._activate),
            "mandate_failed": self._mandate(UNBORN, self._fail_mandate),
            "mandate_expired": self._mandate(("pending_submission", "active"), self._expire),
            "mandate_transferred": self._mandate(("pending_submission", "active"), self._transfer),
            "mandate_transferred_with_resubmission": self._mandate(
                ("pending_submission", "active"), self._transfer_anew
            ),
            "mandate_customer_approval_granted": self._never("pending_customer_approval"),
            "mandate_customer_approval_skipped": self._never("pending_customer_approval"),
            "mandate_suspended_by_payer": self._never("active and of the scheme pay_to"),
            "refund_paid": self._refund(lambda refund, at_ns: refunds.pay(refund)),
            "refund_settled": self._refund(refunds.settle),
            "refund_bounced": self._refund(refunds.bounce),
            "refund_returned": self._refund(refunds.give_back, ("pending_submission",)),
            "payout_bounced": self._bounce_payout,
        }

    def run(self, name: str, resource: str, at_ns: int) -> str:
        """Run one on a resource. Returns the order that it belongs to, empty if unknown.

        Raises:
            GoCardlessError: There is no such simulator or resource, or it is in no state for this.
        """
        simulator = self._all.get(name)
        if simulator is None:
            raise usage("resource_not_found", "Resource not found", 404)
        return simulator(resource, at_ns)

    # What each works on.

    def _payment(
        self, states: tuple[str, ...], act: Callable[[Payment, int], object]
    ) -> Callable[[str, int], str]:
        def run(resource: str, at_ns: int) -> str:
            payment = self._payments.all.linked(resource)
            _check(payment.status, states)
            scheme, mandate = payment.mandate.scheme, payment.mandate.status
            allowed = (*UNBORN, "active") if scheme.with_first_payment else ("active",)
            if payment.status == "pending_submission" and act != self._submit and mandate not in allowed:
                raise _wrong_state(f"The mandate is {mandate}")
            act(payment, at_ns)
            return payment.order_id

        return run

    def _mandate(self, states: tuple[str, ...], act: Callable[[Mandate], None]) -> Callable[[str, int], str]:
        def run(resource: str, at_ns: int) -> str:
            mandate = self._mandates.all.linked(resource)
            _check(mandate.status, states)
            act(mandate)
            return ""

        return run

    def _never(self, needed: str) -> Callable[[str, int], str]:
        def run(resource: str, at_ns: int) -> str:
            mandate = self._mandates.all.linked(resource)
            raise _wrong_state(f"The {mandate.scheme.name} mandate is {mandate.status}; it must be {needed}")

        return run

    def _refund(
        self,
        act: Callable[[Refund, int], None],
        states: tuple[str, ...] = ("pending_submission", "submitted", "paid"),
    ) -> Callable[[str, int], str]:
        def run(resource: str, at_ns: int) -> str:
            refund = self._refunds.all.linked(resource)
            _check(refund.status, states)
            act(refund, at_ns)
            return refund.payment.order_id

        return run

    # What each does.

    def _submit(self, payment: Payment, at_ns: int) -> None:
        self._payments.submit(payment)

    def _fail(self, payment: Payment, at_ns: int) -> None:
        self._payments.fail(payment)

    def _charge_back(self, payment: Payment, at_ns: int) -> None:
        self._payments.pay_out(payment, at_ns)
        self._payments.charge_back(payment, at_ns)

    def _charge_back_settled(self, payment: Payment, at_ns: int) -> None:
        self._payments.pay_out(payment, at_ns)
        debit = self._payments.charge_back(payment, at_ns)
        assert debit is not None
        self._payments.settle(debit, payment.request.currency, at_ns)

    def _fail_late(self, payment: Payment, at_ns: int) -> None:
        _check_scheme(payment.mandate, payment.mandate.scheme.name != "autogiro")
        self._payments.confirm(payment, at_ns)
        self._payments.fail_late(payment, at_ns)

    def _fail_late_settled(self, payment: Payment, at_ns: int) -> None:
        _check_scheme(payment.mandate, payment.mandate.scheme.name != "autogiro")
        self._payments.pay_out(payment, at_ns)
        debit = self._payments.fail_late(payment, at_ns)
        assert debit is not None
        self._payments.settle(debit, payment.request.currency, at_ns)

    def _activate(self, mandate: Mandate) -> None:
        if mandate.scheme.with_first_payment:
            raise _wrong_state(f"A {mandate.scheme.name} mandate is activated by its first payment")
        self._mandates.activate(mandate)

    def _fail_mandate(self, mandate: Mandate) -> None:
        if mandate.scheme.name == "sepa_core":
            raise _wrong_state("A sepa_core mandate fails with its first payment only")
        self._payments.cancel_of(mandate, self._mandates.fail(mandate))

    def _transfer(self, mandate: Mandate) -> None:
        _check_scheme(mandate, mandate.scheme.name in ("bacs", "sepa_core"))
        self._mandates.transfer(mandate, resubmit=False)

    def _transfer_anew(self, mandate: Mandate) -> None:
        _check_scheme(mandate, mandate.scheme.name == "bacs")
        self._mandates.transfer(mandate, resubmit=True)
        self._settlement.mandate_created(mandate)

    def _expire(self, mandate: Mandate) -> None:
        _check_scheme(mandate, mandate.scheme.expires)
        self._payments.cancel_of(mandate, self._mandates.expire(mandate))

    def _bounce_payout(self, resource: str, at_ns: int) -> str:
        payout = self._payouts.all.linked(resource)
        _check(payout.status, ("paid",))
        self._payouts.bounce(payout, at_ns)
        return ""


def _check(status: str, states: tuple[str, ...]) -> None:
    if status not in states:
        raise _wrong_state(f"The resource is {status}; it must be {' or '.join(states)}")


def _check_scheme(mandate: Mandate, fits: bool) -> None:
    if not fits:
        raise _wrong_state(f"The simulator does not go with {mandate.scheme.name} mandates")


def _wrong_state(message: str) -> Exception:
    return invalid_state("simulator_invalid_state", message)
