"""The mock gateways on real sockets, and the platform's claims against their ledgers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from journal.records import Movement
from mocks.gateways.gateway import Gateway
from mocks.gateways.service import GatewayService
from tests.platform.rig import Shop


@asynccontextmanager
async def gateway(
    name: str, p50_ms: int = 0, faults: Iterable[dict[str, Any]] = ()
) -> AsyncIterator[GatewayService]:
    service = GatewayService()
    latency = {"p50_ns": p50_ms * 1_000_000, "p99_ns": 3 * p50_ms * 1_000_000}
    plan = {"gateway": name, "name": name, "port": 0, "seed": 7, "latency": latency, "faults": list(faults)}
    try:
        await service.start(plan)
        yield service
    finally:
        await service.stop()


def url(service: GatewayService) -> str:
    assert service.server is not None
    return f"http://127.0.0.1:{service.server.port}"


def core(service: GatewayService) -> Gateway:
    assert service.gateway is not None
    return service.gateway


def movements(kind: str, *services: GatewayService) -> list[Movement]:
    return [movement for service in services for movement in core(service).ledger if movement.kind == kind]


async def all_resolved(shop: Shop) -> None:
    for _ in range(2000):
        _, health, _ = await shop.call("GET", "/health")
        if health["unresolved"] == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("there are still unknown outcomes")


async def check_the_money(shop: Shop, *services: GatewayService) -> None:
    """What the platform claims is what the gateways' ledgers say, both ways."""
    captures = movements("capture", *services)
    orders = [movement.order_id for movement in captures]
    assert len(orders) == len(set(orders)), "an order was charged twice"
    truth = {
        movement.order_id: (movement.gateway, movement.reference, movement.amount_minor, movement.currency)
        for movement in captures
    }
    claimed = {
        entry["order_id"]: (entry["gateway"], entry["reference"], entry["amount_minor"], entry["currency"])
        for entry in await shop.ledger()
        if entry["kind"] == "payment" and entry["status"] == "succeeded"
    }
    assert claimed == truth
