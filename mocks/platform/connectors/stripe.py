"""Stripe: PaymentIntents created and confirmed in one request, searched by metadata, refunded.

Wire: form-encoded requests, JSON answers, ``Idempotency-Key`` on every POST
(https://docs.stripe.com/api/payment_intents, https://docs.stripe.com/api/idempotent_requests).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from mocks.outbound import Answer, Call
from mocks.platform.connectors.connector import (
    Ask,
    Connector,
    Payout,
    json_object,
    listed,
    throttled,
    unreadable,
)
from mocks.platform.payment import Payment, Refund
from mocks.platform.vault import INSTRUMENTS
from mocks.platform.verdict import Kind, Verdict, not_taken, unknown

_INTENTS = "/v1/payment_intents"
_FORM = ("content-type", "application/x-www-form-urlencoded")
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
_MOCK_KEY = "sk_test_paydrill"
"""A mock takes any test key. This one opens nothing anywhere."""


class Stripe(Connector):
    """Stripe's words.

    How it finds out what became of a charge: it searches for the payment first, because a look-up can't
    charge anybody. Finding nothing proves nothing yet, an earlier attempt may still be under way. So it then
    puts a *fence* under the charge's own idempotency key: an intent that is not confirmed and moves no
    money. If Stripe accepts it, the key was free, and is now taken for ever: an attempt that arrives late
    is refused for its other parameters. If Stripe refuses the fence, the charge holds the key, and a replay
    of the charge returns its stored outcome without charging anew.

    When Stripe answers even the fence with a 5xx, but has answered every attempt before, nothing is under
    way and the look-up stands. That takes a search that sees at once what was written, which the mock's does;
    with the real one, which may lag by a minute, such a payment would have to stay unknown.
    """

    name = "stripe"
    methods = ("card", "apple_pay", "google_pay")

    def __init__(self, key: str = _MOCK_KEY) -> None:
        self._authorization = ("authorization", f"Bearer {key}")

    def charge(self, payment: Payment, made: tuple[str, ...] = ()) -> Call:
        form = self._form(payment)
        form["confirm"] = "true"
        form["payment_method"] = INSTRUMENTS[payment.instrument].stripe
        return self._post(_INTENTS, form, self._key(payment))

    def charged(self, answer: Answer) -> Verdict:
        status = answer.status
        if status == 200:
            return self._of_intent(json_object(answer)) or unreadable(answer)
        if status == 402:
            error = _error(answer)
            intent = error.get("payment_intent")
            reference = str(intent.get("id", "")) if isinstance(intent, dict) else ""
            return Verdict(Kind.DECLINED, reference, _decline_code(error), "the card was declined")
        if status == 429:
            return throttled(answer)
        if status == 409:
            return Verdict(Kind.BUSY, reason="the idempotency key is in use")
        if 400 <= status < 500:
            error = _error(answer)
            if error.get("type") == "idempotency_error":
                # The key was used with other parameters: by a fence, or by somebody else. Not ours to judge.
                return unknown("the idempotency key belongs to another request")
            return not_taken(f"stripe refused the request ({status})")
        return unreadable(answer)

    async def find_out(self, payment: Payment, ask: Ask, *, in_flight: bool) -> Verdict:
        found = await self._look_up(payment, ask)
        if found.kind is not Kind.NOT_TAKEN:
            return found
        fence = await ask(self._fence(payment))
        if fence.status == 200:
            await self._tidy(fence, ask)
            return not_taken("stripe has no such payment")
        if fence.status == 429:
            return throttled(fence)
        if fence.status == 409:
            return Verdict(Kind.BUSY, reason="the idempotency key is in use")
        if fence.status >= 500 and not in_flight:
            return found
        if fence.status != 400 or _error(fence).get("type") != "idempotency_error":
            return unreadable(fence)
        replay = await ask(self.charge(payment))
        if replay.status >= 500 and replay.headers.get("idempotent-replayed") == "true":
            # Stripe keeps even a 500 under its key. The charge is over, so what it left can be seen now.
            return await self._look_up(payment, ask)
        return self.charged(replay)

    def refund(self, refund: Refund, payment: Payment) -> Call:
        form = {
            "payment_intent": payment.reference,
            "amount": str(refund.amount_minor),
            "metadata[order_id]": payment.order_id,
            "metadata[refund_id]": refund.id,
        }
        return self._post("/v1/refunds", form, f"{refund.id}-stripe")

    def refunded(self, answer: Answer) -> Verdict:
        status = answer.status
        if status == 200:
            body = json_object(answer)
            state = body.get("status")
            if state in ("succeeded", "pending"):
                return Verdict(Kind.TAKEN, str(body.get("id", "")))
            if state in ("failed", "canceled"):
                return Verdict(Kind.DECLINED, str(body.get("id", "")), reason="stripe could not refund it")
            return unknown(f"the refund is {state}")
        if status == 429:
            return throttled(answer)
        if status == 409:
            return Verdict(Kind.BUSY, reason="the idempotency key is in use")
        if 400 <= status < 500:
            if _error(answer).get("type") == "idempotency_error":
                return unknown("the idempotency key belongs to another request")
            return not_taken(f"stripe refused the refund ({status})")
        return unreadable(answer)

    async def payout(self, reference: str, ask: Ask) -> Payout | None:
        answer = await ask(Call("GET", f"/v1/payouts/{quote(reference, safe='')}", (self._authorization,)))
        payout = json_object(answer)
        amount, currency = payout.get("amount"), payout.get("currency")
        if answer.status != 200 or not isinstance(amount, int) or not isinstance(currency, str):
            return None
        fee, after, more = 0, "", True
        while more:
            query = f"payout={quote(reference, safe='')}&limit=100{after}"
            answer = await ask(Call("GET", f"/v1/balance_transactions?{query}", (self._authorization,)))
            page = json_object(answer)
            lines = page.get("data")
            if answer.status != 200 or not isinstance(lines, list):
                return None
            fee += sum(int(line["fee"]) for line in lines)
            more = bool(page.get("has_more")) and bool(lines)
            after = f"&starting_after={lines[-1]['id']}" if more else ""
        return Payout(reference, amount, fee, currency.upper())

    async def payouts(self, ask: Ask) -> tuple[str, ...]:
        answer = await ask(Call("GET", "/v1/payouts?status=paid&limit=100", (self._authorization,)))
        return listed(answer, "data")

    async def _look_up(self, payment: Payment, ask: Ask) -> Verdict:
        query = quote(f"metadata['order_id']:'{_quoted(payment.order_id)}'", safe="")
        answer = await ask(Call("GET", f"{_INTENTS}/search?query={query}&limit=100", (self._authorization,)))
        if answer.status == 429:
            return throttled(answer)
        intents = json_object(answer).get("data")
        if answer.status != 200 or not isinstance(intents, list):
            return unreadable(answer)
        for intent in intents:
            # An order can have had other payments: a declined card, then another one.
            if isinstance(intent, dict) and _metadata(intent, "payment_id") == payment.id:
                verdict = self._of_intent(intent)
                if verdict is not None:
                    return verdict
        return not_taken("stripe has no such payment")

    def _fence(self, payment: Payment) -> Call:
        form = self._form(payment)
        form["metadata[fence]"] = "true"
        return self._post(_INTENTS, form, self._key(payment))

    async def _tidy(self, fence: Answer, ask: Ask) -> None:
        """Cancel the fence's intent, so that no open intent is left behind; it is harmless if that fails."""
        intent = json_object(fence)
        if intent.get("id") and intent.get("status") != "canceled":
            await ask(Call("POST", f"{_INTENTS}/{intent['id']}/cancel", (self._authorization, _FORM)))

    def _of_intent(self, intent: dict[str, Any]) -> Verdict | None:
        """What the state of an intent says; ``None`` when it says nothing about a charge: it was never
        confirmed, or is a fence."""
        reference = str(intent.get("id", ""))
        status = intent.get("status")
        if status == "succeeded":
            return Verdict(Kind.TAKEN, reference)
        if status == "requires_payment_method" and isinstance(intent.get("last_payment_error"), dict):
            code = _decline_code(intent["last_payment_error"])
            return Verdict(Kind.DECLINED, reference, code, "the card was declined")
        if status in ("processing", "requires_action", "requires_capture"):
            return Verdict(Kind.BUSY, reference, reason=f"the payment is {status}")
        return None

    def _form(self, payment: Payment) -> dict[str, str]:
        return {
            "amount": str(payment.amount_minor),
            "currency": payment.currency.lower(),
            "payment_method_types[]": "card",
            "metadata[order_id]": payment.order_id,
            "metadata[payment_id]": payment.id,
        }

    def _key(self, payment: Payment) -> str:
        return f"{payment.id}-stripe"

    def _post(self, target: str, form: dict[str, str], key: str) -> Call:
        headers = (self._authorization, _FORM, ("idempotency-key", key))
        return Call("POST", target, headers, _encoded(form))


def _encoded(form: Mapping[str, str]) -> bytes:
    """As ``urllib.parse.urlencode`` does it, for names that come again and values that are mostly plain."""
    pairs = [
        f"{_quoted_name(name)}={value if _PLAIN.fullmatch(value) else quote_plus(value)}"
        for name, value in form.items()
    ]
    return "&".join(pairs).encode("ascii")


@functools.lru_cache(64)
def _quoted_name(name: str) -> str:
    return quote_plus(name)


def _error(answer: Answer) -> dict[str, Any]:
    error = json_object(answer).get("error")
    return error if isinstance(error, dict) else {}


def _decline_code(error: dict[str, Any]) -> str:
    # ``card_declined`` is refined by ``decline_code``; other codes (expired_card, ...) stand for themselves.
    code = str(error.get("code") or "")
    return str(error.get("decline_code") or "generic_decline") if code in ("", "card_declined") else code


def _metadata(intent: dict[str, Any], name: str) -> object:
    metadata = intent.get("metadata")
    return metadata.get(name) if isinstance(metadata, dict) else None


def _quoted(text: str) -> str:
    """Text inside the quotes of Stripe's search language."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
