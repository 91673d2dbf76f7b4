"""The opposite of what GoCardless' answer says of a payment."""

from __future__ import annotations

import orjson

from mocks.reply import Reply

_OVER = ("failed", "cancelled", "charged_back", "customer_approval_denied")


def contradiction_of(reply: Reply) -> Reply | None:
    """HTTP 200 with a payment that ``failed`` in place of one that is on its way or paid, and ``confirmed``
    in place of one that is over; None for an answer that holds no payment."""
    try:
        body = orjson.loads(reply.body)
        payment = body["payments"]
        payment["status"] = "confirmed" if payment["status"] in _OVER else "failed"
    except (ValueError, KeyError, TypeError):
        return None
    return Reply(200, orjson.dumps(body), reply.result, reply.headers)
