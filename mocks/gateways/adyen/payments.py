"""Payments: what a request comes to, and the life of a payment until its capture."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import orjson

from mocks.gateways.adyen import cards
from mocks.gateways.adyen.amounts import Amount, Body
from mocks.gateways.adyen.errors import invalid
from mocks.gateways.adyen.notifications import EventCode, Notice
from mocks.gateways.adyen.request import PaymentRequest
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock
from mocks.reply import Reply

PENDING_S = 60.0
"""Seconds of the mock's clock after which a pending payment is authorised (assumed)."""

Status = Literal["pending", "authorised", "captured", "cancelled", "refused"]


class Payment:
    """A payment that Adyen has a result for, or will have.

    Attributes:
        psp_reference: Adyen's own id of it.
        request: What was asked for.
        status: ``refused`` stands for a capture that the card scheme rejected, too.
    """

    __slots__ = ("psp_reference", "request", "status")

    def __init__(self, psp_reference: str, request: PaymentRequest, status: Status) -> None:
        self.psp_reference = psp_reference
        self.request = request
        self.status = status


class Payments:
    """The payments of one gateway that were not refused, by pspReference.

    Args:
        ledger: Where captures are booked, under the payment's own pspReference: there is one of a payment.
        new_reference: Makes pspReferences.
        tell: Takes what the merchant is to be told.
        clock: The mock's; times what comes later.
    """

    def __init__(
        self,
        ledger: Ledger,
        new_reference: Callable[[], str],
        tell: Callable[[Notice], object],
        clock: MockClock,
    ) -> None:
        self._ledger = ledger
        self._new_reference = new_reference
        self._tell = tell
        self._clock = clock
        self._by_reference: dict[str, Payment] = {}
        self._uncaptured: dict[str, Payment] = {}

    def find(self, psp_reference: str) -> Payment:
        """Raises AdyenError (422/167) when there is none."""
        if psp_reference not in self._by_reference:
            raise invalid("167", "Original pspReference required for this operation")
        return self._by_reference[psp_reference]

    def uncaptured(self, merchant_reference: str) -> Payment | None:
        """The newest payment with the merchant's reference that waits for its capture."""
        return self._uncaptured.get(merchant_reference)

    def make(self, psp_reference: str, request: PaymentRequest, at_ns: int) -> Reply:
        """Ask the bank: the moment at which money moves, unless its capture is apart. A refusal is HTTP 200
        too."""
        refusal = request.trigger.refusal
        if refusal is not None:
            return self.refuse(psp_reference, request, refusal)
        payment = self._by_reference[psp_reference] = Payment(psp_reference, request, "pending")
        if request.trigger.pending:
            self._clock.call_later(PENDING_S, lambda: self.settle(payment, None, time.monotonic_ns()))
            body = _result(psp_reference, request, "Pending")
            return Reply(200, orjson.dumps(body), "processing")
        self._authorise(payment, at_ns)
        body = _result(psp_reference, request, "Authorised")
        return Reply(200, orjson.dumps(body), "succeeded")

    def refuse(self, psp_reference: str, request: PaymentRequest, refusal: cards.Refusal) -> Reply:
        """Answer, and tell, that the payment was not authorised."""
        notice = Notice(
            "AUTHORISATION",
            psp_reference,
            "",
            request.merchant,
            request.reference,
            request.amount,
            False,
            refusal.reason,
            request.brand,
        )
        self._tell(notice)
        body: Body = {
            "pspReference": psp_reference,
            "merchantReference": request.reference,
            "resultCode": refusal.result,
            "refusalReason": refusal.reason,
            "refusalReasonCode": refusal.code,
        }
        if refusal.raw:
            body["additionalData"] = {"refusalReasonRaw": refusal.raw}
        return Reply(200, orjson.dumps(body), "error" if refusal.result == "Error" else "declined")

    def settle(self, payment: Payment, refusal: cards.Refusal | None, at_ns: int) -> None:
        """The result of a pending payment has come: a refusal, or None for its authorisation. Does nothing
        when it has come before."""
        if payment.status != "pending":
            return
        if refusal is None:
            self._authorise(payment, at_ns)
        else:
            payment.status = "refused"
            self.refuse(payment.psp_reference, payment.request, refusal)

    def capture(self, payment: Payment, reference: str, amount: Amount, at_ns: int) -> bool:
        """Take the money of an authorised payment, or a part of it; the rest is given up.

        ``reference`` is the pspReference of the capture. Returns whether the card scheme let it.
        """
        request = payment.request
        self._close(payment)
        if request.trigger.capture_fails:
            payment.status = "refused"
            self.tell(payment, "CAPTURE_FAILED", reference, amount, reason="Capture Failed")
            return False
        payment.status = "captured"
        self._ledger.capture(payment.psp_reference, request.reference, amount.value, amount.currency, at_ns)
        if request.trigger.disputes:
            self._dispute(payment, amount, at_ns)
        return True

    def cancel(self, payment: Payment) -> None:
        """Give up an authorised payment that is not captured."""
        payment.status = "cancelled"
        self._close(payment)

    def tell(
        self,
        payment: Payment,
        code: EventCode,
        reference: str,
        amount: Amount,
        *,
        success: bool = True,
        reason: str = "",
        additional: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Tell the merchant what became of a payment after its authorisation."""
        request = payment.request
        original = payment.psp_reference
        self._tell(
            Notice(
                code,
                reference,
                original,
                request.merchant,
                request.reference,
                amount,
                success,
                reason,
                request.brand,
                additional,
            )
        )

    def _authorise(self, payment: Payment, at_ns: int) -> None:
        request = payment.request
        payment.status = "authorised"
        self._tell(
            Notice(
                "AUTHORISATION",
                payment.psp_reference,
                "",
                request.merchant,
                request.reference,
                request.amount,
                True,
                "",
                request.brand,
            )
        )
        if not request.manual and request.delay_hours == 0:
            self._capture_by_itself(payment, at_ns)
            return
        self._uncaptured[request.reference] = payment
        if not request.manual:
            delay_s = request.delay_hours * 3600
            self._clock.call_later(delay_s, lambda: self._capture_by_itself(payment, time.monotonic_ns()))

    def _close(self, payment: Payment) -> None:
        # The same reference may have been used for another payment since.
        if self._uncaptured.get(payment.request.reference) is payment:
            del self._uncaptured[payment.request.reference]

    def _capture_by_itself(self, payment: Payment, at_ns: int) -> None:
        """Automatic capture. That no CAPTURE webhook tells of it is second-hand."""
        if payment.status == "authorised":
            fails = payment.request.trigger.capture_fails
            reference = self._new_reference() if fails else payment.psp_reference
            self.capture(payment, reference, payment.request.amount, at_ns)

    def _dispute(self, payment: Payment, amount: Amount, at_ns: int) -> None:
        """The chargebacks that the payment's trigger asks for, at once; in reality weeks lie between.

        The ledger shows the end: money that went back to the shopper and stayed there.
        """
        trigger = payment.request.trigger
        reference = self._new_reference()
        additional = (("chargebackReasonCode", trigger.reason_code),) if trigger.reason_code else ()
        for code in trigger.disputes:
            self.tell(payment, code, reference, amount, additional=additional)
        if trigger.disputes[-1] != "CHARGEBACK_REVERSED":
            self._ledger.dispute(reference, payment.psp_reference, amount.value, at_ns)


def _result(psp_reference: str, request: PaymentRequest, result_code: str) -> Body:
    method = {"type": request.method}
    if request.method == "scheme":
        method["brand"] = request.brand
    return {
        "pspReference": psp_reference,
        "merchantReference": request.reference,
        "resultCode": result_code,
        "amount": request.amount.body(),
        "paymentMethod": method,
    }
