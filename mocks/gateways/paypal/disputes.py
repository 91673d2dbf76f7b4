"""All disputes of one gateway, and what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from mocks.gateways.paypal.dispute import Dispute
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.events import Events
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.money import Money
from mocks.gateways.paypal.payment import Capture
from mocks.gateways.paypal.payments import Payments
from mocks.gateways.paypal.triggers import LOSING_EVIDENCE, WINNING_EVIDENCE
from mocks.mock_clock import MockClock

ANSWER_S = 10 * 86_400.0
"""Seconds that a seller has to answer a claim; who does not answer loses. PayPal says ten days."""

REVIEW_S = 30 * 86_400.0
"""Seconds until PayPal has looked at the evidence and decides for the seller: PayPal says up to 30 days."""

_BUYER, _SELLER = "RESOLVED_BUYER_FAVOUR", "RESOLVED_SELLER_FAVOUR"
_WAITING, _REVIEW = "WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW"


class Disputes:
    """Claims that payers open against captures.

    A dispute begins as a claim (``dispute_life_cycle_stage`` CHARGEBACK) that waits for the seller. While it
    is open its money is withheld and does not move; it leaves by ``Payments.reverse`` when the payer wins.
    PayPal's fee for a dispute is left out.

    Args:
        payments: Whose captures are disputed.
        events: Is told of what happens.
        new_id: Makes the next id.
        clock: The mock's clock.
    """

    def __init__(
        self, payments: Payments, events: Events, new_id: Callable[[], str], clock: MockClock
    ) -> None:
        self._payments = payments
        self._events = events
        self._new_id = new_id
        self._clock = clock
        self._all: dict[str, Dispute] = {}
        self._of_capture: dict[str, str] = {}
        payments.disputed = self.begin
        payments.refunded = self._refunded
        payments.in_dispute = lambda capture: self._open_for(capture) is not None

    def __iter__(self) -> Iterator[Dispute]:
        return iter(self._all.values())

    def find(self, name: str) -> Dispute:
        """Raises PayPalError (404) when there is none."""
        if name not in self._all:
            raise PayPalError("INVALID_RESOURCE_ID")
        return self._all[name]

    def begin(self, capture: Capture, reason: str) -> None:
        """The payer of a capture wants back what is left of it."""
        now = self._clock.now()
        left = Money(capture.amount.currency, capture.amount.minor - capture.refunded)
        row = Dispute(self._new_id(), capture, reason, left, now, now, now + ANSWER_S, _WAITING)
        self._all[row.id] = row
        self._of_capture[capture.id] = row.id
        self._events.happened("CUSTOMER.DISPUTE.CREATED", row.body)
        self._await_answer(row)

    def provide_evidence(self, row: Dispute, evidences: tuple[Body, ...], at_ns: int) -> None:
        """The seller answers. Raises PayPalError (422) when no answer is awaited."""
        self._demand(row, _WAITING)
        row = self._change(row, status=_REVIEW, evidences=row.evidences + evidences)
        notes = " ".join(str(evidence.get("notes", "")) for evidence in evidences)
        if LOSING_EVIDENCE in notes:
            self._resolve(row, _BUYER, row.amount, at_ns)
        elif WINNING_EVIDENCE in notes:
            self._resolve(row, _SELLER, None, at_ns)
        else:
            self._clock.call_later(REVIEW_S, lambda: self._unless_changed(row, _SELLER))

    def accept(self, row: Dispute, amount: Money | None, at_ns: int) -> None:
        """The seller gives in, and the payer gets ``amount`` or all that is disputed.

        Raises:
            PayPalError: 422 when no answer is awaited, or the amount is another currency's or too large.
        """
        self._demand(row, _WAITING)
        if amount is not None and amount.currency != row.amount.currency:
            raise PayPalError("REFUND_CAPTURE_CURRENCY_MISMATCH", "/refund_amount/currency_code")
        if amount is not None and amount.minor > row.amount.minor:
            raise PayPalError("REFUND_AMOUNT_EXCEEDED", "/refund_amount/value")
        self._resolve(row, _BUYER, amount or row.amount, at_ns)

    def adjudicate(self, row: Dispute, *, for_seller: bool, at_ns: int) -> None:
        """The sandbox' own way to decide a dispute that is under review. Raises PayPalError (422) when it is
        not."""
        self._demand(row, _REVIEW)
        self._resolve(row, _SELLER if for_seller else _BUYER, None if for_seller else row.amount, at_ns)

    def require_evidence(self, row: Dispute, *, of_seller: bool) -> None:
        """The sandbox' own way to let a party answer (again). Raises PayPalError (422) when the dispute is
        resolved."""
        if not row.open:
            raise PayPalError("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
        if not of_seller:
            self._change(row, status="WAITING_FOR_BUYER_RESPONSE")
            return
        row = self._change(row, status=_WAITING, due=self._clock.now() + ANSWER_S)
        self._await_answer(row)

    def _demand(self, row: Dispute, status: str) -> None:
        if row.status != status:
            raise PayPalError("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")

    def _change(self, row: Dispute, **changes: object) -> Dispute:
        changed = replace(row, updated=self._clock.now(), **changes)  # type: ignore[arg-type]
        self._all[row.id] = changed
        kind = "UPDATED" if changed.open else "RESOLVED"
        self._events.happened(f"CUSTOMER.DISPUTE.{kind}", changed.body)
        return changed

    def _resolve(self, row: Dispute, outcome: str, returned: Money | None, at_ns: int) -> None:
        if returned is not None:
            self._payments.reverse(row.capture, returned, at_ns)
        self._change(row, status="RESOLVED", outcome=outcome, returned=returned)

    def _await_answer(self, row: Dispute) -> None:
        self._clock.call_at(row.due, lambda: self._unless_changed(row, _BUYER))

    def _unless_changed(self, row: Dispute, outcome: str) -> None:
        if self._all[row.id] is row:
            self._resolve(row, outcome, row.amount if outcome == _BUYER else None, time.monotonic_ns())

    def _refunded(self, capture: Capture) -> None:
        """A refund of all that is left settles the matter; its money has moved as a refund."""
        row = self._open_for(capture)
        if row is not None:
            self._change(row, status="RESOLVED", outcome=_BUYER)

    def _open_for(self, capture: Capture) -> Dispute | None:
        name = self._of_capture.get(capture.id)
        row = self._all[name] if name is not None else None
        return row if row is not None and row.open else None
