"""Reading the JSON part of a request of several parts, as the disputes API takes them: files go along."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body, body_of


def json_part(content_type: str, data: bytes) -> Body:
    """The JSON of a multipart body: the part of this type, or the one named ``input``; empty without one.

    Raises:
        PayPalError: 400 for what is no multipart body or no JSON.
    """
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    try:
        message = BytesParser(policy=HTTP).parsebytes(head + data)
        parts = list(message.iter_parts()) if message.is_multipart() else None
        if parts is None:
            raise PayPalError("INVALID_PARAMETER_SYNTAX")
        for part in parts:
            named = part.get_param("name", header="content-disposition") == "input"
            if named or part.get_content_type() == "application/json":
                payload = part.get_payload(decode=True)
                return body_of(payload if isinstance(payload, bytes) else b"")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise PayPalError("INVALID_PARAMETER_SYNTAX") from error
    return {}
