"""PayPal's errors: ``{"name", "message", "debug_id", "details": [{"issue", "description"}], "links"}``.

Names, issues and which HTTP status goes with which are those of the published OpenAPI documents (Orders v2,
Payments v2). ``DUPLICATE_REQUEST_ID`` is of the older Payments v1 and known from its users' reports only, as
are ``VALIDATION_ERROR``, the issues of disputes and those of webhooks; the errors of the token endpoint
(RFC 6749, section 5.2), 404 without an issue, 415 and 429 are second-hand, too. ``INVALID_DATE_RANGE`` and
``NOT_A_LOOPBACK_URL`` are this mock's own.
"""

from __future__ import annotations

from typing import Any

import orjson

from mocks.reply import Reply

NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing authorization header, or invalid authentication credentials.",
    ),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "The server does not support the request payload's media type."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable."),
}
"""HTTP status -> ``name`` and ``message``."""

ISSUES = {
    "DUPLICATE_REQUEST_ID": (400, "The PayPal-Request-Id has been used for another request."),
    "FIELD_NOT_PATCHABLE": (400, "This field cannot be patched."),
    "INVALID_ARRAY_MAX_ITEMS": (400, "There are too many items in the array."),
    "INVALID_ARRAY_MIN_ITEMS": (400, "There are too few items in the array."),
    "INVALID_DATE_RANGE": (400, "The range of dates is too long, or ends before it starts."),
    "INVALID_PARAMETER_SYNTAX": (400, "The value does not conform to the expected format."),
    "INVALID_PARAMETER_VALUE": (400, "The value is not valid."),
    "INVALID_PATCH_OPERATION": (400, "The operation cannot be honored."),
    "INVALID_STRING_LENGTH": (400, "The value is too short or too long."),
    "MALFORMED_REQUEST_JSON": (400, "The request JSON is not well formed."),
    "MISSING_REQUIRED_PARAMETER": (400, "A required field is missing."),
    "NOT_A_LOOPBACK_URL": (400, "This mock calls http:// URLs on a loopback address only."),
    "NOT_SUPPORTED": (400, "This field is not supported."),
    "PAYPAL_REQUEST_ID_REQUIRED": (400, "A PayPal-Request-Id is required to pay an order as it is created."),
    "WEBHOOK_NUMBER_LIMIT_EXCEEDED": (400, "There are as many webhooks as there may be."),
    "WEBHOOK_URL_ALREADY_EXISTS": (400, "There is a webhook of this URL already."),
    "INVALID_ACCOUNT_STATUS": (401, "The account could not be validated."),
    "CONSENT_NEEDED": (403, "The payer's consent is needed."),
    "PERMISSION_DENIED": (403, "You have no permission to do this."),
    "INVALID_RESOURCE_ID": (404, "Specified resource ID does not exist."),
    "PREVIOUS_REQUEST_IN_PROGRESS": (409, "A previous request is still in progress. Try again later."),
    "ACTION_DOES_NOT_MATCH_INTENT": (422, "The order was created with another intent."),
    "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE": (422, "The dispute is in another state."),
    "AMOUNT_MISMATCH": (422, "The amount should equal the sum of its breakdown."),
    "AUTHORIZATION_ALREADY_CAPTURED": (422, "The authorization has been captured before."),
    "AUTHORIZATION_DENIED": (422, "A denied authorization cannot be captured."),
    "AUTHORIZATION_EXPIRED": (422, "An expired authorization cannot be captured."),
    "AUTHORIZATION_VOIDED": (422, "A voided authorization cannot be captured."),
    "AUTH_CAPTURE_CURRENCY_MISMATCH": (422, "A capture has the currency of its authorization."),
    "CANNOT_BE_NEGATIVE": (422, "Must be greater than or equal to zero."),
    "CANNOT_BE_ZERO_OR_NEGATIVE": (422, "Must be greater than zero."),
    "CAPTURE_FULLY_REFUNDED": (422, "The capture has been refunded whole."),
    "CARD_EXPIRED": (422, "The card is expired."),
    "CARD_EXPIRY_REQUIRED": (422, "The expiry of the card is required."),
    "CARD_NUMBER_REQUIRED": (422, "The number of the card is required."),
    "COMPLIANCE_VIOLATION": (422, "The transaction is declined for compliance."),
    "DECIMALS_NOT_SUPPORTED": (422, "The currency has no decimals."),
    "DECIMAL_PRECISION": (422, "The value has more decimals than its currency."),
    "DUPLICATE_INVOICE_ID": (422, "The invoice id has been used before."),
    "DUPLICATE_REFERENCE_ID": (422, "Every purchase unit needs a reference_id of its own."),
    "INSTRUMENT_DECLINED": (422, "The processor or the bank declined the payer's instrument."),
    "INVALID_CURRENCY_CODE": (422, "The currency is invalid or not supported."),
    "INVALID_JSON_POINTER_FORMAT": (422, "The path is no valid JSON Pointer."),
    "INVALID_SECURITY_CODE_LENGTH": (422, "The security code has three or four digits."),
    "MAX_CAPTURE_AMOUNT_EXCEEDED": (422, "The captures would exceed 115% of the authorization."),
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": (422, "There were too many attempts to pay."),
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": (422, "There were too many refunds of this capture."),
    "MAX_VALUE_EXCEEDED": (422, "Must be at most 999999999999999.99."),
    "MULTI_CURRENCY_ORDER": (422, "An order has one currency only."),
    "NO_PAYMENT_SOURCE_PROVIDED": (422, "A payment source is required."),
    "ONLY_ONE_PAYMENT_SOURCE_ALLOWED": (422, "An order has one payment source."),
    "ORDER_ALREADY_AUTHORIZED": (422, "The order has been authorized before."),
    "ORDER_ALREADY_CAPTURED": (422, "The order has been captured before."),
    "ORDER_ALREADY_COMPLETED": (422, "A completed order cannot be patched."),
    "ORDER_NOT_APPROVED": (422, "The payer has not approved the order yet."),
    "PARTIAL_REFUND_NOT_ALLOWED": (422, "The capture can be refunded whole only."),
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": (422, "The payee's account is locked or closed."),
    "PAYEE_ACCOUNT_RESTRICTED": (422, "The payee's account is restricted."),
    "PAYEE_BLOCKED_TRANSACTION": (422, "The payee's fraud settings block the payment."),
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": (422, "The payer's account is locked or closed."),
    "PAYER_ACCOUNT_RESTRICTED": (422, "The payer's account is restricted."),
    "PAYER_ACTION_REQUIRED": (422, "The payer has to return to PayPal."),
    "PAYER_CANNOT_PAY": (422, "This payer cannot pay this payee."),
    "PAYMENT_ALREADY_APPROVED": (422, "The payer has approved the order before."),
    "PENDING_CAPTURE": (422, "A pending capture cannot be refunded."),
    "PREVIOUSLY_CAPTURED": (422, "The authorization has been captured, and cannot be voided."),
    "PREVIOUSLY_VOIDED": (422, "The authorization has been voided before."),
    "REFERENCE_ID_REQUIRED": (422, "Several purchase units need a reference_id each."),
    "REFUND_AMOUNT_EXCEEDED": (422, "The refund is larger than what is left of the capture."),
    "REFUND_CAPTURE_CURRENCY_MISMATCH": (422, "A refund has the currency of its capture."),
    "REFUND_FAILED_INSUFFICIENT_FUNDS": (422, "The payee's balance does not cover the refund."),
    "REFUND_NOT_ALLOWED": (422, "The capture cannot be refunded."),
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": (
        422,
        "Money of the capture has been taken back for its payer.",
    ),
    "REFUND_TIME_LIMIT_EXCEEDED": (422, "The time for refunds of this capture is over."),
    "TRANSACTION_BLOCKED_BY_PAYEE": (422, "The payee's fraud protection blocks the payment."),
    "TRANSACTION_DISPUTED": (422, "While a case is open, the capture can be refunded whole only."),
    "TRANSACTION_LIMIT_EXCEEDED": (422, "The amount exceeds the limit for a transaction."),
    "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": (422, "The amount exceeds what the payee may receive."),
    "TRANSACTION_REFUSED": (422, "The request was refused."),
    "UNSUPPORTED_INTENT": (422, "Several purchase units cannot be authorized, only captured."),
    "VALIDATION_ERROR": (422, "Invalid card number"),
    "INTERNAL_SERVER_ERROR": (500, ""),
    "INTERNAL_SERVICE_ERROR": (500, ""),
}
"""Issue -> HTTP status and description; a status of 500 has no details."""

DECLINES = frozenset(
    {
        "CARD_EXPIRED",
        "COMPLIANCE_VIOLATION",
        "INSTRUMENT_DECLINED",
        "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
        "PAYEE_BLOCKED_TRANSACTION",
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "PAYER_ACCOUNT_RESTRICTED",
        "PAYER_CANNOT_PAY",
        "TRANSACTION_BLOCKED_BY_PAYEE",
        "TRANSACTION_LIMIT_EXCEEDED",
        "TRANSACTION_RECEIVING_LIMIT_EXCEEDED",
        "TRANSACTION_REFUSED",
    }
)
"""The issues that say no to a payment; the others say no to a request."""


class PayPalError(Exception):
    """A request is answered with this error.

    Args:
        issue: A key of ``ISSUES``, or empty for an error without details.
        field: The JSON Pointer of the field at fault.
        status: The HTTP status, for an error without an issue.
        link: Where the payer has to go, offered as ``rel``.
    """

    def __init__(
        self, issue: str, field: str = "", *, status: int = 0, link: str = "", rel: str = "redirect"
    ) -> None:
        super().__init__(issue)
        self.issue = issue
        self.field = field
        self.status = status or ISSUES[issue][0]
        self.link = link
        self.rel = rel

    def reply(self, debug_id: str) -> Reply:
        """``debug_id`` stands in the body and in the header ``Paypal-Debug-Id``."""
        name, message = NAMES.get(self.status) or NAMES[500 if self.status >= 500 else 400]
        body: dict[str, Any] = {"name": name, "message": message, "debug_id": debug_id}
        if self.issue == "DUPLICATE_REQUEST_ID":
            body["name"], body["message"] = self.issue, ISSUES[self.issue][1]
        elif self.issue and self.status < 500:
            detail = {"issue": self.issue, "description": ISSUES[self.issue][1]}
            if self.field:
                detail |= {"field": self.field, "location": "body"}
            body["details"] = [detail]
        links = [{"href": self.link, "rel": self.rel, "method": "GET"}] if self.link else []
        body["links"] = links
        result = "declined" if self.issue in DECLINES else "error"
        return Reply(self.status, orjson.dumps(body), result, ((DEBUG_ID, debug_id),))


DEBUG_ID = "Paypal-Debug-Id"


def oauth_error(status: int, error: str, description: str, debug_id: str) -> Reply:
    """An error of the token endpoint, in the shape of RFC 6749."""
    body = orjson.dumps({"error": error, "error_description": description})
    return Reply(status, body, "error", ((DEBUG_ID, debug_id),))


def server_error(status: int, debug_id: str) -> Reply:
    """An error that is PayPal's own: a failure, or its rate limit."""
    return PayPalError("", status=status).reply(debug_id)
