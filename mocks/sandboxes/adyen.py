"""Adyen's test platform: a host of its own. Its API keys don't tell test from live; a live key opens nothing
on the test host (second-hand), and no other host is called. Its rate limits are not published; 20 requests a
second are assumed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from journal.records import Movement
from mocks.gateways.rate_limit import Limit
from mocks.outbound import Client
from mocks.platform.connectors.connector import Caller
from mocks.sandboxes.keys import Credentials, Key
from mocks.sandboxes.records import Ask, Records, Run
from mocks.sandboxes.sandbox import Authorised, Forwarded, Notes, Sandbox, contents

_API_KEY = Key("PAYDRILL_ADYEN_KEY", "API key", "key")
_MERCHANT = Key("PAYDRILL_ADYEN_MERCHANT", "merchant account", "merchant")

_PAYMENTS = re.compile(r"/v\d+/payments(?:/details)?(?:\?|$)")
_REFUNDS = re.compile(r"/v\d+/payments/([^/?]+)/(refunds|reversals|cancels)(?:\?|$)")


class Adyen(Sandbox):
    """Adyen lists no payments: what its account holds is told by webhooks, which need an address that it can
    reach, and by reports, which come a day later. What stands in is what the proxy saw Adyen answer.

    A payment that was authorised counts as captured: a merchant account captures at once unless it is set to
    do otherwise.
    """

    name = "adyen"
    host = "checkout-test.adyen.com"
    keys = (_API_KEY, _MERCHANT)
    limit = Limit(20)
    limit_source = "assumed: 20 requests a second; Adyen publishes no limit"
    requests = 1

    def caller(self, client: Client, credentials: Credentials) -> Caller:
        return Authorised(client, (("x-api-key", credentials[_API_KEY.variable]),))

    def notes(self) -> Notes:
        return AdyenNotes()

    async def records(self, ask: Ask, run: Run, notes: Notes) -> Records:
        assert isinstance(notes, AdyenNotes)
        movements, others = notes.movements(run)
        lost = notes.lost(run)
        missing = ""
        if lost:
            shown = ", ".join(lost[:5]) + (" and more" if len(lost) > 5 else "")
            missing = (
                f"Adyen's last answers about {len(lost)} orders never came, and it lists no payments: "
                f"whether they were charged or refunded is not known ({shown})"
            )
        return Records(
            tuple(movements),
            len(notes.answered),
            others,
            f"what {self.host} answered through the proxy; Adyen lists no payments",
            (
                "payments that did not pass through the proxy",
                "whether the account captures at once: an authorised payment is taken for captured",
                "refunds that Adyen received and that fail later; disputes, fees and payouts: they come by "
                "webhook and report",
            ),
            missing,
        )


@dataclass(slots=True)
class _Answered:
    """A payment or modification that Adyen answered; ``at_ns`` is Unix time."""

    body: dict[str, Any]
    asked: dict[str, Any]
    at_ns: int


@dataclass(slots=True)
class AdyenNotes:
    """What Adyen answered to payments and their modifications.

    Attributes:
        answered: ``pspReference`` -> the payment; a replay has the same.
        refunds: ``pspReference`` of a refund -> the payment's and the refund.
    """

    answered: dict[str, _Answered] = field(default_factory=dict)
    refunds: dict[str, tuple[str, _Answered]] = field(default_factory=dict)
    _open: dict[str, tuple[str, str]] = field(default_factory=dict)
    # Idempotency key -> the reference, and the payment that was to be modified; no answer has come yet.

    def wants(self, method: str, target: str) -> bool:
        return method == "POST" and bool(_PAYMENTS.match(target) or _REFUNDS.match(target))

    def take(self, forwarded: Forwarded) -> None:
        asked = _object(forwarded.body)
        # One idempotency key is one payment, however often it is sent.
        reference = str(asked.get("reference") or "")
        key = forwarded.headers.get("idempotency-key") or reference
        answer = forwarded.answer
        modification = _REFUNDS.match(forwarded.target)
        if answer is None or answer.status >= 500:
            self._open[key] = (reference, modification[1] if modification else "")
            return
        body = _object(contents(answer))
        if answer.status >= 400 and (str(body.get("errorCode")) == "704" or answer.status in (408, 429)):
            return  # an earlier request with this key is under way, or nothing was decided
        self._open.pop(key, None)
        psp = str(body.get("pspReference") or "")
        if not psp or answer.status not in (200, 201):
            return
        noted = _Answered(body, asked, time.time_ns())
        if modification is None:
            earlier = self.answered.get(psp)
            if earlier is None or (earlier.body.get("resultCode") != "Authorised"):
                self.answered[psp] = noted
        elif modification[2] == "refunds":
            self.refunds.setdefault(psp, (modification[1], noted))

    def lost(self, run: Run) -> list[str]:
        """The orders of a run whose payment or refund Adyen was asked for and gave no answer about."""
        found = set()
        for reference, psp in self._open.values():
            payment = self.answered.get(psp)
            found.add(_order(payment) if payment is not None else reference)
        return sorted(order for order in found if run.owns(order))

    def movements(self, run: Run) -> tuple[list[Movement], int]:
        """The movements of a run, and how many payments are not of it."""
        found, others = [], 0
        orders: dict[str, str] = {}
        for psp, noted in self.answered.items():
            order = _order(noted)
            if not run.owns(order):
                others += 1
                continue
            orders[psp] = order
            amount = _amount(noted.body) or _amount(noted.asked)
            if noted.body.get("resultCode") == "Authorised" and amount:
                found.append(Movement("adyen", "capture", psp, "", order, *amount, noted.at_ns))
        for psp, (parent, noted) in self.refunds.items():
            amount = _amount(noted.body) or _amount(noted.asked)
            if parent in orders and amount and noted.body.get("status") == "received":
                found.append(Movement("adyen", "refund", psp, parent, orders[parent], *amount, noted.at_ns))
        return found, others


def _order(noted: _Answered) -> str:
    return str(noted.body.get("merchantReference") or noted.asked.get("reference") or "")


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _amount(body: Mapping[str, Any]) -> tuple[int, str] | None:
    amount = body.get("amount")
    if not isinstance(amount, dict):
        return None
    value, currency = amount.get("value"), amount.get("currency")
    return (value, currency) if isinstance(value, int) and isinstance(currency, str) else None
