"""Live credentials, which a proxy never passes on."""

from __future__ import annotations

import base64
import binascii
import re

_LIVE = re.compile(rb"(?<![A-Za-z0-9_])(?:[a-z]{2}_(?:[a-z]+_)?)?live_")
_TEST = re.compile(rb"(?<![A-Za-z0-9_])[a-z]{2}_(?:[a-z]+_)?test_")


def refusal(credentials: tuple[bytes, ...], host: str) -> str:
    """Why a request with these values of ``Authorization`` must not be passed on; empty when it may.

    Keys of Stripe (``sk_live_``, ``rk_live_``) and tokens of GoCardless (``live_``) say that they are live.
    Stripe has one host for both, so that there only what says it is a test key is passed on.
    """
    for value in credentials:
        plain = _plain(value)
        if b"live_" in plain and _LIVE.search(plain):
            return "a live credential; only test credentials are passed on"
        if (host == "stripe.com" or host.endswith(".stripe.com")) and not _TEST.search(plain):
            return f"a credential that doesn't say it is a test key, which is all that {host} may get"
    return ""


def _plain(value: bytes) -> bytes:
    """What the credential says, user and password of Basic authentication decoded."""
    scheme, _, token = value.partition(b" ")
    if len(scheme) == 5 and scheme.lower() == b"basic":
        try:
            return base64.b64decode(token.strip())
        except binascii.Error:
            return value
    return value
