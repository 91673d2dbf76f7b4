"""Disputes: chargebacks from their announcement to the issuer's last word, by the mock's clock.

The events and the values of ``disputeStatus`` are those of Adyen's published webhook specification and of
"Dispute webhooks"; which value goes with which event is second-hand except for INFORMATION_SUPPLIED (Pending)
and DISPUTE_DEFENSE_PERIOD_ENDED (Lost). How long a merchant may defend itself, and how long an issuer may
think about it, differs by card scheme; the times here are assumptions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from mocks.gateways.adyen.amounts import Amount
from mocks.gateways.adyen.bank_account import METHOD as SEPA
from mocks.gateways.adyen.notifications import EventCode, Notice
from mocks.gateways.adyen.payment import Payment
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock, Timer

_DAY = 86_400
DEFENSE_S = 14 * _DAY
"""Seconds of the mock's clock in which a chargeback can be defended (assumed)."""

ISSUER_S = 30 * _DAY
"""Seconds of the mock's clock after which an issuer's silence means that it accepts the defense (assumed)."""

REASONS = {
    "10.4": "Other Fraud-Card Absent Environment",
    "13.3": "Not as Described or Defective Merchandise/Services",
}
"""The scheme's code -> its meaning, as far as the published examples tell it."""

REVERSED = "-reversed"
SECOND = "-second"
"""What stands behind a dispute's reference when the ledger has its reversal, and its second chargeback."""

Status = Literal["Undefended", "Pending", "Accepted", "Lost", "Won"]


class Dispute:
    """One dispute.

    Attributes:
        psp_reference: Its own, the same in all its events.
        payment: What is disputed.
        capture: The ledger's reference of the disputed capture.
        amount: What was charged back.
        ends: When its defense period ends, in Unix seconds.
        status: As the webhooks tell it.
        defendable: A SEPA direct debit cannot be defended ("SEPA chargebacks").
        documents: The types of the documents that were supplied for its defense.
    """

    __slots__ = ("amount", "capture", "defendable", "documents", "ends", "payment", "psp_reference", "status")

    def __init__(self, psp_reference: str, payment: Payment, capture: str, amount: Amount, ends: int) -> None:
        self.psp_reference = psp_reference
        self.payment = payment
        self.capture = capture
        self.amount = amount
        self.ends = ends
        self.status: Status = "Undefended"
        self.defendable = payment.request.method != SEPA
        self.documents: set[str] = set()


class Disputes:
    """All disputes of one gateway, by pspReference.

    In the ledger a chargeback is a ``dispute``, its reversal one of the negative amount.

    Args:
        ledger: Where the money moves.
        new_reference: Makes pspReferences.
        tell: Takes what the merchant is to be told.
        clock: The mock's; times the end of the defense and of the issuer's time.
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
        self._by_reference: dict[str, Dispute] = {}
        self._timers: dict[str, Timer] = {}

    def find(self, psp_reference: str) -> Dispute | None:
        return self._by_reference.get(psp_reference)

    def begin(self, payment: Payment, capture: str, amount: Amount, at_ns: int) -> None:
        """The shopper disputes a capture. The stages that the payment's trigger names come at once; in
        reality weeks lie between. What the trigger leaves open waits for the merchant until the defense
        period ends."""
        ends = self._clock.unix() + DEFENSE_S
        dispute = Dispute(self._new_reference(), payment, capture, amount, ends)
        self._by_reference[dispute.psp_reference] = dispute
        self._say(dispute, "NOTIFICATION_OF_CHARGEBACK")
        self._ledger.dispute(dispute.psp_reference, capture, amount.value, at_ns)
        self._say(dispute, "CHARGEBACK")
        stages = payment.request.trigger.disputes
        if "CHARGEBACK_REVERSED" not in stages:
            self._after(dispute, DEFENSE_S, self._expire)
            return
        self._reverse(dispute, at_ns)
        if "SECOND_CHARGEBACK" in stages:
            self._charge_back_again(dispute, at_ns)

    def defend(self, dispute: Dispute, at_ns: int) -> None:
        """The merchant has defended it: the money is back until the issuer has decided."""
        dispute.status = "Pending"
        self._say(dispute, "INFORMATION_SUPPLIED")
        self._reverse(dispute, at_ns)

    def accept(self, dispute: Dispute) -> None:
        """The merchant will not defend it, which ends the defense period."""
        self._stop(dispute)
        dispute.status = "Accepted"
        self._say(dispute, "DISPUTE_DEFENSE_PERIOD_ENDED")

    def _reverse(self, dispute: Dispute, at_ns: int) -> None:
        dispute.status = "Pending"
        reference = f"{dispute.psp_reference}{REVERSED}"
        self._ledger.return_dispute(reference, dispute.capture, dispute.amount.value, at_ns)
        self._say(dispute, "CHARGEBACK_REVERSED")
        self._after(dispute, ISSUER_S, self._win)

    def _charge_back_again(self, dispute: Dispute, at_ns: int) -> None:
        self._stop(dispute)
        dispute.status = "Lost"
        reference = f"{dispute.psp_reference}{SECOND}"
        self._ledger.dispute(reference, dispute.capture, dispute.amount.value, at_ns)
        self._say(dispute, "SECOND_CHARGEBACK")

    def _expire(self, dispute: Dispute) -> None:
        dispute.status = "Lost"
        self._say(dispute, "DISPUTE_DEFENSE_PERIOD_ENDED")

    def _win(self, dispute: Dispute) -> None:
        dispute.status = "Won"
        self._say(dispute, "ISSUER_RESPONSE_TIMEFRAME_EXPIRED")

    def _after(self, dispute: Dispute, seconds: float, step: Callable[[Dispute], None]) -> None:
        self._stop(dispute)

        def fire() -> None:
            del self._timers[dispute.psp_reference]
            step(dispute)

        self._timers[dispute.psp_reference] = self._clock.call_later(seconds, fire)

    def _stop(self, dispute: Dispute) -> None:
        timer = self._timers.pop(dispute.psp_reference, None)
        if timer is not None:
            timer.cancel()

    def _say(self, dispute: Dispute, code: EventCode) -> None:
        request = dispute.payment.request
        reason_code = request.trigger.reason_code
        additional = [
            ("capturePspReference", dispute.capture),
            ("chargebackSchemeCode", request.brand),
            ("defendable", "true" if dispute.defendable and dispute.status == "Undefended" else "false"),
            ("defensePeriodEndsAt", datetime.fromtimestamp(dispute.ends, UTC).isoformat()),
            ("disputeStatus", dispute.status),
        ]
        if reason_code:
            additional.append(("chargebackReasonCode", reason_code))
        self._tell(
            Notice(
                code,
                dispute.psp_reference,
                dispute.payment.psp_reference,
                request.merchant,
                request.reference,
                dispute.amount,
                True,
                REASONS.get(reason_code, "Dispute"),
                request.brand,
                tuple(additional),
            )
        )
