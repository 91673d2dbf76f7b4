"""Modifications: captures, cancellations, refunds and reversals of payments.

Adyen answers each with ``received``, whatever comes of it, and tells the outcome by webhook. Here the money
moves at once, so that the ledger shows the outcome when the answer goes out. The reasons of failures are
second-hand except the one that a payment is not captured, which is an example of the webhook specification.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from mocks.gateways.adyen.amounts import Amount, Body
from mocks.gateways.adyen.errors import invalid, merchant_refused, missing
from mocks.gateways.adyen.payment import Payment
from mocks.gateways.adyen.payments import Payments
from mocks.gateways.adyen.request import merchant_of
from mocks.ledger import Ledger
from mocks.reply import Reply

SEVERAL_CAPTURES = "_MultiplePartialCaptures"
"""Several partial captures of a payment are a setting of a merchant account, which Adyen's support switches
on. Here the accounts whose names end like this have it."""

RETURNED = "-returned"
"""What stands behind a refund's reference in the ledger when its money has come back."""

NOT_CAPTURED = "Transaction hasn't been captured, refund not possible"
NOT_OPEN = "Transaction not in a state to be captured or cancelled"
TOO_MUCH = "Insufficient balance on payment"


class Modifications:
    """The modifications of one gateway's payments.

    All methods that change a payment raise AdyenError: 403 when the merchant account is another one, 422/138
    when the currency is.

    Args:
        payments: The payments.
        ledger: Where refunds are booked.
        new_reference: Makes pspReferences.
    """

    def __init__(self, payments: Payments, ledger: Ledger, new_reference: Callable[[], str]) -> None:
        self._payments = payments
        self._ledger = ledger
        self._new_reference = new_reference

    def capture(self, payment: Payment, amount: Amount, body: Body, at_ns: int) -> Reply:
        """Capture an authorised payment or a part of it. What is left is given up, unless the account has
        several partial captures. A payment that is captured already is not charged again, and no capture
        goes beyond what is open: both are told as a CAPTURE without success."""
        _check(payment, body, amount)
        reference = self._new_reference()
        tell, several = self._payments.tell, payment.request.merchant.endswith(SEVERAL_CAPTURES)
        open_ = payment.status == "authorised"
        if not open_ or amount.value > self._payments.open_minor(payment):
            reason = TOO_MUCH if open_ else NOT_OPEN
            tell(payment, "CAPTURE", reference, amount, success=False, reason=reason)
            return _received(payment, reference, body, "error", amount)
        tell(payment, "CAPTURE", reference, amount)
        done = self._payments.capture(payment, reference, amount, at_ns, more=several)
        return _received(payment, reference, body, _moved(done), amount)

    def update_amount(self, payment: Payment, amount: Amount, body: Body) -> Reply:
        """Authorise another amount instead, as long as nothing is captured; the outcome is an
        AUTHORISATION_ADJUSTMENT webhook. That it takes a pre-authorisation is not looked at."""
        _check(payment, body, amount)
        reference = self._new_reference()
        done = payment.status == "authorised" and not payment.captures
        if done:
            payment.authorised = amount
        reason = "" if done else NOT_OPEN
        self._payments.tell(
            payment, "AUTHORISATION_ADJUSTMENT", reference, amount, success=done, reason=reason
        )
        return _received(payment, reference, body, _moved(done), amount)

    def cancel(self, payment: Payment, body: Body) -> Reply:
        """Cancel what is not captured of an authorised payment."""
        _check(payment, body)
        reference = self._new_reference()
        done = self._cancelled(payment)
        reason = "" if done else NOT_OPEN
        amount = payment.request.amount
        self._payments.tell(payment, "CANCELLATION", reference, amount, success=done, reason=reason)
        return _received(payment, reference, body, _moved(done))

    def cancel_by_reference(self, merchant: str, merchant_reference: str, body: Body) -> Reply:
        """Cancel a payment by the merchant's own reference; the outcome is a TECHNICAL_CANCEL webhook. An
        unknown reference is answered ``received``, too, and nothing is told of it (assumed)."""
        reference = self._new_reference()
        payment = self._payments.uncaptured(merchant_reference)
        done = payment is not None and payment.request.merchant == merchant and self._cancelled(payment)
        if payment is not None and done:
            self._payments.tell(payment, "TECHNICAL_CANCEL", reference, payment.request.amount)
        answer: Body = {
            "merchantAccount": merchant,
            "paymentReference": merchant_reference,
            "pspReference": reference,
            "status": "received",
        }
        return _answer(answer, body, _moved(done))

    def refund(self, payment: Payment, amount: Amount, body: Body, at_ns: int) -> Reply:
        """Give back what was captured or a part of it, the oldest capture first.

        A refund that the card scheme rejects (trigger ``refund failed``) is told as REFUND, then as
        REFUND_FAILED, at once; in reality days lie between. The ledger has the refund, and its return.
        """
        _check(payment, body, amount)
        reference = self._new_reference()
        reason = self._refunded(payment, reference, amount, at_ns)
        self._payments.tell(payment, "REFUND", reference, amount, success=not reason, reason=reason)
        if not reason:
            self._bounce(payment, reference, amount, at_ns)
        return _received(payment, reference, body, _moved(not reason), amount)

    def reverse(self, payment: Payment, body: Body, at_ns: int) -> Reply:
        """Cancel the payment if nothing of it is captured, otherwise refund all that is. Adyen asks not to
        reverse payments with several captures; what is open of one stays open here."""
        _check(payment, body)
        reference = self._new_reference()
        amount = payment.authorised
        if payment.captures:
            amount = Amount(amount.currency, sum(map(self._ledger.captured, payment.captures)))
            action, reason = "refund", self._refunded(payment, reference, amount, at_ns)
        else:
            action, reason = "cancel", "" if self._cancelled(payment) else NOT_OPEN
        self._payments.tell(
            payment,
            "CANCEL_OR_REFUND",
            reference,
            amount,
            success=not reason,
            reason=reason,
            additional=(("modification.action", action),),
        )
        if action == "refund" and not reason:
            self._bounce(payment, reference, amount, at_ns)
        return _received(payment, reference, body, _moved(not reason))

    def _cancelled(self, payment: Payment) -> bool:
        if payment.status != "authorised":
            return False
        self._payments.cancel(payment)
        return True

    def _refunded(self, payment: Payment, reference: str, amount: Amount, at_ns: int) -> str:
        """Why it cannot be refunded; empty when it has been."""
        if not payment.captures:
            return NOT_CAPTURED
        left = amount.value
        if left > sum(map(self._ledger.refundable, payment.captures)):
            return TOO_MUCH
        for number, capture in enumerate(payment.captures, 1):
            share = min(left, self._ledger.refundable(capture))
            if share:
                self._ledger.refund(_part(reference, number), capture, share, at_ns)
                left -= share
        return ""

    def _bounce(self, payment: Payment, reference: str, amount: Amount, at_ns: int) -> None:
        """The card scheme rejects the refund, if that is the payment's trigger."""
        if not payment.request.trigger.refund_fails:
            return
        left = amount.value
        for number, capture in enumerate(payment.captures, 1):
            # All refunds of such a payment come back, so that what is refunded of a capture is this one.
            share = min(left, self._ledger.refunded(capture))
            if share:
                self._ledger.return_refund(f"{_part(reference, number)}{RETURNED}", capture, share, at_ns)
                left -= share
        self._payments.tell(payment, "REFUND_FAILED", reference, amount, reason="Refund Failed")


def _part(reference: str, number: int) -> str:
    """The ledger's reference of a refund's share in the n-th capture; the first has that of the refund."""
    return reference if number == 1 else f"{reference}-{number}"


def payment_reference_of(body: Body) -> str:
    """The merchant's reference in a cancellation by it. Raises AdyenError (422/14_002)."""
    reference = body.get("paymentReference")
    if not isinstance(reference, str) or not reference:
        raise missing("paymentReference")
    return reference


def _check(payment: Payment, body: Body, amount: Amount | None = None) -> None:
    if merchant_of(body) != payment.request.merchant:
        raise merchant_refused()
    if amount is not None and amount.currency != payment.request.amount.currency:
        raise invalid("138", "Unsupported currency specified")


def _moved(done: bool) -> str:
    return "succeeded" if done else "error"


def _received(
    payment: Payment, reference: str, body: Body, result: str, amount: Amount | None = None
) -> Reply:
    answer: Body = {
        "merchantAccount": payment.request.merchant,
        "paymentPspReference": payment.psp_reference,
        "pspReference": reference,
        "status": "received",
    }
    if amount is not None:
        answer["amount"] = amount.body()
    return _answer(answer, body, result)


def _answer(answer: Body, body: Body, result: str) -> Reply:
    if isinstance(body.get("reference"), str):
        answer["reference"] = body["reference"]
    return Reply(201, orjson.dumps(answer), result)
