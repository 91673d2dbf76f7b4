"""Access tokens of the client credentials grant (RFC 6749, section 4.4)."""

from __future__ import annotations

from typing import Any

LIFETIME = 32_400
"""Seconds that a token is good for: nine hours, as in the examples of PayPal's documentation."""

MANY = 1000
"""Beyond so many tokens the expired ones are forgotten."""


class Tokens:
    """The tokens that are good. Times are readings of ``time.monotonic_ns()``.

    Attributes:
        lifetime: Of the tokens to come, in seconds.
    """

    def __init__(self) -> None:
        self.lifetime = LIFETIME
        self._ends_ns: dict[str, int] = {}

    def issue(self, token: str, at_ns: int) -> dict[str, Any]:
        """The body of the token endpoint's answer."""
        if len(self._ends_ns) >= MANY:
            self._ends_ns = {name: end for name, end in self._ends_ns.items() if end > at_ns}
        self._ends_ns[token] = at_ns + self.lifetime * 10**9
        return {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "nonce": token[-16:],
        }

    def good(self, token: str, at_ns: int) -> bool:
        """Whether a token has been issued and has not expired."""
        return self._ends_ns.get(token, 0) > at_ns
