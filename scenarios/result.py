"""What the client makes of the platform's answer to one payment."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from scenarios.checkout import PlannedPayment
from scenarios.wire import Answer

_OUTCOMES = frozenset({"succeeded", "declined", "pending", "canceled", "failed", "unknown"})
_STATUSES = {"succeeded": (201, 200), "declined": (402,), "pending": (202,), "unknown": (202,)}
"""Outcome -> the HTTP statuses that go with it; the other outcomes are never expected."""


class Result(NamedTuple):
    """What one payment came to, as the client saw it. ``error`` is empty only if it went as planned."""

    outcome: str
    error: str
    gateway: str


def judge(planned: PlannedPayment, order: str, answer: Answer) -> Result:
    """Compare the platform's answer with the plan.

    An answer that is no payment is classed by its status: 4xx was refused before anything happened, any
    other may have been carried out, so its outcome is unknown.
    """
    try:
        claim = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        claim = None
    if not isinstance(claim, dict):
        claim = {}
    status = claim.get("status")
    outcome = status if isinstance(status, str) and status in _OUTCOMES else None
    if outcome is None:
        outcome = "failed" if 400 <= answer.status < 500 else "unknown"
        return Result(outcome, f"HTTP {answer.status} without a payment's status", "")
    gateway = claim.get("gateway")
    gateway = gateway if isinstance(gateway, str) else ""
    return Result(outcome, _deviation(planned, order, outcome, claim, answer.status), gateway)


def _deviation(
    planned: PlannedPayment, order: str, outcome: str, claim: dict[str, object], status: int
) -> str:
    if outcome != planned.expected:
        reason = claim.get("error") or claim.get("decline_code") or ""
        return f"{outcome}, expected {planned.expected}" + (f": {reason}" if reason else "")
    if status not in _STATUSES.get(outcome, ()):
        return f"says {outcome} with HTTP {status}"
    if claim.get("order_id", order) != order:
        return "answered with another order"
    if claim.get("amount_minor") != planned.amount_minor or claim.get("currency") != planned.currency:
        return f"asked {planned.amount_minor} {planned.currency}, answered with another amount or currency"
    if planned.decline_code and claim.get("decline_code") != planned.decline_code:
        return f"declined as {claim.get('decline_code')}, expected {planned.decline_code}"
    return ""
