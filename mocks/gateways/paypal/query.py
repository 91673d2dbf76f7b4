"""Reading the parameters of a query."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl

from mocks.gateways.paypal.errors import PayPalError
from mocks.http import Request

LARGEST_PAGE_NUMBER = 2_147_483_647


def query_of(request: Request) -> dict[str, str]:
    """The parameters of a query; of one that is repeated, the last."""
    return dict(parse_qsl(request.query, keep_blank_values=True))


def number(query: dict[str, str], name: str, default: int, *, largest: int = LARGEST_PAGE_NUMBER) -> int:
    """A whole number from 1 to ``largest``. Raises PayPalError (400)."""
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and 1 <= int(value) <= largest):
        raise PayPalError("INVALID_PARAMETER_VALUE", name)
    return int(value)


def moment(query: dict[str, str], name: str) -> float | None:
    """An Internet date and time (RFC 3339) in Unix seconds; None when it is left out. Raises PayPalError
    (400)."""
    value = query.get(name)
    if value is None:
        return None
    # A "+" that was not percent-encoded has become a space.
    try:
        read = datetime.fromisoformat(value.replace(" ", "+"))
        if read.tzinfo is None or len(value) < len("2026-01-31T12:00:00Z"):
            raise ValueError(value)
        return read.timestamp()
    except (OverflowError, ValueError) as error:
        raise PayPalError("INVALID_PARAMETER_SYNTAX", name) from error


def without(request: Request, name: str) -> str:
    """The path and query of a request without the parameter ``name``, ready for another ``name=value``."""
    kept = [row for row in request.query.split("&") if row and row.partition("=")[0] != name]
    return f"{request.path}?{''.join(f'{row}&' for row in kept)}"
