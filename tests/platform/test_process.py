"""The platform as a child process: started, killed in the middle of load, started again on the same store."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from journal.reader import Journal
from journal.tether import FD_VARIABLE, Tether
from mocks.outbound import OutboundError
from mocks.platform.process import Platform
from tests.platform.fake import FakeGateway, fakes
from tests.platform.rig import Shop, eventually, plan, run, serving


class Child:
    """The platform in a process of its own, at the other end of a tether."""

    def __init__(self) -> None:
        self.tether, end = Tether.pair()
        with end:
            os.set_inheritable(end.fileno(), True)
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mocks.process"],
                env=os.environ | {FD_VARIABLE: str(end.fileno())},
                pass_fds=(end.fileno(),),
            )

    async def start(self, plan: dict[str, Any]) -> dict[str, Any]:
        self.tether.send({"plan": plan})
        return await asyncio.to_thread(self.tether.receive, 30)

    def end(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(10)
        finally:
            self.tether.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.tether.close()


def test_killed_under_load_it_has_lost_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    acknowledged: dict[str, Any] = {}

    async def customer(shop: Shop, first: int) -> None:
        for n in range(first, 4000, 20):
            card = "card_declined_insufficient_funds" if n % 10 == 3 else "card_visa"
            try:
                _, payment = await shop.pay(f"o{n}", card)
            except OutboundError:
                return  # the platform is gone
            acknowledged[f"o{n}"] = payment

    async def story(stripe: FakeGateway, adyen: FakeGateway) -> None:
        stripe.delay, adyen.delay = 0.02, 0.03
        urls = {"stripe": (stripe.url, 60.0), "adyen": (adyen.url, 40.0)}
        child = Child()
        try:
            ready = await child.start(plan(tmp_path / "store.sqlite", urls))
            shop = Shop(f"http://127.0.0.1:{ready['ready']['port']}")
            customers = [asyncio.create_task(customer(shop, n)) for n in range(20)]
            await eventually(lambda: len(acknowledged) >= 200)
        finally:
            child.kill()
        await asyncio.gather(*customers)
        await shop.client.close()
        captured = {order: ref for g in (stripe, adyen) for order, ref, _ in g.captures}
        in_flight = captured.keys() - acknowledged.keys()
        assert in_flight, "the kill hit nothing: this tested nothing"

        async with serving(tmp_path / "store.sqlite", urls) as shop:
            for payment in acknowledged.values():
                assert await shop.payment(payment["id"]) == payment
            for entry in await shop.ledger():
                assert (await shop.settled(entry["id"]))["status"] in ("succeeded", "declined", "failed")
            ledger = {entry["order_id"]: entry for entry in await shop.ledger()}
            # The customers whose connection broke ask again under their keys.
            for order in in_flight:
                status, payment = await shop.pay(order)
                assert (status, payment["reference"]) == (201, captured[order])
        orders = [order for gateway in (stripe, adyen) for order, _, _ in gateway.captures]
        assert len(orders) == len(set(orders))
        assert {order for order, entry in ledger.items() if entry["status"] == "succeeded"} == set(orders)

    async def whole() -> None:
        async with fakes() as (stripe, adyen):
            await story(stripe, adyen)

    run(whole())


def test_a_child_tells_its_port_marks_its_breakers_and_ends_when_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with fakes() as (stripe, _):
            stripe.server.refuse()
            the_plan = plan(tmp_path / "s.sqlite", {"stripe": (stripe.url, 1.0)}) | {"journal": str(tmp_path)}
            child = Child()
            try:
                ready = await child.start(the_plan)
                child.tether.send({"go": {"epoch_ns": time.monotonic_ns()}})
                # Marks are written after `go`; its first trace is the first breaker change after it.
                shop = Shop(f"http://127.0.0.1:{ready['ready']['port']}")
                give_up = time.monotonic() + 20
                n = 0
                while not (tmp_path / "platform.mark.arrow").exists():
                    assert time.monotonic() < give_up, "no mark was written"
                    assert (await shop.pay(f"o{n}"))[0] == 503
                    n += 1
                    await asyncio.sleep(0.01)
                await shop.client.close()
            finally:
                code = child.end()
            assert code == 0

    run(story())
    marks = Journal(tmp_path).table("mark").to_pylist()
    texts = {mark["text"] for mark in marks}
    assert texts and texts <= {"stripe: breaker open", "stripe: breaker half_open"}
    assert {(mark["source"], mark["kind"]) for mark in marks} == {("platform", "note")}
    assert all(mark["at_ns"] > 0 for mark in marks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"store": "/dev/null/store"}, "cannot be opened"),
        (
            {"gateways": [{"name": "klarna", "url": "http://127.0.0.1:1", "weight": 1}]},
            "no connector for 'klarna'",
        ),
        ({"gateways": [{"name": "stripe", "url": "127.0.0.1:1", "weight": 1}]}, "must look like"),
        ({"gateways": [{"name": "stripe", "url": "http://127.0.0.1:1", "weight": -1}]}, "weight of stripe"),
        ({"gateways": []}, "no gateway"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused_in_words(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    async def story() -> None:
        platform = Platform()
        try:
            with pytest.raises((OSError, ValueError), match=message):
                await platform.start(plan(tmp_path / "s", {"stripe": ("http://127.0.0.1:1", 1.0)}) | change)
        finally:
            await platform.stop()

    run(story())


def test_stopping_lets_payments_under_way_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with fakes() as (stripe, _):
            stripe.delay = 0.3
            platform = Platform()
            try:
                ready = await platform.start(plan(tmp_path / "s", {"stripe": (stripe.url, 1.0)}))
                shop = Shop(f"http://127.0.0.1:{ready['port']}")
                call = asyncio.create_task(shop.pay("o1"))
                await eventually(lambda: bool(stripe.captures))
            finally:
                await platform.stop()
            status, payment = await call
            assert (status, payment["status"]) == (201, "succeeded")
            await shop.client.close()

    run(story())
