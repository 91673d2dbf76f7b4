"""The opposite of what Adyen's answer says of a payment."""

from __future__ import annotations

import orjson

from mocks.reply import Reply


def contradiction_of(reply: Reply) -> Reply | None:
    """``Refused`` in place of ``Authorised``, and the other way round; None for an answer of neither kind."""
    try:
        body = orjson.loads(reply.body)
        result = body["resultCode"]
    except (ValueError, KeyError, TypeError):
        return None
    if result == "Authorised":
        body |= {"resultCode": "Refused", "refusalReason": "Refused", "refusalReasonCode": "2"}
    elif result == "Refused":
        body["resultCode"] = "Authorised"
        for field in ("refusalReason", "refusalReasonCode"):
            body.pop(field, None)
    else:
        return None
    return Reply(200, orjson.dumps(body), reply.result, reply.headers)
