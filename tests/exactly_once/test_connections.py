"""200 connections that are cut at random, keys that are sent again: each order is paid once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from journal.records import GatewayRequest, Record
from mocks.faults.fault import Call
from mocks.gateways.call import Call as GatewayCall
from mocks.latency import Latency
from tests.exactly_once.line import Line
from tests.exactly_once.shops import AMOUNT, CURRENCY, SHOPS, Post, Shop
from tests.mocks.running import Running

CONNECTIONS = 200
ORDERS = 3
"""Of each connection, one after the other."""

CUTS = (150, 300, 450)


class Buyer:
    """One connection; pays its orders, and gives up on none."""

    def __init__(self, shop: Shop, port: int, number: int) -> None:
        self._shop = shop
        self._line = Line(port)
        self._twin = Line(port)
        self._chance = random.Random(number)
        self._number = number
        self.attempts = 0
        self.cuts = 0
        self.paid: dict[str, set[str]] = {}

    async def buy(self) -> None:
        try:
            for number in range(ORDERS):
                order = f"o-{self._number}-{number}"
                post = self._shop.payment(order)
                twin = (
                    asyncio.create_task(self._pay(self._twin, post)) if self._chance.random() < 0.3 else None
                )
                self.paid[order] = {await self._pay(self._line, post)}
                if twin is not None:
                    self.paid[order].add(await twin)
                if self._chance.random() < 0.3:
                    self.paid[order].add(await self._pay(self._line, post))
        finally:
            self._line.cut()
            self._twin.cut()

    async def _pay(self, line: Line, post: Post) -> str:
        while True:
            self.attempts += 1
            # Some are cut before, some while, some after the money has moved.
            patience = self._chance.uniform(0.0, 0.03) if self._chance.random() < 0.4 else None
            try:
                status, body = await line.post(post.path, post.headers, post.body, patience)
            except ConnectionError:
                self.cuts += 1
                continue
            if status in post.again:
                await asyncio.sleep(0.002)
                continue
            return self._shop.paid(status, body)


async def _buy_all(running: Running, shop: Shop) -> list[Buyer]:
    line = Line(running.port)
    await shop.open(line)
    buyers = [Buyer(shop, running.port, number) for number in range(CONNECTIONS)]
    await asyncio.gather(*(buyer.buy() for buyer in buyers))
    running.gateway.latency = Latency(0, 0)
    for buyer in buyers:
        for payments in buyer.paid.values():
            assert len(payments) == 1, "one key, one payment"
            await shop.settle(line, *payments)
    line.cut()
    return buyers


@pytest.mark.parametrize("kind", SHOPS)
def test_one_key_moves_money_once_whatever_becomes_of_the_connections(kind: str) -> None:
    answered = 0

    def watch(record: Record) -> None:
        # Whenever so many requests are over, half of those under way are cut.
        nonlocal answered
        answered += isinstance(record, GatewayRequest)
        if answered in CUTS and isinstance(record, GatewayRequest):
            running.thread.loop.call_soon(running.gateway.cut_in_flight, _even, "cut")

    with Running(kind, p50_ms=8, p99_ms=30, on_write=watch) as running:
        buyers = asyncio.run(_buy_all(running, SHOPS[kind]()))
        orders = [order for buyer in buyers for order in buyer.paid]
        assert len(orders) == CONNECTIONS * ORDERS
        captures = [m for m in running.movements if m.kind == "capture"]
        assert Counter(m.order_id for m in captures) == dict.fromkeys(orders, 1)
        assert {(m.amount_minor, m.currency) for m in captures} == {(AMOUNT, CURRENCY)}
        kept = [m for m in running.thread.call(lambda: list(running.gateway.ledger)) if m.kind == "capture"]
        assert sum(m.amount_minor for m in kept) == AMOUNT * len(orders)
        # The connections were really cut, by clients and by the server, and keys really sent again.
        assert sum(buyer.cuts for buyer in buyers) > CONNECTIONS / 4
        assert sum(buyer.attempts for buyer in buyers) > 1.2 * len(orders)
        assert {r.fault for r in running.requests} == {"", "cut"}


def _even(call: Call) -> bool:
    return isinstance(call, GatewayCall) and call.number % 2 == 0
