"""Who may call: the token endpoint, and the check of a token."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from urllib.parse import parse_qs

import orjson

from mocks.gateways.paypal.errors import PayPalError, oauth_error
from mocks.gateways.paypal.tokens import Tokens
from mocks.http import Request
from mocks.reply import Reply


def grant(tokens: Tokens, request: Request, new_token: Callable[[], str], debug_id: str) -> Reply:
    """Answer ``POST /v1/oauth2/token``. Any client id with a secret will do: PayPal's live credentials differ
    from its sandbox's by host only."""
    if not _has_credentials(request.headers.get("authorization", "")):
        return oauth_error(401, "invalid_client", "Client Authentication failed", debug_id)
    form = parse_qs(request.body.decode("utf-8", "replace"))
    if form.get("grant_type") != ["client_credentials"]:
        return oauth_error(400, "unsupported_grant_type", "Grant type is NULL or unsupported", debug_id)
    return Reply(200, orjson.dumps(tokens.issue(new_token())))


def authenticate(tokens: Tokens, request: Request) -> None:
    """Raises PayPalError (401) without a good token; the error never quotes it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not tokens.good(token.strip()):
        raise PayPalError("", status=401)


def _has_credentials(authorization: str) -> bool:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        name, _, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(name and secret)
