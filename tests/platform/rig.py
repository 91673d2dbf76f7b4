"""The platform on a real socket between a client and gateways, all on one loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import uvloop

from mocks.outbound import Answer, Call, Client
from mocks.platform.process import Platform

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, 60))


class Shop:
    """A client of the platform."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = Client(url)

    async def call(
        self, method: str, path: str, body: object = None, key: str = ""
    ) -> tuple[int, Any, Answer]:
        headers = (("idempotency-key", key),) if key else ()
        data = body if isinstance(body, bytes) else orjson.dumps(body) if body is not None else b""
        answer = await self.client.call(Call(method, path, headers, data), 20_000_000_000)
        return answer.status, orjson.loads(answer.body), answer

    async def pay(
        self,
        order: str,
        instrument: str = "card_visa",
        amount: int = 1290,
        key: str = "",
        method: str = "card",
        currency: str = "EUR",
    ) -> Any:
        """The status code and the body."""
        body = {
            "order_id": order,
            "amount_minor": amount,
            "currency": currency,
            "method": method,
            "instrument": instrument,
        }
        status, payment, _ = await self.call("POST", "/payments", body, key or order)
        return status, payment

    async def refund(self, payment: str, key: str, amount: int | None = None) -> Any:
        body = None if amount is None else {"amount_minor": amount}
        status, refund, _ = await self.call("POST", f"/payments/{payment}/refunds", body, key)
        return status, refund

    async def payment(self, id: str) -> Any:
        _, payment, _ = await self.call("GET", f"/payments/{id}")
        return payment

    async def ledger(self) -> list[Any]:
        entries: list[Any] = []
        after = "0"
        while True:
            _, page, _ = await self.call("GET", f"/ledger?after={after}&limit=100")
            entries += page["entries"]
            if page["next"] is None:
                return entries
            after = page["next"]

    async def settled(self, id: str, within: float = 15.0) -> Any:
        """The payment once it has an outcome."""
        payment = await self.payment(id)
        give_up = time.monotonic() + within
        while payment["status"] in ("pending", "unknown") and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
            payment = await self.payment(id)
        return payment


async def eventually(condition: Callable[[], bool], within: float = 10.0) -> None:
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "it never came true"
        await asyncio.sleep(0.01)


def plan(
    store: Path,
    urls: dict[str, tuple[str, float]],
    timeout: float = 2.0,
    secrets: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "role": "platform",
        "name": "platform",
        "host": "127.0.0.1",
        "port": 0,
        "seed": 7,
        "store": str(store),
        "journal": None,
        "gateways": [
            {"name": name, "url": url, "weight": weight, "webhook_secret": (secrets or {}).get(name, "")}
            for name, (url, weight) in urls.items()
        ],
        "timeout_ns": int(timeout * 1e9),
    }


@asynccontextmanager
async def serving(
    store: Path,
    urls: dict[str, tuple[str, float]],
    timeout: float = 2.0,
    secrets: Mapping[str, str] | None = None,
) -> AsyncIterator[Shop]:
    """A platform; ``urls``: name -> URL and weight of each gateway; ``secrets``: of their webhooks."""
    platform = Platform()
    try:
        ready = await platform.start(plan(store, urls, timeout, secrets))
        shop = Shop(f"http://127.0.0.1:{ready['port']}")
        try:
            yield shop
        finally:
            await shop.client.close()
    finally:
        await platform.stop()
