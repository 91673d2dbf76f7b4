"""Random faults at both gateways: whatever happens, the money is right."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.platform.fake import FakeGateway, Step, fakes
from tests.platform.rig import Shop, run, serving

STEPS: list[Step] = ["ok", "reset", "commit_reset", "hang", "500", "commit_500", "429", "garbage", "401"]
WEIGHTS = [25, 3, 4, 2, 4, 3, 3, 2, 1]
DECK = [step for step, weight in zip(STEPS, WEIGHTS, strict=True) for _ in range(weight)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_order_is_charged_twice_and_every_claim_is_true(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    deck: list[Step] = []
    dealt: Counter[Step] = Counter()

    def deal() -> Step:
        """From a shuffled deck, so that every step comes up whatever the timing does to their order."""
        if not deck:
            deck.extend(DECK)
            draw.shuffle(deck)
        step = deck.pop()
        dealt[step] += 1
        return step

    told: dict[str, list[tuple[int, Any]]] = {}

    async def customers(shop: Shop, first: int) -> None:
        for n in range(first, 160, 16):
            card = draw.choice(["card_visa", "card_visa", "card_amex", "card_declined_insufficient_funds"])
            answers = told[f"o{n}"] = [await shop.pay(f"o{n}", card, amount=100 + n)]
            if draw.random() < 0.2:
                answers.append(await shop.pay(f"o{n}", card, amount=100 + n))

    async def weather(gateways: list[FakeGateway]) -> None:
        while True:
            await asyncio.sleep(draw.uniform(0.05, 0.2))
            gateway = draw.choice(gateways)
            if draw.random() < 0.5:
                gateway.server.refuse()
                await asyncio.sleep(draw.uniform(0.02, 0.2))
                gateway.server.resume()
            gateway.finish(carry_out=draw.random() < 0.5)

    async def story() -> None:
        async with fakes() as (stripe, adyen):
            check([stripe, adyen], await storm([stripe, adyen]))

    async def storm(gateways: list[FakeGateway]) -> dict[str, Any]:
        for gateway in gateways:
            gateway.chaos = deal
        urls = {"stripe": (gateways[0].url, 60.0), "adyen": (gateways[1].url, 40.0)}
        async with serving(tmp_path / "store.sqlite", urls, timeout=0.15) as shop:
            outages = asyncio.create_task(weather(gateways))
            await asyncio.gather(*(customers(shop, n) for n in range(16)))
            outages.cancel()
            await asyncio.gather(outages, return_exceptions=True)
            for gateway in gateways:
                gateway.chaos = None
                gateway.server.resume()
                gateway.finish(carry_out=draw.random() < 0.5)
            for _ in range(2000):
                _, health, _ = await shop.call("GET", "/health")
                if health["unresolved"] == 0:
                    break
                await asyncio.sleep(0.01)
            assert health["unresolved"] == 0
            ledger = {entry["order_id"]: entry for entry in await shop.ledger()}
            for answers in told.values():
                # Time passes; then the key is tried once more.
                answers.append((0, await shop.payment(answers[0][1]["id"])))
        return ledger

    def check(gateways: list[FakeGateway], ledger: dict[str, Any]) -> None:
        captured = {order: (g.name, ref, amount) for g in gateways for order, ref, amount in g.captures}
        counts = Counter(order for gateway in gateways for order, _, _ in gateway.captures)
        assert max(counts.values()) == 1
        assert set(ledger) == set(told)
        for order, entry in ledger.items():
            assert entry["status"] in ("succeeded", "declined", "failed")
            assert (entry["status"] == "succeeded") == (order in captured)
            if order in captured:
                claimed = (entry["gateway"], entry["reference"], entry["amount_minor"])
                assert claimed == captured[order]
        for order, answers in told.items():
            statuses = [payment["status"] for _, payment in answers]
            known = [status for status in statuses if status != "unknown"]
            # A final state is never taken back, and is what the ledger says.
            assert set(known) == {ledger[order]["status"]}, (order, statuses)
        assert dealt.keys() == set(STEPS), "the weather was too good to test anything"

    run(story())
