"""Adyen's errors: ``{"status", "errorCode", "message", "errorType", "pspReference"}``.

Codes 000, 010, 100, 101, 130, 137, 138, 167, 702, 704 and 901 are in Adyen's documentation ("Error codes and
messages") or in answers that its users quote. Which HTTP status goes with which code is second-hand for 130,
137, 138 and 702: 422 is assumed, as for the others of type ``validation``. 14_030 is an example of the
published OpenAPI document, 14_002 is quoted in issues of Adyen's Java library. 161 is second-hand. Guesses
are 174 for data that cannot be decoded, and 14_003 for a redirectResult or paymentData that was never given
out.
"""

from __future__ import annotations

import orjson

from mocks.reply import Reply


class AdyenError(Exception):
    """A request is answered with this error.

    Args:
        status: The HTTP status.
        code: The ``errorCode``.
        message: For people.
        kind: The ``errorType``.
        transient: The answer carries ``Transient-Error: true``: the caller may try the same key again.
    """

    def __init__(
        self, status: int, code: str, message: str, kind: str = "validation", *, transient: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind
        self.transient = transient

    def reply(self) -> Reply:
        body = {"status": self.status, "errorCode": self.code, "message": str(self), "errorType": self.kind}
        headers = (("Transient-Error", "true"),) if self.transient else ()
        return Reply(self.status, orjson.dumps(body), "error", headers)


def invalid(code: str, message: str) -> AdyenError:
    """A ``validation`` error, HTTP 422."""
    return AdyenError(422, code, message)


def missing(field: str) -> AdyenError:
    """A field that a request of another kind needs not have, HTTP 422."""
    return invalid("14_002", f"Required field '{field}' is not provided.")


def unauthorized() -> AdyenError:
    return AdyenError(401, "000", "HTTP Status Response - Unauthorized", "security")


def merchant_refused() -> AdyenError:
    return AdyenError(403, "901", "Invalid Merchant Account", "security")


def too_many_requests() -> AdyenError:
    """The rate limit. Its text is a guess in the manner of the other ``security`` errors."""
    return AdyenError(429, "000", "HTTP Status Response - Too Many Requests", "security")


def server_error(status: int) -> Reply:
    """An error that is Adyen's own: a failure, or its rate limit.

    It carries no ``Transient-Error``: the caller cannot tell from it whether the payment was made.
    """
    if status == 429:
        return too_many_requests().reply()
    kind = "internal" if status >= 500 else "security"
    return AdyenError(status, "000", "This error is of the mock's own making.", kind).reply()
