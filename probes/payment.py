"""The ``payment`` probe: make a small payment through the platform, verify it, refund it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from probes.probe import OK, Attempt, Finding, failed, unknown
from probes.wire import Answer, LostError

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)

# Outcomes after which no money has moved.
_NOT_TAKEN = frozenset({"declined", "failed", "canceled"})


async def probe(attempt: Attempt) -> Finding:
    """Make a payment once, verify its amount, currency and outcome, and refund it.

    What the platform must answer: ``POST /payments`` 201 with status ``succeeded``, then
    ``POST /payments/{id}/refunds`` 201 with status ``succeeded`` and the whole amount.

    ``unknown`` when it cannot be told what became of the payment or the refund: 202, or no whole answer
    after the request was sent. ``fail`` for any other answer, and when nothing could be sent. Whenever the
    payment may have been taken and was not refunded, the finding carries a cleanup that asks again with the
    same idempotency key and refunds.
    """
    purchase = Purchase(attempt)
    attempt.exposure = f"{attempt.order_id} may have been charged"
    try:
        answer = await purchase.create(attempt.deadline)
    except LostError as lost:
        if lost.sent:
            return unknown(lost.phase, f"{lost.reason}; {attempt.exposure}", purchase.settle)
        attempt.exposure = ""
        return (unknown if lost.phase == "prober" else failed)(lost.phase, lost.reason)
    judgement = judge(answer, purchase.order)
    if not judgement.exposed:
        attempt.exposure = ""
        return judgement.finding
    purchase.id = judgement.id
    if judgement.finding.outcome != "ok":
        found = judgement.finding
        return Finding(found.outcome, found.phase, f"{found.detail}; {attempt.exposure}", purchase.settle)
    attempt.exposure = f"{attempt.order_id} was charged and may not have been refunded"
    try:
        answer = await purchase.refund(attempt.deadline)
    except LostError as lost:
        result = unknown if lost.sent or lost.phase == "prober" else failed
        return result("refund", f"{lost.reason}; {attempt.exposure}", purchase.settle)
    finding = judge_refund(answer, purchase.order["amount_minor"])
    if finding.outcome != "ok":
        detail = f"{finding.detail}; {attempt.exposure}"
        return Finding(finding.outcome, finding.phase, detail, purchase.settle)
    attempt.exposure = ""
    return OK


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer to ``POST /payments`` means.

    Attributes:
        finding: What it says of the platform.
        exposed: Whether money may have moved.
        id: The platform's id of the payment; empty when it gave none that can be used.
    """

    finding: Finding
    exposed: bool
    id: str = ""


def judge(answer: Answer, order: Mapping[str, Any]) -> Judgement:
    """Judge the answer to ``POST /payments`` by what was ordered."""
    claim = _claim(answer)
    status, payment_id = _status(claim), _payment_id(claim)
    text = f"answered {answer.status}" + (f" {status!r}" if status else "")
    if answer.status == 202:
        return Judgement(unknown("answer", text), True, payment_id)
    if answer.status == 201 and status == "succeeded":
        wrong = [
            f"{name} {_short(claim.get(name))}, not {_short(order[name])}"
            for name in ("order_id", "amount_minor", "currency")
            if not _same(claim.get(name), order[name])
        ]
        if not payment_id:
            wrong.append(f"id {_short(claim.get('id'))}, which names no payment")
        finding = failed("verify", f"{text} with {', '.join(wrong)}") if wrong else OK
        return Judgement(finding, True, payment_id)
    # A 4xx refuses the request before money moves, but a conflict or a server's time-out does not say so;
    # and no status outweighs a body that says that the payment succeeded.
    refused = 400 <= answer.status < 500 and answer.status not in (408, 409)
    exposed = status not in _NOT_TAKEN and not (refused and not status)
    return Judgement(failed("verify", f"{text}, not 201 'succeeded'"), exposed, payment_id)


def judge_refund(answer: Answer, amount_minor: int) -> Finding:
    """Judge the answer to ``POST /payments/{id}/refunds``."""
    claim = _claim(answer)
    status = _status(claim)
    text = f"refund answered {answer.status}" + (f" {status!r}" if status else "")
    if answer.status == 202:
        return unknown("refund", text)
    if answer.status != 201 or status != "succeeded":
        return failed("refund", f"{text}, not 201 'succeeded'")
    if not _same(claim.get("amount_minor"), amount_minor):
        return failed(
            "refund", f"{text} with amount_minor {_short(claim.get('amount_minor'))}, not {amount_minor}"
        )
    return OK


class Purchase:
    """One payment of the probe and its refund, each with one idempotency key for as often as it is sent.

    Attributes:
        order: The body of ``POST /payments``.
        id: The platform's id of the payment, empty while it is not known.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._wire = attempt.wire
        self._payments = f"{attempt.url.rstrip('/')}/payments"
        self.order: dict[str, Any] = {
            "order_id": attempt.order_id,
            **{name: attempt.params[name] for name in ("amount_minor", "currency", "method", "instrument")},
        }
        self.id = ""

    async def create(self, deadline: float | None = None) -> Answer:
        """Raises LostError."""
        headers = {"Idempotency-Key": self.order["order_id"]}
        return await self._wire.request(
            "POST", self._payments, deadline=deadline, json=self.order, headers=headers
        )

    async def refund(self, deadline: float | None = None) -> Answer:
        """Raises LostError."""
        headers = {"Idempotency-Key": f"{self.order['order_id']}-refund"}
        return await self._wire.request(
            "POST", f"{self._payments}/{self.id}/refunds", deadline=deadline, json={}, headers=headers
        )

    async def settle(self) -> str:
        """One try to learn what became of the payment, and to refund it if it was taken.

        Sends the payment again under its key: if it never arrived before, it is made now, and refunded. Only
        an outcome in the body counts; an error says nothing of the first request.

        Returns:
            An empty text when no money is left moved; else what is left, and why.
        """
        order_id = self.order["order_id"]
        try:
            claim = _claim(await self.create())
            self.id = _payment_id(claim) or self.id
            if self.id and _status(claim) not in {"succeeded", *_NOT_TAKEN}:
                claim = _claim(await self._wire.request("GET", f"{self._payments}/{self.id}"))
            status = _status(claim)
            if status in _NOT_TAKEN:
                return ""
            if status != "succeeded" or not self.id:
                return f"{order_id} may have been charged: the platform says {status or 'no outcome'!r}"
            answer = await self.refund()
        except LostError as lost:
            return f"{order_id} may have been charged: {lost.reason}"
        # What was taken has to come back, even when it is not what was ordered.
        taken = claim.get("amount_minor")
        finding = judge_refund(answer, taken if type(taken) is int else self.order["amount_minor"])
        return "" if finding.outcome == "ok" else f"{order_id} was charged: {finding.detail}"


def _claim(answer: Answer) -> dict[str, Any]:
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _status(claim: Mapping[str, Any]) -> str:
    status = claim.get("status")
    return status[:40] if isinstance(status, str) else ""


def _payment_id(claim: Mapping[str, Any]) -> str:
    payment_id = claim.get("id")
    return payment_id if isinstance(payment_id, str) and _ID.fullmatch(payment_id) else ""


def _same(claimed: object, ordered: object) -> bool:
    # 100.0 and True equal ints in Python; as money on the wire they are wrong.
    return type(claimed) is type(ordered) and claimed == ordered


def _short(value: object) -> str:
    return repr(value)[:60]
