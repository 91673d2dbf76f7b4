"""Authorizations that wait for their capture, and expire."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mocks.gateways.stripe.payment_intent import PaymentIntent
from mocks.mock_clock import MockClock

AUTHORIZATION_S = 7 * 86_400
"""Seconds after which an authorization that was not captured expires ("Place a hold on a payment method":
seven days by default for cards; some networks allow less)."""


class Authorizations:
    """All last equally long, so they expire in the order in which they were made: one timer serves them all.

    Args:
        clock: The mock's clock.
        expired: Told of every authorization whose time is over, captured or not.
    """

    def __init__(self, clock: MockClock, expired: Callable[[PaymentIntent], None]) -> None:
        self._clock = clock
        self._expired = expired
        self._waiting: deque[tuple[float, PaymentIntent]] = deque()

    def add(self, intent: PaymentIntent) -> None:
        """An authorization begins."""
        self._waiting.append((self._clock.now() + AUTHORIZATION_S, intent))
        if len(self._waiting) == 1:
            self._wake_for_first()

    def _wake_for_first(self) -> None:
        self._clock.call_at(self._waiting[0][0], self._expire_first)

    def _expire_first(self) -> None:
        # The timer is that of the first one. Whatever else is over by now has a timer right after it.
        self._expired(self._waiting.popleft()[1])
        while self._waiting and self._waiting[0][1].status != "requires_capture":
            self._waiting.popleft()
        if self._waiting:
            self._wake_for_first()
