"""Stripe's test mode: the same host as live, told apart by the key alone (``sk_test_``, ``rk_test_``;
https://docs.stripe.com/keys). 25 requests per second, and 25 per endpoint
(https://docs.stripe.com/rate-limits).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from journal.clock import SECOND
from journal.records import Movement
from mocks.gateways.rate_limit import Limit
from mocks.outbound import Client
from mocks.platform.connectors.connector import Caller
from mocks.sandboxes.keys import Credentials, Key
from mocks.sandboxes.records import Ask, Records, RecordsError, Run, pages
from mocks.sandboxes.sandbox import Authorised, NoNotes, Notes, Sandbox

TEST_KEYS = ("sk_test_", "rk_test_")
_KEY = Key("PAYDRILL_STRIPE_KEY", "secret key", "key", TEST_KEYS)
_PAGE = "100"


class Stripe(Sandbox):
    """Its records: PaymentIntents with their charges and fees, refunds and disputes, listed by time of
    creation. Lists see at once what was written; the search, which may lag by a minute, is not used."""

    name = "stripe"
    host = "api.stripe.com"
    keys = (_KEY,)
    limit = Limit(25)
    limit_source = "published: 25 requests a second in sandboxes"
    requests = 1

    def caller(self, client: Client, credentials: Credentials) -> Caller:
        return Authorised(client, (("authorization", f"Bearer {credentials[_KEY.variable]}"),))

    def notes(self) -> Notes:
        return NoNotes()

    async def records(self, ask: Ask, run: Run, notes: Notes) -> Records:
        movements: list[Movement] = []
        orders: dict[str, str] = {}
        fees: Counter[str] = Counter()
        payments = others = last_ns = 0
        expand = {"expand[]": "data.latest_charge.balance_transaction"}
        async for intent in _listed(ask, "/v1/payment_intents", run, expand):
            payments += 1
            order = str((intent.get("metadata") or {}).get("order_id", ""))
            if not run.owns(order):
                others += 1
                continue
            reference = str(intent["id"])
            orders[reference] = order
            charge = intent.get("latest_charge")
            if intent.get("status") != "succeeded" or not isinstance(charge, dict):
                continue
            at_ns = last_ns = int(charge["created"]) * SECOND
            currency, amount = str(intent["currency"]).upper(), int(intent["amount_received"])
            movements.append(Movement(self.name, "capture", reference, "", order, amount, currency, at_ns))
            line = charge.get("balance_transaction")
            if isinstance(line, dict):
                fees[str(line["currency"]).upper()] += int(line["fee"])
        movements += [row async for row in self._given_back(ask, run, orders)]
        for currency, fee in sorted(fees.items()):
            if fee:
                reference = f"{run.id}-fees-{currency}"
                movements.append(Movement(self.name, "fee", reference, "", "", fee, currency, last_ns))
        return Records(
            tuple(movements),
            payments,
            others,
            f"listed from {self.host}: PaymentIntents, refunds and disputes made since the run began",
            (
                "what was captured, refunded or disputed after the listing",
                "payouts: test mode pays out days later",
                "when exactly money moved: Stripe tells times in whole seconds",
            ),
        )

    async def _given_back(self, ask: Ask, run: Run, orders: Mapping[str, str]) -> Any:
        """Refunds and disputes of the run's payments. What a refund that failed gave back has come back, and
        a dispute that was won, too: neither is told of."""
        for kind, target, over in (
            ("refund", "/v1/refunds", ("failed", "canceled")),
            ("dispute", "/v1/disputes", ("won", "warning_needs_response", "warning_under_review",
                                         "warning_closed")),
        ):  # fmt: skip
            async for row in _listed(ask, target, run, {}):
                parent = str(row.get("payment_intent") or "")
                if parent in orders and row.get("status") not in over:
                    yield Movement(
                        self.name,
                        kind,
                        str(row["id"]),
                        parent,
                        orders[parent],
                        int(row["amount"]),
                        str(row["currency"]).upper(),
                        int(row["created"]) * SECOND,
                    )


async def _listed(ask: Ask, target: str, run: Run, more: Mapping[str, str]) -> Any:
    query = {"limit": _PAGE, "created[gte]": str(run.listed_from), **more}

    def following(page: dict[str, Any]) -> dict[str, str]:
        return {"starting_after": str(page["data"][-1]["id"])} if page["has_more"] and page["data"] else {}

    async for item in pages(ask, target, query, lambda page: list(page["data"]), following):
        if not isinstance(item, dict) or "id" not in item:
            raise RecordsError(f"GET {target} listed something without an id")
        yield item
