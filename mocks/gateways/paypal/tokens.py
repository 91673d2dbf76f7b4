"""Access tokens of the client credentials grant (RFC 6749, section 4.4)."""

from __future__ import annotations

from typing import Any

from mocks.mock_clock import MockClock

LIFETIME = 32_400
"""Seconds that a token is good for: nine hours, as in the examples of PayPal's documentation."""

MANY = 1000
"""Beyond so many tokens the expired ones are forgotten."""


class Tokens:
    """The tokens that are good.

    Args:
        clock: The mock's clock, by which they expire.

    Attributes:
        lifetime: Of the tokens to come, in seconds.
    """

    def __init__(self, clock: MockClock) -> None:
        self.lifetime = LIFETIME
        self._clock = clock
        self._ends: dict[str, float] = {}

    def issue(self, token: str) -> dict[str, Any]:
        """The body of the token endpoint's answer."""
        now = self._clock.now()
        if len(self._ends) >= MANY:
            self._ends = {name: end for name, end in self._ends.items() if end > now}
        self._ends[token] = now + self.lifetime
        return {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "nonce": token[-16:],
        }

    def forget(self) -> None:
        """No token is good any more."""
        self._ends.clear()

    def good(self, token: str) -> bool:
        """Whether a token has been issued and has not expired."""
        return self._ends.get(token, 0.0) > self._clock.now()
