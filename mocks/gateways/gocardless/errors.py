"""GoCardless' errors: ``{"error": {"type", "code", "message", "errors", "request_id", ...}}``.

The four types are those that ``gocardless_pro.errors`` knows; it raises on any other. The reasons are those
that GoCardless' own clients and their users' typings list. Second-hand: which HTTP status goes with which
reason, except for 401, 403, 409 and 429, by which the SDKs tell errors apart.
"""

from __future__ import annotations

from typing import Any

import orjson

from mocks.reply import Reply

DOCUMENTATION = "https://developer.gocardless.com/api-reference#"


class GoCardlessError(Exception):
    """A request is answered with this error.

    Args:
        status: The HTTP status, and the ``code``.
        kind: The ``type``.
        message: For people.
        errors: The entries of ``errors``: each with a ``reason``, or with ``field`` and ``request_pointer``.
    """

    def __init__(self, status: int, kind: str, message: str, errors: tuple[dict[str, Any], ...]) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.errors = errors

    def reply(self, request_id: str = "") -> Reply:
        """The answer; ``request_id`` is repeated in its ``X-Request-Id``."""
        reason = self.errors[0].get("reason", self.kind) if self.errors else self.kind
        error = {
            "message": str(self),
            "documentation_url": DOCUMENTATION + reason,
            "type": self.kind,
            "request_id": request_id,
            "errors": self.errors,
            "code": self.status,
        }
        return Reply(self.status, orjson.dumps({"error": error}), "error")


def usage(reason: str, message: str, status: int = 400) -> GoCardlessError:
    """The request is not one that the API takes: ``invalid_api_usage``."""
    return GoCardlessError(status, "invalid_api_usage", message, ({"reason": reason, "message": message},))


def invalid_state(
    reason: str, message: str, *, status: int = 422, links: dict[str, str] | None = None
) -> GoCardlessError:
    """The request is sound, and what it is about is in no state for it: ``invalid_state``."""
    entry: dict[str, Any] = {"reason": reason, "message": message}
    if links is not None:
        entry["links"] = links
    return GoCardlessError(status, "invalid_state", message, (entry,))


def invalid(errors: list[tuple[str, str, str]]) -> GoCardlessError:
    """Attributes are wrong: ``validation_failed``. Each error is a field, a message and a JSON pointer."""
    entries = tuple(
        {"field": field, "message": message, "request_pointer": pointer} for field, message, pointer in errors
    )
    return GoCardlessError(422, "validation_failed", "Validation failed", entries)


def idempotent_creation_conflict(resource_id: str) -> GoCardlessError:
    """A resource has been created under this key; the SDKs fetch it by themselves."""
    return invalid_state(
        "idempotent_creation_conflict",
        "A resource has already been created with this idempotency key",
        status=409,
        links={"conflicting_resource_id": resource_id},
    )


def server_error(status: int) -> Reply:
    """An error of GoCardless' own making: a failure, or its rate limit."""
    if status == 429:
        return usage("rate_limit_exceeded", "Rate limit exceeded", 429).reply()
    if status < 500:
        return usage("bad_request", "This error is of the mock's own making.", status).reply()
    message = "This error is of the mock's own making."
    reason = {"reason": "internal_server_error", "message": message}
    return GoCardlessError(status, "gocardless", message, (reason,)).reply()
