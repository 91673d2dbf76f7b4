"""Taking money and giving it back: all authorizations, captures and refunds of one gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.money import Money
from mocks.gateways.paypal.payment import Authorization, Capture, Origin, Refund, rfc3339
from mocks.ledger import Ledger, OverRefundError
from mocks.mock_clock import MockClock

OVERAGE_PERCENT = 115
"""The captures of an authorization may sum up to this share of it ("MAX_CAPTURE_AMOUNT_EXCEEDED")."""

AUTHORIZATION_DAYS = 29

_T = TypeVar("_T")


class Payments:
    """Methods raise ``PayPalError`` for what PayPal answers with an error. ``at_ns`` is a reading of
    ``time.monotonic_ns()``; all other times are of the mock's clock.

    Args:
        ledger: Where money moves.
        new_id: Makes the next id.
        clock: The mock's clock.
    """

    def __init__(self, ledger: Ledger, new_id: Callable[[], str], clock: MockClock) -> None:
        self._ledger = ledger
        self._new_id = new_id
        self._clock = clock
        self._authorizations: dict[str, Authorization] = {}
        self._captures: dict[str, Capture] = {}
        self._refunds: dict[str, Refund] = {}

    def authorization(self, name: str) -> Authorization:
        """Raises PayPalError (404) when there is none."""
        return _known(self._authorizations, name)

    def capture(self, name: str) -> Capture:
        """Raises PayPalError (404) when there is none."""
        return _known(self._captures, name)

    def refund(self, name: str) -> Refund:
        """Raises PayPalError (404) when there is none."""
        return _known(self._refunds, name)

    def authorize(self, amount: Money, origin: Origin, code: str) -> Authorization:
        """Hold money; ``code`` is the processor's response code, empty when it approves."""
        now = self._clock.unix()
        expires = now + AUTHORIZATION_DAYS * 86_400
        held = Authorization(self._new_id(), amount, origin, rfc3339(now), expires, code)
        self._authorizations[held.id] = held
        return held

    def take(
        self, amount: Money, origin: Origin, code: str, at_ns: int, held: Authorization | None = None
    ) -> Capture:
        """Capture money, or be declined with ``code``: this is where money moves."""
        name = self._new_id()
        if not code:
            self._ledger.capture(name, origin.drill_order_id, amount.minor, amount.currency, at_ns)
        authorization_id = held.id if held is not None else ""
        capture = Capture(
            name, amount, origin, rfc3339(self._clock.unix()), code, authorization_id=authorization_id
        )
        self._captures[name] = capture
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
        capture = self.take(amount, held.origin, "", at_ns, held)
        held.captured += amount.minor
        held.closed = final
        capture.final = held.status == "CAPTURED"
        held.captures.append(capture)
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

    def give_back(self, capture: Capture, asked: Money | None, texts: dict[str, str], at_ns: int) -> Refund:
        """Refund a capture, whole or in part; without an amount what is left of it.

        ``texts`` are ``note_to_payer``, ``invoice_id`` and ``custom_id``.
        """
        if capture.code:
            raise PayPalError("REFUND_NOT_ALLOWED")
        left = self._ledger.refundable(capture.id)
        if left == 0:
            raise PayPalError("CAPTURE_FULLY_REFUNDED")
        amount = asked or Money(capture.amount.currency, left)
        if amount.currency != capture.amount.currency:
            raise PayPalError("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        name = self._new_id()
        try:
            self._ledger.refund(name, capture.id, amount.minor, at_ns)
        except OverRefundError as error:
            raise PayPalError("REFUND_AMOUNT_EXCEEDED", "/amount/value") from error
        capture.refunded += amount.minor
        made = rfc3339(self._clock.unix())
        refund = Refund(
            name, amount, capture, made, texts["note_to_payer"], texts["invoice_id"], texts["custom_id"]
        )
        self._refunds[name] = refund
        return refund


def _known(rows: dict[str, _T], name: str) -> _T:
    if name not in rows:
        raise PayPalError("INVALID_RESOURCE_ID")
    return rows[name]
