"""GoCardless' sandbox: a host of its own, and tokens that begin with ``sandbox_``
(https://developer.gocardless.com/getting-started/api/making-your-first-request; that every sandbox token
begins so is second-hand). 1000 requests a minute (second-hand).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journal.records import Movement
from mocks.gateways.rate_limit import Limit
from mocks.outbound import Client
from mocks.platform.connectors.connector import Caller
from mocks.sandboxes.keys import Credentials, Key
from mocks.sandboxes.records import Ask, Records, RecordsError, Run, iso, pages, unix_ns
from mocks.sandboxes.sandbox import Authorised, NoNotes, Notes, Sandbox

TEST_TOKENS = ("sandbox_",)
_TOKEN = Key("PAYDRILL_GOCARDLESS_TOKEN", "access token", "token", TEST_TOKENS)
_PAGE = "500"


@dataclass(frozen=True, slots=True)
class _Payment:
    order: str
    amount_minor: int
    currency: str


class GoCardless(Sandbox):
    """Its records: payments, their events and refunds, listed by time of creation. A payment's money moves
    when it is confirmed, which the payment itself no longer tells once it has gone on; its events do."""

    name = "gocardless"
    host = "api-sandbox.gocardless.com"
    keys = (_TOKEN,)
    limit = Limit(1000, period_s=60.0)
    limit_source = "1000 requests a minute (second-hand)"
    requests = 4

    def caller(self, client: Client, credentials: Credentials) -> Caller:
        return Authorised(
            client,
            (
                ("authorization", f"Bearer {credentials[_TOKEN.variable]}"),
                ("gocardless-version", "2015-07-06"),
            ),
        )

    def notes(self) -> Notes:
        return NoNotes()

    async def records(self, ask: Ask, run: Run, notes: Notes) -> Records:
        own: dict[str, _Payment] = {}
        payments = 0
        async for row in _listed(ask, "payments", run, {}):
            payments += 1
            order = str((row.get("metadata") or {}).get("order_id", ""))
            if run.owns(order):
                own[str(row["id"])] = _Payment(order, int(row["amount"]), str(row["currency"]))
        movements: list[Movement] = []
        attempts: dict[str, int] = {}
        events = [event async for event in _listed(ask, "events", run, {"resource_type": "payments"})]
        # Lists are newest first.
        for event in reversed(events):
            name = str((event.get("links") or {}).get("payment", ""))
            payment = own.get(name)
            if payment is None:
                continue
            kind, sign = _MOVES.get(str(event.get("action")), ("", 0))
            if event.get("action") == "failed" and name in attempts:
                kind, sign = "dispute", 1  # it had been confirmed: the bank fetched the money back
            if not kind:
                continue
            if kind == "capture":
                attempts[name] = attempts.get(name, 0) + 1
            number = attempts.get(name, 1)
            capture = name if number == 1 else f"{name}-{number}"
            movements.append(
                Movement(
                    self.name,
                    kind,
                    capture if kind == "capture" else str(event["id"]),
                    "" if kind == "capture" else capture,
                    payment.order,
                    sign * payment.amount_minor,
                    payment.currency,
                    unix_ns(str(event["created_at"])),
                )
            )
        movements += await self._refunds(ask, run, own)
        return Records(
            tuple(movements),
            payments,
            payments - len(own),
            f"listed from {self.host}: payments, their events and refunds since the run began",
            (
                "what was confirmed, failed, refunded or charged back after the listing",
                "debits that are still collected: a sandbox confirms them when its scenario simulators are "
                "told to, or days later",
                "payouts and their fees: a sandbox pays out when it is told to",
            ),
        )

    async def _refunds(self, ask: Ask, run: Run, own: Mapping[str, _Payment]) -> list[Movement]:
        found = []
        async for row in _listed(ask, "refunds", run, {}):
            parent = str((row.get("links") or {}).get("payment", ""))
            if parent not in own or row.get("status") in ("failed", "bounced", "cancelled", "funds_returned"):
                continue
            found.append(
                Movement(
                    self.name,
                    "refund",
                    str(row["id"]),
                    parent,
                    own[parent].order,
                    int(row["amount"]),
                    str(row["currency"]),
                    unix_ns(str(row["created_at"])),
                )
            )
        return found


_MOVES = {
    "confirmed": ("capture", 1),
    "charged_back": ("dispute", 1),
    "chargeback_cancelled": ("dispute", -1),
}
"""Action of an event -> the movement that it tells of, and its sign."""


async def _listed(ask: Ask, resource: str, run: Run, more: Mapping[str, str]) -> Any:
    query = {"limit": _PAGE, "created_at[gte]": iso(run.listed_from), **more}

    def following(page: dict[str, Any]) -> dict[str, str]:
        after = page["meta"]["cursors"]["after"]
        return {"after": str(after)} if after else {}

    async for item in pages(ask, f"/{resource}", query, lambda page: list(page[resource]), following):
        if not isinstance(item, dict) or "id" not in item:
            raise RecordsError(f"GET /{resource} listed something without an id")
        yield item
