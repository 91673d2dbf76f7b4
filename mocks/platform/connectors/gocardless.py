"""GoCardless: bank debits. A checkout makes a customer, a bank account and a mandate, then the payment.

Wire: JSON in an envelope named after the resource, Bearer token, ``GoCardless-Version``, ``Idempotency-Key``;
a key that has created something answers 409 ``idempotent_creation_conflict`` with the identifier of what it
created (https://developer.gocardless.com/api-reference/#making-requests-idempotency-keys).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from mocks.outbound import Answer, Call
from mocks.platform.connectors.connector import (
    Ask,
    Connector,
    Payout,
    Step,
    json_object,
    listed,
    prepare,
    throttled,
    unreadable,
)
from mocks.platform.payment import Payment, Refund
from mocks.platform.vault import BANK_ACCOUNTS, INSTRUMENTS
from mocks.platform.verdict import Kind, Verdict, not_taken, unknown

_MOCK_ACCESS = "sandbox_paydrill"
"""A mock takes any token but a live one. This one opens nothing anywhere."""
_STEPS = ("customers", "customer_bank_accounts", "mandates")
_COLLECTING = ("pending_customer_approval", "pending_submission", "submitted")
_COLLECTED = ("confirmed", "paid_out", "charged_back")
_CONFLICTS = {
    "idempotent_creation_conflict": "conflicting_resource_id",
    "bank_account_exists": "customer_bank_account",
}


class GoCardless(Connector):
    """GoCardless' words.

    A payment that was created is ``ACCEPTED``: whether its bank pays is known days later. Taken means
    ``confirmed``; a debit that fails or is charged back after that was taken, and is a dispute.

    How it finds out what became of a charge: a payment with a reference is looked up. One without is created
    under its keys anew, which makes what is missing and finds what is there: nothing is made twice, but a
    payment whose customer was told "unknown" may be made late. Keys are kept for 30 days (second-hand).
    """

    name = "gocardless"
    methods = ("bank",)
    currencies = frozenset(BANK_ACCOUNTS)

    def __init__(self, token: str = _MOCK_ACCESS) -> None:
        self._headers = (
            ("authorization", f"Bearer {token}"),
            ("gocardless-version", "2015-07-06"),
            ("content-type", "application/json"),
        )

    def step(self, payment: Payment, made: tuple[str, ...]) -> Step | None:
        if len(made) == len(_STEPS):
            return None
        resource = _STEPS[len(made)]
        given_name = INSTRUMENTS[payment.instrument].payer
        body: dict[str, Any]
        if resource == "customers":
            body = {"given_name": given_name, "family_name": "Payer", "email": "payer@example.test"}
        elif resource == "customer_bank_accounts":
            body = {
                "account_holder_name": f"{given_name} Payer",
                **BANK_ACCOUNTS[payment.currency],
                "links": {"customer": made[0]},
            }
        else:
            body = {"links": {"customer_bank_account": made[1]}}
        return Step(self._create(resource, body, f"{payment.id}-{resource}"), _created)

    def charge(self, payment: Payment, made: tuple[str, ...] = ()) -> Call:
        body = {
            "amount": payment.amount_minor,
            "currency": payment.currency,
            "metadata": {"order_id": payment.order_id, "payment_id": payment.id},
            "links": {"mandate": made[2]},
        }
        return self._create("payments", body, f"{payment.id}-gocardless")

    def charged(self, answer: Answer) -> Verdict:
        verdict = _created(answer)
        return verdict if verdict.kind is not Kind.TAKEN else Verdict(Kind.ACCEPTED, verdict.reference)

    async def find_out(self, payment: Payment, ask: Ask, *, in_flight: bool) -> Verdict:
        reference = payment.reference
        if not reference:
            made = await prepare(self, payment, ask)
            if isinstance(made, Verdict):
                return unknown(made.reason)
            verdict = self.charged(await ask(self.charge(payment, made)))
            if verdict.kind is not Kind.ACCEPTED:
                return verdict
            reference = verdict.reference
        return await self._look_up(reference, ask)

    def refund(self, refund: Refund, payment: Payment) -> Call:
        body = {
            "amount": refund.amount_minor,
            "total_amount_confirmation": payment.refunded_minor + refund.amount_minor,
            "metadata": {"order_id": payment.order_id, "refund_id": refund.id},
            "links": {"payment": payment.reference},
        }
        return self._create("refunds", body, f"{refund.id}-gocardless")

    def refunded(self, answer: Answer) -> Verdict:
        return _created(answer)

    async def payout(self, reference: str, ask: Ask) -> Payout | None:
        answer = await ask(self._get(f"/payouts/{quote(reference, safe='')}"))
        payout = json_object(answer).get("payouts")
        if answer.status != 200 or not isinstance(payout, dict):
            return None
        amount, fee = payout.get("amount"), payout.get("deducted_fees")
        if not isinstance(amount, int) or not isinstance(fee, int):
            return None
        return Payout(reference, amount, fee, str(payout.get("currency", "")))

    async def payouts(self, ask: Ask) -> tuple[str, ...]:
        return listed(await ask(self._get("/payouts?status=paid&limit=500")), "payouts")

    async def _look_up(self, reference: str, ask: Ask) -> Verdict:
        answer = await ask(self._get(f"/payments/{quote(reference, safe='')}"))
        if answer.status == 429:
            return throttled(answer)
        payment = json_object(answer).get("payments")
        if answer.status != 200 or not isinstance(payment, dict):
            return unreadable(answer)
        status = payment.get("status")
        if status in _COLLECTING:
            return Verdict(Kind.ACCEPTED, reference)
        if status in _COLLECTED:
            return Verdict(Kind.TAKEN, reference)
        if status in ("cancelled", "customer_approval_denied"):
            return not_taken(f"the payment is {status}")
        if status == "failed":
            return await self._failed(reference, ask)
        return unknown(f"the payment is {status}")

    async def _failed(self, reference: str, ask: Ask) -> Verdict:
        """A payment does not say whether it failed before or after it had been confirmed; its events do."""
        answer = await ask(self._get(f"/events?payment={quote(reference, safe='')}&limit=500"))
        if answer.status == 429:
            return throttled(answer)
        events = json_object(answer).get("events")
        if answer.status != 200 or not isinstance(events, list):
            return unreadable(answer)
        actions = {str(event.get("action")): event for event in events}
        if "confirmed" in actions:
            return Verdict(Kind.TAKEN, reference)
        cause = str(actions.get("failed", {}).get("details", {}).get("cause", ""))
        code = "insufficient_funds" if cause == "insufficient_funds" else "generic_decline"
        return Verdict(Kind.DECLINED, reference, code, "the bank did not pay")

    def _create(self, resource: str, body: dict[str, Any], key: str) -> Call:
        headers = (*self._headers, ("idempotency-key", key))
        return Call("POST", f"/{resource}", headers, orjson.dumps({resource: body}))

    def _get(self, target: str) -> Call:
        return Call("GET", target, self._headers[:2])


def _created(answer: Answer) -> Verdict:
    """``TAKEN`` with the identifier of what was created, now or by an earlier request with the same key."""
    status, body = answer.status, json_object(answer)
    if status == 201 and len(body) == 1:
        (resource,) = body.values()
        return Verdict(Kind.TAKEN, str(resource.get("id", "")))
    if status == 429:
        return throttled(answer)
    if status == 409:
        for error in body.get("error", {}).get("errors", ()):
            link = error.get("links", {}).get(_CONFLICTS.get(str(error.get("reason")), ""))
            if link:
                return Verdict(Kind.TAKEN, str(link))
        return Verdict(Kind.BUSY, reason="gocardless answered with a conflict")
    if 400 <= status < 500:
        return not_taken(f"gocardless refused the request ({status})")
    return unreadable(answer)
