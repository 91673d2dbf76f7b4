"""Stripe's API keys, as the mock takes them."""

from __future__ import annotations

import base64
import binascii

from mocks.gateways.stripe.errors import invalid


def authenticate(authorization: str) -> None:
    """Any ``sk_test_`` key will do, as Bearer or as the user name of Basic.

    Raises:
        StripeError: 401; the message never quotes a key.
    """
    if authorization.startswith("Bearer sk_test_"):
        return
    scheme, _, credentials = authorization.partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key or scheme.lower() not in ("bearer", "basic"):
        raise invalid(
            "You did not provide an API key. Send it in the Authorization header, as Bearer or Basic.",
            status=401,
        )
    if key.startswith(("sk_live_", "rk_live_", "pk_live_")):
        raise invalid(
            "This is a mock: a live key has no business here, and has been refused unseen.", status=401
        )
    if not key.startswith("sk_test_"):
        raise invalid("Invalid API Key provided: the mock takes keys that start with sk_test_.", status=401)
