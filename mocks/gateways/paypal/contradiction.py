"""The opposite of what PayPal's answer says of a payment."""

from __future__ import annotations

from typing import Any

import orjson

from mocks.reply import Reply

_OPPOSITE = {"COMPLETED": "DECLINED", "DECLINED": "COMPLETED"}
_RESPONSE = {"avs_code": "A", "cvv_code": "N", "response_code": "0500"}


def contradiction_of(reply: Reply) -> Reply | None:
    """The same with every capture DECLINED that is COMPLETED, and the other way round: of an order, or the
    capture itself. None for an answer that holds no such capture."""
    try:
        body = orjson.loads(reply.body)
        captures = _captures_of(body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    turned = [capture for capture in captures if capture.get("status") in _OPPOSITE]
    if not turned or not 200 <= reply.status < 300:
        return None
    for capture in turned:
        capture["status"] = _OPPOSITE[capture["status"]]
        if capture["status"] == "DECLINED":
            capture["processor_response"] = _RESPONSE
        else:
            capture.pop("processor_response", None)
    return Reply(200, orjson.dumps(body), reply.result, reply.headers)


def _captures_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    if "purchase_units" not in body:
        return [body] if "final_capture" in body else []
    return [
        capture for unit in body["purchase_units"] for capture in unit.get("payments", {}).get("captures", ())
    ]
