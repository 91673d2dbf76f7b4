"""Payments: what a request comes to, and the life of a payment until its capture."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from mocks.gateways.adyen import cards
from mocks.gateways.adyen.amounts import Amount, Body
from mocks.gateways.adyen.bank_account import METHOD as SEPA
from mocks.gateways.adyen.disputes import Disputes
from mocks.gateways.adyen.errors import invalid
from mocks.gateways.adyen.notifications import EventCode, Notice
from mocks.gateways.adyen.payment import Payment
from mocks.gateways.adyen.request import PaymentRequest
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock
from mocks.reply import Reply

FAILED = "-failed"
"""What stands behind a capture's reference when the ledger gives the money of it back."""

PENDING_S = 60.0
"""Seconds of the mock's clock after which a pending payment is authorised (assumed)."""

DEBIT_S = 86_400.0
"""Seconds of the mock's clock from a SEPA direct debit to its authorisation or refusal (second-hand: a day or
so)."""


class Payments:
    """The payments of one gateway that were not refused, by pspReference.

    Args:
        ledger: Where captures are booked: under the payment's own pspReference where there can be one only,
            else each under its own.
        new_reference: Makes pspReferences.
        tell: Takes what the merchant is to be told.
        clock: The mock's; times what comes later.
        disputes: Takes the captures that are disputed.

    Attributes:
        storm: How every payment is refused while it is set, whatever it asks for.
    """

    def __init__(
        self,
        ledger: Ledger,
        new_reference: Callable[[], str],
        tell: Callable[[Notice], object],
        clock: MockClock,
        disputes: Disputes,
    ) -> None:
        self._ledger = ledger
        self._new_reference = new_reference
        self._tell = tell
        self._clock = clock
        self._disputes = disputes
        self._by_reference: dict[str, Payment] = {}
        self._by_capture: dict[str, Payment] = {}
        self._uncaptured: dict[str, Payment] = {}
        self.storm: cards.Refusal | None = None

    def find(self, psp_reference: str) -> Payment:
        """Raises AdyenError (422/167) when there is none."""
        if psp_reference not in self._by_reference:
            raise invalid("167", "Original pspReference required for this operation")
        return self._by_reference[psp_reference]

    def of_capture(self, reference: str) -> Payment:
        """The payment of a capture, by the ledger's reference of it. Raises KeyError when there is none."""
        return self._by_capture.get(reference) or self._by_reference[reference]

    def uncaptured(self, merchant_reference: str) -> Payment | None:
        """The newest payment with the merchant's reference that waits for its capture."""
        return self._uncaptured.get(merchant_reference)

    def make(self, psp_reference: str, request: PaymentRequest, at_ns: int) -> Reply:
        """Ask the bank: the moment at which money moves, unless its capture is apart. A refusal is HTTP 200
        too."""
        refusal = self.storm or request.trigger.refusal
        if request.method == SEPA:
            return self._debit(psp_reference, request, refusal)
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

    def charge_back(self, payment: Payment, at_ns: int) -> None:
        """The shopper disputes the newest capture of a payment; without one nothing happens."""
        if payment.captures:
            capture = payment.captures[-1]
            left = self._ledger.refundable(capture)
            if left > 0:
                self._disputes.begin(payment, capture, Amount(payment.request.amount.currency, left), at_ns)

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

    def capture(
        self, payment: Payment, reference: str, amount: Amount, at_ns: int, *, more: bool = False
    ) -> bool:
        """Take the money of an authorised payment, or a part of it.

        Args:
            payment: What is authorised.
            reference: The pspReference of the capture.
            amount: At most what is authorised and not captured.
            at_ns: The moment.
            more: Keep the rest for further captures; otherwise it is given up.

        Returns:
            Whether the card scheme let it.
        """
        request, booked = payment.request, reference if more else payment.psp_reference
        self._ledger.capture(booked, request.reference, amount.value, amount.currency, at_ns)
        if booked != payment.psp_reference:
            self._by_capture[booked] = payment
        trigger = request.trigger
        if trigger.capture_fails:
            # What the scheme rejects has been on its way to the merchant: it comes, and goes again.
            self._ledger.dispute(f"{booked}{FAILED}", booked, amount.value, at_ns)
            self._close(payment)
            payment.status = "refused"
            self.tell(payment, "CAPTURE_FAILED", reference, amount, reason="Capture Failed")
            return False
        payment.captures = (*payment.captures, booked)
        if not more or self.open_minor(payment) == 0:
            self._close(payment)
            payment.status = "captured"
        if trigger.disputes:
            self._disputes.begin(payment, booked, amount, at_ns)
        return True

    def open_minor(self, payment: Payment) -> int:
        """What of an authorised payment can still be captured."""
        return payment.authorised.value - sum(map(self._ledger.captured, payment.captures))

    def cancel(self, payment: Payment) -> None:
        """Give up what is not captured of an authorised payment."""
        payment.status = "captured" if payment.captures else "cancelled"
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

    def _debit(self, psp_reference: str, request: PaymentRequest, refusal: cards.Refusal | None) -> Reply:
        """Take a SEPA direct debit: what comes of it is told a day later."""
        payment = self._by_reference[psp_reference] = Payment(psp_reference, request, "pending")
        self._clock.call_later(DEBIT_S, lambda: self.settle(payment, refusal, time.monotonic_ns()))
        body = _result(psp_reference, request, "Received")
        body["additionalData"] = {
            f"{SEPA}.dateOfSignature": datetime.fromtimestamp(self._clock.unix(), UTC).date().isoformat(),
            f"{SEPA}.mandateId": psp_reference,
            f"{SEPA}.sequenceType": "OneOff",
        }
        return Reply(200, orjson.dumps(body), "processing")

    def _close(self, payment: Payment) -> None:
        # The same reference may have been used for another payment since.
        if self._uncaptured.get(payment.request.reference) is payment:
            del self._uncaptured[payment.request.reference]

    def _capture_by_itself(self, payment: Payment, at_ns: int) -> None:
        """Automatic capture. That no CAPTURE webhook tells of it is second-hand."""
        if payment.status == "authorised" and not payment.captures:
            fails = payment.request.trigger.capture_fails
            reference = self._new_reference() if fails else payment.psp_reference
            self.capture(payment, reference, payment.authorised, at_ns)


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
