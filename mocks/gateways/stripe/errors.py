"""Stripe's errors: the shape ``{"error": {"type", "code", "message", "param", ...}}``.

Types and codes are those of Stripe's API reference ("Errors", "Error codes"). The wording of messages is
close to what its users quote; no caller should depend on it.
"""

from __future__ import annotations

from typing import Any

import orjson

from mocks.reply import Reply


class StripeError(Exception):
    """A request is answered with this error.

    Args:
        status: The HTTP status.
        kind: The ``type``.
        message: For people.
        fields: Further fields of the error object; those that are None are left out.
    """

    def __init__(self, status: int, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message}
        self.error |= {name: value for name, value in fields.items() if value is not None}

    def reply(self) -> Reply:
        result = "declined" if self.status == 402 else "error"
        return Reply(self.status, orjson.dumps({"error": self.error}), result)


def invalid(
    message: str, *, param: str | None = None, code: str | None = None, status: int = 400
) -> StripeError:
    """An ``invalid_request_error``."""
    return StripeError(status, "invalid_request_error", message, param=param, code=code)


def missing(kind: str, name: str, *, param: str, status: int = 404) -> StripeError:
    """There is no such object."""
    return invalid(f"No such {kind}: '{name}'", param=param, code="resource_missing", status=status)


def server_error(status: int) -> Reply:
    """An error that is Stripe's own: a failure, or its rate limit.

    A rate-limited answer carries ``Stripe-Rate-Limited-Reason``; the SDK does not retry it.
    """
    if status == 429:
        return rate_limited("global-rate")
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return StripeError(status, kind, "This error is of the mock's own making.").reply()


def rate_limited(reason: str) -> Reply:
    """The rate limit's 429; ``reason`` is ``global-rate`` or ``endpoint-rate`` ("Rate limits"; its further
    reasons tell of limits that are not mocked)."""
    error = invalid("Too many requests hit the API too quickly.", code="rate_limit", status=429)
    return error.reply()._replace(headers=(("Stripe-Rate-Limited-Reason", reason),))
