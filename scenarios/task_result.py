"""What became of a user's task other than a payment, and what of a payment it is judged by."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from scenarios.checkout import PlannedPayment
from scenarios.wire import Answer

_FINAL = frozenset({"succeeded", "declined"})
"""Outcomes that do not change any more; one that is pending becomes another."""


@dataclass(slots=True)
class OwnPayment:
    """A payment that a user made, and what it was told of it."""

    planned: PlannedPayment
    order: str
    id: str
    outcome: str
    refunded: bool = False


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What became of a task other than a payment: a ``journal.records.TaskOutcome``, and why it is not ok."""

    outcome: str
    error: str = ""


def judge_look_up(payment: OwnPayment, answer: Answer) -> TaskResult:
    """Compare a payment with what the user was told of it."""
    claim = _claim(answer)
    if answer.status != 200:
        return TaskResult(
            "unknown" if answer.status >= 500 else "failed", f"look-up answered HTTP {answer.status}"
        )
    planned, status = payment.planned, claim.get("status")
    if claim.get("order_id") != payment.order:
        return TaskResult("failed", "look-up answered another order")
    if (claim.get("amount_minor"), claim.get("currency")) != (planned.amount_minor, planned.currency):
        return TaskResult("failed", "look-up answered another amount or currency")
    if payment.outcome in _FINAL and status != payment.outcome:
        return TaskResult("failed", f"was told {payment.outcome}, look-up says {status}")
    return TaskResult("ok")


def judge_refund(payment: OwnPayment, answer: Answer) -> TaskResult:
    """Whether the whole payment was refunded."""
    claim = _claim(answer)
    status = claim.get("status")
    if answer.status == 201 and status == "succeeded":
        if claim.get("amount_minor") != payment.planned.amount_minor:
            return TaskResult("failed", "another amount was refunded")
        return TaskResult("ok")
    unknown = answer.status == 202 or (answer.status >= 500 and status != "failed")
    said = f" {status}" if isinstance(status, str) else ""
    return TaskResult("unknown" if unknown else "failed", f"refund answered HTTP {answer.status}{said}")


def _claim(answer: Answer) -> dict[str, object]:
    try:
        claim = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return claim if isinstance(claim, dict) else {}


def payment_id(answer: Answer) -> str:
    """The platform's id of the payment that it answered with; empty if it named none."""
    value = _claim(answer).get("id")
    return value if isinstance(value, str) else ""
