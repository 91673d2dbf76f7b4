"""GoCardless' rate limit and its headers."""

from __future__ import annotations

from email.utils import formatdate

from mocks.mock_clock import MockClock

PER_MINUTE = 1000
"""Requests that one integration may make (second-hand)."""


class RateLimit:
    """A count of requests in windows of one minute; that the windows stand still is assumed.

    Attributes:
        enforced: Whether requests beyond the limit are refused. The headers are always sent.
    """

    def __init__(self, clock: MockClock, limit: int = PER_MINUTE) -> None:
        self.limit = limit
        self.enforced = False
        self._clock = clock
        self._window = 0
        self._used = 0

    def take(self) -> bool:
        """Count a request. Returns whether it is within the limit, which it always is when that is not
        enforced."""
        self._roll()
        self._used += 1
        return self._used <= self.limit or not self.enforced

    def headers(self) -> tuple[tuple[str, str], ...]:
        """``ratelimit-limit``, ``-remaining`` and ``-reset``, the time at which the window ends."""
        self._roll()
        return (
            ("ratelimit-limit", str(self.limit)),
            ("ratelimit-remaining", str(max(0, self.limit - self._used))),
            ("ratelimit-reset", formatdate((self._window + 1) * 60, usegmt=True)),
        )

    def _roll(self) -> None:
        window = self._clock.unix() // 60
        if window != self._window:
            self._window, self._used = window, 0
