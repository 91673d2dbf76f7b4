"""Taking money and giving it back: all authorizations, captures and refunds of one gateway."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.events import Events
from mocks.gateways.paypal.fees import fee_of
from mocks.gateways.paypal.money import Money
from mocks.gateways.paypal.payment import Authorization, Capture, Origin, Refund, rfc3339
from mocks.gateways.paypal.triggers import DISPUTE_NAMES, PAYER_NAMES, PENDING_NAMES
from mocks.ledger import Ledger, OverRefundError
from mocks.mock_clock import MockClock

OVERAGE_PERCENT = 115
"""The captures of an authorization may sum up to this share of it ("MAX_CAPTURE_AMOUNT_EXCEEDED")."""

AUTHORIZATION_DAYS = 29

REVIEW_S = 24 * 3600.0
"""Seconds for which a capture is PENDING: PayPal says that reviews take up to 24 hours. That an eCheck takes
as long here is a simplification; real ones take days."""

_T = TypeVar("_T")


class Payments:
    """Methods raise ``PayPalError`` for what PayPal answers with an error. ``at_ns`` is a reading of
    ``time.monotonic_ns()``; all other times are of the mock's clock.

    Args:
        ledger: Where money moves.
        events: Is told of what happens.
        new_id: Makes the next id.
        clock: The mock's clock.

    Attributes:
        storm: The processor's response code with which every payment is declined while it is set.
        disputed: Called with a capture that its payer disputes, and the reason.
        refunded: Called with a capture that has been refunded.
        in_dispute: Tells whether a capture has an open dispute.
    """

    def __init__(self, ledger: Ledger, events: Events, new_id: Callable[[], str], clock: MockClock) -> None:
        self._ledger = ledger
        self._events = events
        self._new_id = new_id
        self._clock = clock
        self._authorizations: dict[str, Authorization] = {}
        self._captures: dict[str, Capture] = {}
        self._refunds: dict[str, Refund] = {}
        self._fees: dict[str, int] = {}
        self.storm = ""
        self.disputed: Callable[[Capture, str], None] = lambda capture, reason: None
        self.refunded: Callable[[Capture], None] = lambda capture: None
        self.in_dispute: Callable[[Capture], bool] = lambda capture: False

    def authorization(self, name: str) -> Authorization:
        """Raises PayPalError (404) when there is none."""
        return _known(self._authorizations, name)

    def capture(self, name: str) -> Capture:
        """Raises PayPalError (404) when there is none."""
        return _known(self._captures, name)

    def refund(self, name: str) -> Refund:
        """Raises PayPalError (404) when there is none."""
        return _known(self._refunds, name)

    @property
    def captures(self) -> Iterable[Capture]:
        """All captures, oldest first."""
        return self._captures.values()

    @property
    def refunds(self) -> Iterable[Refund]:
        """All refunds and reversals, oldest first."""
        return self._refunds.values()

    def take_fees(self) -> dict[str, int]:
        """Currency -> the sum of the fees that were not told of here before, in the minor unit."""
        fees, self._fees = self._fees, {}
        return {currency: fee for currency, fee in fees.items() if fee}

    def authorize(self, amount: Money, origin: Origin, payer_name: str) -> Authorization:
        """Hold money; ``payer_name`` may be a trigger."""
        now = self._clock.unix()
        expires = now + AUTHORIZATION_DAYS * 86_400
        code = self.storm or PAYER_NAMES.get(payer_name, "")
        held = Authorization(self._new_id(), amount, origin, rfc3339(now), expires, code, payer_name)
        self._authorizations[held.id] = held
        if not code:
            self._events.happened("PAYMENT.AUTHORIZATION.CREATED", held.body_when, "CREATED", held.made)
        return held

    def take(self, amount: Money, origin: Origin, payer_name: str, at_ns: int) -> Capture:
        """Capture money, unless ``payer_name`` is a trigger that does something else."""
        capture = Capture(self._new_id(), amount, origin, rfc3339(self._clock.unix()))
        self._begin(capture, payer_name, at_ns)
        return capture

    def take_held(self, held: Authorization, asked: Money | None, final: bool, at_ns: int) -> Capture:
        """Capture an authorization, whole or in part; without an amount what is left of it."""
        blocked = {
            "DENIED": "AUTHORIZATION_DENIED",
            "VOIDED": "AUTHORIZATION_VOIDED",
            "CAPTURED": "AUTHORIZATION_ALREADY_CAPTURED",
        }.get(held.status)
        if blocked:
            raise PayPalError(blocked)
        if held.expires <= self._clock.now():
            raise PayPalError("AUTHORIZATION_EXPIRED")
        amount = asked or Money(held.amount.currency, held.amount.minor - held.captured)
        if amount.currency != held.amount.currency:
            raise PayPalError("AUTH_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        if 100 * (held.captured + amount.minor) > OVERAGE_PERCENT * held.amount.minor:
            raise PayPalError("MAX_CAPTURE_AMOUNT_EXCEEDED", "/amount/value")
        held.captured += amount.minor
        held.closed = final
        held.updated = rfc3339(self._clock.unix())
        capture = Capture(
            self._new_id(),
            amount,
            held.origin,
            held.updated,
            final=held.status == "CAPTURED",
            authorization_id=held.id,
        )
        held.captures.append(capture)
        self._begin(capture, held.payer_name, at_ns)
        return capture

    def void(self, held: Authorization) -> None:
        """Let go of what is held and not captured."""
        blocked = {
            "DENIED": "AUTHORIZATION_DENIED",
            "VOIDED": "PREVIOUSLY_VOIDED",
            "CAPTURED": "PREVIOUSLY_CAPTURED",
        }.get(held.status)
        if blocked:
            raise PayPalError(blocked)
        held.voided = True
        held.updated = rfc3339(self._clock.unix())
        self._events.happened("PAYMENT.AUTHORIZATION.VOIDED", held.body_when, "VOIDED", held.updated)

    def give_back(self, capture: Capture, asked: Money | None, texts: dict[str, str], at_ns: int) -> Refund:
        """Refund a capture, whole or in part; without an amount what is left of it.

        ``texts`` are ``note_to_payer``, ``invoice_id`` and ``custom_id``. While a dispute is open only the
        whole rest can be refunded, and after a reversal nothing.
        """
        if capture.code or capture.denied:
            raise PayPalError("REFUND_NOT_ALLOWED")
        if capture.pending:
            raise PayPalError("PENDING_CAPTURE")
        if capture.reversed:
            raise PayPalError("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
        left = self._ledger.refundable(capture.id)
        if left == 0:
            raise PayPalError("CAPTURE_FULLY_REFUNDED")
        amount = asked or Money(capture.amount.currency, left)
        if amount.currency != capture.amount.currency:
            raise PayPalError("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        if amount.minor < left and self.in_dispute(capture):
            raise PayPalError("TRANSACTION_DISPUTED")
        name = self._new_id()
        try:
            self._ledger.refund(name, capture.id, amount.minor, at_ns)
        except OverRefundError as error:
            raise PayPalError("REFUND_AMOUNT_EXCEEDED", "/amount/value") from error
        capture.refunded += amount.minor
        capture.updated = made = rfc3339(self._clock.unix())
        refund = Refund(
            name,
            amount,
            capture,
            made,
            capture.refunded,
            texts["note_to_payer"],
            texts["invoice_id"],
            texts["custom_id"],
        )
        self._refunds[name] = refund
        self._events.happened("PAYMENT.CAPTURE.REFUNDED", refund.body)
        self.refunded(capture)
        return refund

    def charge_back(self, capture: Capture, at_ns: int) -> None:
        """The payer's bank takes back what is left of a capture, without a dispute at PayPal; without a rest
        nothing happens."""
        left = capture.amount.minor - capture.refunded - capture.reversed
        if left > 0:
            self.reverse(capture, Money(capture.amount.currency, left), at_ns)

    def reverse(self, capture: Capture, amount: Money, at_ns: int) -> Refund:
        """PayPal takes money of a capture back for its payer, who has won a dispute."""
        name = self._new_id()
        self._ledger.dispute(name, capture.id, amount.minor, at_ns)
        capture.reversed += amount.minor
        capture.updated = made = rfc3339(self._clock.unix())
        total = capture.refunded + capture.reversed
        reversal = Refund(name, amount, capture, made, total, reversal=True)
        self._refunds[name] = reversal
        self._events.happened("PAYMENT.CAPTURE.REVERSED", reversal.body)
        return reversal

    def _begin(self, capture: Capture, payer_name: str, at_ns: int) -> None:
        self._captures[capture.id] = capture
        code = self.storm or PAYER_NAMES.get(payer_name, "")
        review = PENDING_NAMES.get(payer_name)
        if code:
            capture.code = code
            self._events.happened("PAYMENT.CAPTURE.DECLINED", capture.body_when, "DECLINED", capture.made)
        elif review is not None:
            capture.pending, capture.waited_for = True, review.reason
            self._events.happened("PAYMENT.CAPTURE.PENDING", capture.body_when, "PENDING", capture.made)
            accepted = review.accepted
            self._clock.call_later(REVIEW_S, lambda: self._reviewed(capture, accepted))
        else:
            self._complete(capture, capture.made, at_ns)
            reason = DISPUTE_NAMES.get(payer_name)
            if reason is not None:
                self.disputed(capture, reason)

    def _complete(self, capture: Capture, updated: str, at_ns: int) -> None:
        """This is where money comes in."""
        amount, origin = capture.amount, capture.origin
        capture.booked = updated
        self._ledger.capture(capture.id, origin.drill_order_id, amount.minor, amount.currency, at_ns)
        fee = fee_of(amount).minor
        self._fees[amount.currency] = self._fees.get(amount.currency, 0) + fee
        self._events.happened("PAYMENT.CAPTURE.COMPLETED", capture.body_when, "COMPLETED", updated)

    def _reviewed(self, capture: Capture, accepted: bool) -> None:
        capture.pending = False
        capture.denied = not accepted
        capture.updated = rfc3339(self._clock.unix())
        if accepted:
            self._complete(capture, capture.updated, time.monotonic_ns())
        else:
            self._events.happened("PAYMENT.CAPTURE.DENIED", capture.body_when, "DECLINED", capture.updated)


def _known(rows: dict[str, _T], name: str) -> _T:
    if name not in rows:
        raise PayPalError("INVALID_RESOURCE_ID")
    return rows[name]
