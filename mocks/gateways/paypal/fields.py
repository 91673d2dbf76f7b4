"""Reading fields of a JSON body."""

from __future__ import annotations

import re
from typing import Any

import orjson

from mocks.gateways.paypal.errors import PayPalError

Body = dict[str, Any]

DEEPEST = 250
"""So many brackets are surely not too deep to be written again."""

_URL = re.compile(r"https?://[\x21-\x7e]+\Z")


def body_of(data: bytes) -> Body:
    """The JSON object of a request; an empty body is an empty object, and a list (which only PATCH sends) is
    found under ``patches``. Raises PayPalError (400)."""
    if not data:
        return {}
    try:
        body = orjson.loads(data)
        if data.count(b"{") + data.count(b"[") > DEEPEST:
            orjson.dumps(body)  # which takes less depth than reading does
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise PayPalError("MALFORMED_REQUEST_JSON") from error
    if isinstance(body, list):
        return {"patches": body}
    if not isinstance(body, dict):
        raise PayPalError("MALFORMED_REQUEST_JSON")
    return body


def text(body: Body, name: str, field: str, *, longest: int, required: bool = False) -> str:
    """A string, empty when it is left out. ``field`` is the JSON Pointer of ``body``. Raises PayPalError."""
    value = body.get(name)
    where = f"{field}/{name}"
    if value is None:
        if required:
            raise PayPalError("MISSING_REQUIRED_PARAMETER", where)
        return ""
    if not isinstance(value, str):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", where)
    if not 1 <= len(value) <= longest:
        raise PayPalError("INVALID_STRING_LENGTH", where)
    return value


def part(body: Body, name: str, field: str) -> Body:
    """An object within an object, empty when it is left out. Raises PayPalError."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", f"{field}/{name}")
    return value


def url(body: Body, name: str, field: str) -> str:
    """A URL in plain ASCII, fit for a header; empty when it is left out. Raises PayPalError."""
    value = text(body, name, field, longest=4000)
    if value and not _URL.match(value):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", f"{field}/{name}")
    return value
