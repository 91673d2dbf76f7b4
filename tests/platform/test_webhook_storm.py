"""All gateways, all methods, outages, and webhooks that come twice, late and in any order: whatever happens,
the platform's ledger says in the end what the gateways' ledgers say."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mocks.gateways.service import GatewayService
from mocks.platform.vault import INSTRUMENTS, AdyenCard, Instrument
from tests.platform.gateways import all_resolved, check_the_money, core, movements
from tests.platform.rig import Shop, eventually, run
from tests.platform.test_webhooks import wired

GATEWAYS = ("stripe", "adyen", "paypal", "gocardless")
TROUBLE = {
    # What the vault leaves out, because a drill could not say what is to be expected of it.
    "stripe_dispute": ("card", "pm_card_createDispute", "Jane Doe", ""),
    "stripe_refund_fails": ("card", "pm_card_refundFail", "Jane Doe", ""),
    "stripe_refund_waits": ("card", "pm_card_pendingRefund", "Jane Doe", ""),
    "adyen_chargeback": ("card", "pm_card_visa", "Chargeback", ""),
    "adyen_reversed": ("card", "pm_card_visa", "Chargeback Reversed", ""),
    "adyen_refund_fails": ("card", "pm_card_visa", "refund failed", ""),
    "adyen_capture_fails": ("card", "pm_card_visa", "capture failed", ""),
    "bank_charged_back": ("bank", "", "", "Fickle"),
    "bank_fails_late": ("bank", "", "", "Late"),
}


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    for token, (method, stripe, holder, payer) in TROUBLE.items():
        card = AdyenCard("4111111111111111", "03", "2030", "737", holder) if holder else None
        outcome = "pending" if method == "bank" else "succeeded"
        monkeypatch.setitem(INSTRUMENTS, token, Instrument(token, method, outcome, "", stripe, card, payer))  # type: ignore[arg-type]


def sums(rows: list[tuple[str, int]]) -> dict[str, int]:
    """Name -> sum, where it is not zero."""
    total: Counter[str] = Counter()
    for name, amount in rows:
        total[name] += amount
    return {name: amount for name, amount in total.items() if amount}


async def check_the_entries(shop: Shop, *services: GatewayService) -> dict[str, int]:
    """Refunds, disputes, fees and payouts are the same on both sides; returns how many there were."""
    ledger = await shop.ledger()
    true = {
        "refund": sums([(row.order_id, row.amount_minor) for row in movements("refund", *services)]),
        "dispute": sums([(row.order_id, row.amount_minor) for row in movements("dispute", *services)]),
        "fee": sums([(row.parent, row.amount_minor) for row in movements("fee", *services)]),
        "payout": sums([(row.reference, row.amount_minor) for row in movements("payout", *services)]),
    }
    claimed = {
        "refund": sums([(row["order_id"], row["refunded_minor"]) for row in ledger]),
        "dispute": sums([(r["order_id"], r["amount_minor"]) for r in ledger if r["kind"] == "dispute"]),
        "fee": sums([(r["reference"], r["amount_minor"]) for r in ledger if r["kind"] == "fee"]),
        "payout": sums([(r["reference"], r["amount_minor"]) for r in ledger if r["kind"] == "payout"]),
    }
    for kind in true:
        assert claimed[kind] == true[kind], kind
    return {kind: len(rows) for kind, rows in true.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_in_the_end_both_sides_name_the_same_money(tmp_path: Path, seed: int, trouble: None) -> None:
    draw = random.Random(seed)
    told: dict[str, list[str]] = {}

    async def customer(shop: Shop, first: int) -> None:
        tokens = list(INSTRUMENTS)
        for n in range(first, 160, 8):
            token = draw.choice(tokens)
            method, key, amount = INSTRUMENTS[token].method, f"o{n}", draw.randrange(500, 5000)
            _, payment = await shop.pay(key, token, amount, method=method)
            told[key] = [payment["status"]]
            if draw.random() < 0.2:
                _, again = await shop.pay(key, token, amount, method=method)
                told[key].append(again["status"])
            if payment["status"] == "succeeded" and draw.random() < 0.4:
                part = draw.choice([None, amount // 3])
                for _ in range(draw.choice([1, 2])):
                    await shop.refund(payment["id"], f"r{n}", part)

    async def weather(services: dict[str, GatewayService]) -> None:
        while True:
            await asyncio.sleep(draw.uniform(0.01, 0.05))
            for service in services.values():
                core(service).mock_clock.advance(draw.uniform(0, 1))
            gateway = core(services[draw.choice(GATEWAYS)])
            if draw.random() < 0.3:
                gateway.go_dark("outage")
                await asyncio.sleep(draw.uniform(0.01, 0.05))
                gateway.come_back()

    async def story() -> None:
        async with wired(tmp_path / "s", *GATEWAYS, jitter_s=3.0, doubled=0.5) as (shop, services):
            storm = asyncio.create_task(weather(services))
            try:
                await asyncio.gather(*(customer(shop, n) for n in range(8)))
            finally:
                storm.cancel()
                await asyncio.gather(storm, return_exceptions=True)
            for service in services.values():
                while core(service).outbox.held:
                    core(service).come_back()
            # Idempotency keys outlive an outage, not a month: first what is unknown, then the months.
            await all_resolved(shop)
            everyone = tuple(services.values())
            for _ in range(45):
                for service in everyone:
                    core(service).mock_clock.advance(86_400 / 2)
                await eventually(lambda: all(core(service).outbox.idle for service in everyone))
            assert not any(
                core(service).outbox.waiting + core(service).outbox.abandoned for service in everyone
            )
            await check(shop, everyone)

    async def check(shop: Shop, everyone: tuple[GatewayService, ...]) -> None:
        _, health, _ = await shop.call("GET", "/health")
        # A question that a busy machine answers too late is asked again after half a minute at most.
        give_up = time.monotonic() + 50
        while health["unresolved"] + health["unsettled"]:
            assert time.monotonic() < give_up, health
            await asyncio.sleep(0.02)
            _, health, _ = await shop.call("GET", "/health")
        await check_the_money(shop, *everyone)
        counts = await check_the_entries(shop, *everyone)
        assert min(counts.values()) > 0, counts
        ends: dict[str, Any] = {
            row["order_id"]: row["status"] for row in await shop.ledger() if row["kind"] == "payment"
        }
        for order, statuses in told.items():
            for status in statuses:
                # What was final when it was told has stayed so.
                assert status in ("unknown", "pending", ends[order]), order

    run(story())
