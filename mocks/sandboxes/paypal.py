"""PayPal's sandbox: a host of its own. Its client ids and secrets don't tell sandbox from live; a live pair
gets no token on the sandbox's host, and no other host is called (https://developer.paypal.com/api/rest/). It
publishes no rate limit (https://developer.paypal.com/api/rest/reference/rate-limiting/); 10 requests a second
are assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import orjson

from journal.records import Movement
from mocks.gateways.paypal.money import NO_MINOR_UNIT
from mocks.gateways.rate_limit import Limit
from mocks.outbound import Client
from mocks.platform.connectors.access_token import TokenClient
from mocks.platform.connectors.connector import Caller
from mocks.platform.connectors.paypal import token_request
from mocks.sandboxes.keys import Credentials, Key
from mocks.sandboxes.records import Ask, Records, RecordsError, Run, get, unix_ns
from mocks.sandboxes.sandbox import Forwarded, Notes, Sandbox, contents

_CLIENT = Key("PAYDRILL_PAYPAL_CLIENT_ID", "client id", "client_id")
_SECRET = Key("PAYDRILL_PAYPAL_SECRET", "secret", "secret")

_CREATED = re.compile(r"/v2/checkout/orders(?:\?|$)")
_NAMED = re.compile(r"/v2/checkout/orders/([^/?]+)/(?:capture|authorize)(?:\?|$)")
_TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


class PayPal(Sandbox):
    """Its records: the orders that passed through the proxy, each asked for at the end, with its captures and
    refunds. PayPal lists no orders, and its transaction search lags by up to three hours
    (https://developer.paypal.com/docs/api/transaction-search/v1/).
    """

    name = "paypal"
    host = "api-m.sandbox.paypal.com"
    keys = (_CLIENT, _SECRET)
    limit = Limit(10)
    limit_source = "assumed: 10 requests a second; PayPal publishes no limit"
    requests = 3
    unapproved = (
        "in PayPal's sandbox a person approves each order in a browser, which the reference platform cannot"
    )

    def caller(self, client: Client, credentials: Credentials) -> Caller:
        fetch = token_request(credentials[_CLIENT.variable], credentials[_SECRET.variable])
        return TokenClient(client, fetch)

    def notes(self) -> Notes:
        return PayPalNotes()

    async def records(self, ask: Ask, run: Run, notes: Notes) -> Records:
        assert isinstance(notes, PayPalNotes)
        movements: list[Movement] = []
        others = 0
        for name in notes.orders:
            order = await get(ask, f"/v2/checkout/orders/{quote(name, safe='')}")
            units = order.get("purchase_units")
            if not isinstance(units, list):
                raise RecordsError("an order without purchase units")
            if any(run.owns(str(unit.get("custom_id", ""))) for unit in units):
                for unit in units:
                    movements += _of_unit(unit)
            else:
                others += 1
        lost = len(notes.open)
        return Records(
            tuple(movements),
            len(notes.orders),
            others,
            f"asked of {self.host}: every order that passed through the proxy, with its captures and refunds",
            (
                "what was captured or refunded after an order was asked for",
                "orders that did not pass through the proxy",
                "disputes, fees and payouts",
            ),
            f"PayPal's answers to {lost} new orders never came, and it lists no orders" if lost else "",
        )


@dataclass(slots=True)
class PayPalNotes:
    """The orders that the platform made or captured.

    Attributes:
        orders: Their names, in the order of their appearance.
        open: The keys of orders that were asked for, and of which no answer came.
    """

    orders: dict[str, None] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def wants(self, method: str, target: str) -> bool:
        return method == "POST" and bool(_CREATED.match(target) or _NAMED.match(target))

    def take(self, forwarded: Forwarded) -> None:
        named = _NAMED.match(forwarded.target)
        if named:
            self.orders.setdefault(named[1], None)
            return
        key = forwarded.headers.get("paypal-request-id", "")
        answer = forwarded.answer
        if answer is None or answer.status >= 500:
            self.open.add(key)
            return
        self.open.discard(key)
        try:
            name = orjson.loads(contents(answer)).get("id")
        except (orjson.JSONDecodeError, AttributeError):
            return
        if answer.status in (200, 201) and isinstance(name, str) and name:
            self.orders.setdefault(name, None)


def _of_unit(unit: Mapping[str, Any]) -> Iterator[Movement]:
    """The movements of a purchase unit. Raises RecordsError when it is not of the documented form."""
    order = str(unit.get("custom_id", ""))
    payments = unit.get("payments") or {}
    try:
        for capture in payments.get("captures", ()):
            if capture["status"] in _TAKEN:
                yield _movement("capture", capture, "", order)
        for refund in payments.get("refunds", ()):
            if refund["status"] in ("COMPLETED", "PENDING"):
                yield _movement("refund", refund, _parent(refund), order)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise RecordsError("an order whose payments are not of the documented form") from error


def _movement(kind: str, row: Mapping[str, Any], parent: str, order: str) -> Movement:
    currency = str(row["amount"]["currency_code"])
    value = Decimal(str(row["amount"]["value"])).scaleb(0 if currency in NO_MINOR_UNIT else 2)
    if value != value.to_integral_value():
        raise ValueError("more decimals than the currency has")
    at_ns = unix_ns(str(row["create_time"]))
    return Movement("paypal", kind, str(row["id"]), parent, order, int(value), currency, at_ns)


def _parent(refund: Mapping[str, Any]) -> str:
    """The capture that a refund belongs to: the one that its link ``up`` leads to."""
    for link in refund.get("links", ()):
        if link.get("rel") == "up":
            return str(link["href"]).rstrip("/").rpartition("/")[2]
    return ""
