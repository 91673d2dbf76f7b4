"""Payouts whose webhooks are lost for good are found in the gateway's list and booked."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from mocks.platform.payout_check import PayoutCheck
from tests.platform.gateways import movements
from tests.platform.rig import Shop, run
from tests.platform.test_webhook_faults import drill
from tests.platform.test_webhooks import of_kind

MS = 1_000_000
HOUR_NS = 3600 * 10**9


def look_every(monkeypatch: pytest.MonkeyPatch, ns: int) -> None:
    monkeypatch.setattr("mocks.platform.process.PayoutCheck", partial(PayoutCheck, every_ns=ns))


async def all_booked(shop: Shop, payouts: int) -> None:
    async with asyncio.timeout(20):
        while len(await of_kind(shop, "payout")) < payouts:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["stripe", "gocardless"])
def test_a_payout_that_no_webhook_told_of_is_booked_with_its_fees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    look_every(monkeypatch, 30 * MS)

    async def story() -> None:
        async with drill(tmp_path / "s", name, "webhook_lost") as drilled:
            for number in range(3):
                await drilled.pay(f"o{number}")
            for _ in range(5):
                drilled.advance(2 * 86_400)
            payouts = {row.reference: row.amount_minor for row in movements("payout", drilled.service)}
            fees = {row.parent: row.amount_minor for row in movements("fee", drilled.service)}
            assert payouts and drilled.hits > 0

            await all_booked(drilled.shop, len(payouts))
            # It is in the list again and again, and told of by now, too.
            drilled.clear()
            await drilled.told()
            for kind, true in (("payout", payouts), ("fee", fees)):
                rows = [(row["reference"], row["amount_minor"]) for row in await of_kind(drilled.shop, kind)]
                assert sorted(rows) == sorted(true.items())

    run(story())


def test_without_looking_a_payout_whose_webhook_is_lost_stays_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_every(monkeypatch, HOUR_NS)

    async def story() -> None:
        async with drill(tmp_path / "s", "gocardless", "webhook_lost") as drilled:
            await drilled.pay("o1")
            for _ in range(5):
                drilled.advance(2 * 86_400)
            await drilled.told()
            assert movements("payout", drilled.service)
            assert not await of_kind(drilled.shop, "payout")

    run(story())
