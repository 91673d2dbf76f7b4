"""The reference platform under every fault on webhooks: in the end its ledger says what the gateways' say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from journal.clock import Clock
from journal.records import FaultEvent, Webhook
from mocks.faults import FaultPlan
from mocks.gateways.service import GatewayService
from mocks.platform.janitor import Janitor
from mocks.platform.retries import Backoff
from mocks.platform.vault import INSTRUMENTS
from tests.mocks.running import Memory
from tests.platform.gateways import all_resolved, check_the_money, core, movements
from tests.platform.rig import Shop, eventually, run
from tests.platform.test_webhooks import of_kind, wired

GOOD = {
    "stripe": "card_visa",
    "adyen": "card_visa",
    "paypal": "paypal_wallet",
    "gocardless": "bank_account",
}
HOUR_NS = 3600 * 10**9


class Drill:
    """A platform and one gateway with one fault on its webhooks.

    Attributes:
        written: What the gateway's journal holds.
    """

    def __init__(self, shop: Shop, service: GatewayService, written: Memory, name: str) -> None:
        self.shop = shop
        self.service = service
        self.written = written
        self.name = name
        self.method = INSTRUMENTS[GOOD[name]].method

    async def pay(self, order: str, *, good: bool = True) -> Any:
        """The platform's answer to a payment that its instrument lets succeed, or not."""
        if good:
            token = GOOD[self.name]
        else:
            token = next(
                token
                for token, instrument in INSTRUMENTS.items()
                if instrument.method == self.method
                and token != GOOD[self.name]
                and (instrument.outcome == "declined" or self.method == "bank")
            )
        return (await self.shop.pay(order, token, method=self.method))[1]

    def advance(self, seconds: float) -> None:
        core(self.service).mock_clock.advance(seconds)

    @property
    def webhooks(self) -> list[Webhook]:
        return self._records(Webhook)

    def _records(self, kind: type[Any]) -> list[Any]:
        return [record for record in self.written.records if isinstance(record, kind)]

    @property
    def hits(self) -> int:
        active = core(self.service).outbox.faults
        return active[0].hits if active else self._records(FaultEvent)[-1].hits

    async def told(self) -> None:
        """Everything that was to be delivered has been, or waits for another attempt."""
        await eventually(lambda: core(self.service).outbox.idle)

    def clear(self) -> None:
        assert self.service.schedule is not None
        self.service.schedule.close()

    async def ends_well(self) -> None:
        """Nothing is unresolved, and both ledgers name the same money."""
        await all_resolved(self.shop)
        await self.unsettled(0)
        await check_the_money(self.shop, self.service)

    async def unsettled(self, count: int) -> None:
        for _ in range(1000):
            _, health, _ = await self.shop.call("GET", "/health")
            if health["unsettled"] == count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"there are {health['unsettled']} unsettled payments")


@asynccontextmanager
async def drill(store: Path, name: str, fault: str, **more: Any) -> AsyncIterator[Drill]:
    written = Memory()
    async with wired(store, name) as (shop, services):
        service = services[name]
        assert service.schedule is not None
        core(service).begin(Clock.starting_now(), written)
        service.schedule.add(FaultPlan("f1", fault, 0, HOUR_NS, **more))
        service.schedule.arm(Clock.starting_now(), written.write)
        yield Drill(shop, service, written, name)


def often(monkeypatch: pytest.MonkeyPatch, asks: bool) -> None:
    """Have the janitor ask about accepted payments every 20 ms, or hardly ever."""
    settling = Backoff(2 * 10**7, 2 * 10**7) if asks else Backoff(10**17, 10**17)
    monkeypatch.setattr("mocks.platform.process.Janitor", partial(Janitor, settling=settling))


@pytest.mark.parametrize("signature", ["wrong", "none"])
@pytest.mark.parametrize("name", GOOD)
def test_forged_webhooks_are_refused_and_change_nothing(tmp_path: Path, name: str, signature: str) -> None:
    async def story() -> None:
        async with drill(tmp_path / "s", name, "webhook_forged", params={"signature": signature}) as drilled:
            statuses = {}
            for number in range(3):
                for good in (True, False):
                    payment = await drilled.pay(f"o{number}-{good}", good=good)
                    statuses[payment["id"]] = good
            drilled.advance(60)  # debits settle
            await drilled.told()
            for id, good in statuses.items():
                settled = await drilled.shop.settled(id)
                assert settled["status"] == ("succeeded" if good else "declined")
            await drilled.told()
            forged = [row for row in drilled.webhooks if row.fault]
            assert len(forged) == drilled.hits >= 6
            assert {row.status for row in forged} == {400}
            assert {row.status for row in drilled.webhooks if not row.fault} == {200}
            await drilled.ends_well()
            assert len(movements("capture", drilled.service)) == 3

    run(story())


@pytest.mark.parametrize("name", ["stripe", "paypal"])
def test_what_was_signed_too_long_ago_is_refused_and_its_redelivery_taken(tmp_path: Path, name: str) -> None:
    async def story() -> None:
        async with drill(
            tmp_path / "s", name, "webhook_old_timestamp", params={"by": 700 * 10**9}
        ) as drilled:
            payment = await drilled.pay("o1")
            assert payment["status"] == "succeeded"
            await drilled.told()
            assert drilled.webhooks
            assert {(row.status, row.fault) for row in drilled.webhooks} == {(400, "webhook_old_timestamp")}
            assert drilled.hits == len(drilled.webhooks) == core(drilled.service).outbox.waiting
            refused = len(drilled.webhooks)
            drilled.clear()
            drilled.advance(31)  # less than the platform tolerates of a clock that is ahead
            await eventually(lambda: len(drilled.webhooks) == 2 * refused)
            again = drilled.webhooks[refused:]
            assert {(row.status, row.fault, row.attempt) for row in again} == {(200, "", 2)}
            await drilled.ends_well()

    run(story())


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("webhook_duplicated", {"copies": 4}),
        ("webhook_reordered", {"window": 30_000_000}),
        ("webhook_burst", {"after": 30_000_000}),
        ("webhook_delayed", {"by": 30_000_000}),
        ("webhook_early", {"within": 10**10}),
        ("webhook_lost", {"attempts": 1}),
    ],
)
@pytest.mark.parametrize("name", GOOD)
def test_however_often_and_in_whatever_order_they_come_the_effect_is_one(
    tmp_path: Path, name: str, fault: str, params: dict[str, int]
) -> None:
    async def story() -> None:
        async with drill(tmp_path / "s", name, fault, params=params) as drilled:
            for number in range(4):
                payment = await drilled.pay(f"o{number}")
                assert payment["status"] in ("succeeded", "pending")
            for _ in range(3):
                drilled.advance(2 * 86_400)
                await drilled.told()
            everyone = core(drilled.service).outbox
            drilled.clear()
            # What failed is delivered again, by the gateway's schedule.
            for _ in range(5):
                drilled.advance(3600)
                await drilled.told()
            await eventually(lambda: not any(map(everyone.pending, everyone)))
            assert drilled.hits > 0
            await drilled.ends_well()
            booked = await of_kind(drilled.shop, "payout", "fee")
            for kind in ("payout", "fee"):
                true = sorted(
                    (row.reference if kind == "payout" else row.parent, row.amount_minor)
                    for row in movements(kind, drilled.service)
                    if name != "paypal"  # pays nothing out by itself
                )
                claimed = sorted((r["reference"], r["amount_minor"]) for r in booked if r["kind"] == kind)
                assert claimed == true, kind

    run(story())


def test_what_is_lost_for_good_is_found_out_by_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    often(monkeypatch, True)

    async def story() -> None:
        async with drill(tmp_path / "s", "gocardless", "webhook_lost") as drilled:
            payments = [await drilled.pay(f"o{number}") for number in range(3)]
            assert {payment["status"] for payment in payments} == {"pending"}
            drilled.advance(60)
            for payment in payments:
                assert (await drilled.shop.settled(payment["id"]))["status"] == "succeeded"
            rows = drilled.webhooks
            assert {(row.status, row.fault) for row in rows} == {(0, "webhook_lost")}
            assert drilled.hits == len(rows)
            await drilled.ends_well()

    run(story())


def test_without_asking_a_lost_webhook_leaves_the_payment_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    often(monkeypatch, False)

    async def story() -> None:
        async with drill(tmp_path / "s", "gocardless", "webhook_lost") as drilled:
            payment = await drilled.pay("o1")
            drilled.advance(60)
            await drilled.told()
            assert (await drilled.shop.payment(payment["id"]))["status"] == "pending"
            await drilled.unsettled(1)
            drilled.clear()
            # The next event, had it not been lost, would have settled it: the fault alone is the cause.
            second = await drilled.pay("o2")
            drilled.advance(60)
            assert (await drilled.shop.settled(second["id"]))["status"] == "succeeded"

    run(story())


def test_all_of_them_at_once_leave_the_money_as_it_is(tmp_path: Path) -> None:
    everything: dict[str, dict[str, Any]] = {
        "webhook_lost": {"attempts": 2},
        "webhook_delayed": {"by": 10_000_000},
        "webhook_duplicated": {"copies": 3},
        "webhook_reordered": {"window": 20_000_000},
        "webhook_burst": {"after": 20_000_000},
        "webhook_forged": {},
        "webhook_old_timestamp": {},
        "webhook_early": {"within": 50_000_000},
    }

    async def story() -> None:
        async with wired(tmp_path / "s", *GOOD) as (shop, services):
            for name, service in services.items():
                assert service.schedule is not None
                service.schedule.arm(Clock.starting_now(), lambda event: None)
                for number, (fault, params) in enumerate(everything.items()):
                    if fault == "webhook_old_timestamp" and name in ("adyen", "gocardless"):
                        continue
                    plan = FaultPlan(f"f{number}", fault, 0, HOUR_NS, share=0.5, params=params)
                    service.schedule.add(plan)
            drills = [Drill(shop, service, Memory(), name) for name, service in services.items()]
            for number in range(10):
                orders = ((drilled, f"{drilled.name}{number}") for drilled in drills)
                await asyncio.gather(*(drilled.pay(order, good=number % 5 > 0) for drilled, order in orders))
            for _ in range(4):
                for drilled in drills:
                    drilled.advance(86_400)
                    await drilled.told()
            hits = {
                drilled.name: {fault.name for fault in core(drilled.service).outbox.faults if fault.hits}
                for drilled in drills
            }
            assert all(len(names) >= 6 for names in hits.values()), hits
            for drilled in drills:
                drilled.clear()
            for _ in range(8):
                for drilled in drills:
                    drilled.advance(86_400)
                    await drilled.told()
            outboxes = [core(service).outbox for service in services.values()]
            for outbox in outboxes:
                await eventually(lambda outbox=outbox: not any(map(outbox.pending, outbox)))  # type: ignore[misc]
            assert not any(outbox.waiting + outbox.abandoned for outbox in outboxes)
            await all_resolved(shop)
            await drills[0].unsettled(0)
            await check_the_money(shop, *services.values())

    run(story())
