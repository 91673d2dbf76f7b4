"""The platform on the mock gateways that a drill runs on: the claims of one against the ledgers of the other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from journal.clock import Clock
from mocks.platform.connectors import CONNECTORS
from mocks.platform.vault import INSTRUMENTS
from tests.platform.gateways import all_resolved, check_the_money, core, gateway, movements, url
from tests.platform.rig import eventually, run, serving


@pytest.mark.parametrize("name", CONNECTORS)
def test_every_instrument_ends_as_the_vault_says_at_every_gateway(tmp_path: Path, name: str) -> None:
    async def story() -> None:
        async with gateway(name) as service, serving(tmp_path / "s", {name: (url(service), 1.0)}) as shop:
            tokens = [t for t in INSTRUMENTS if INSTRUMENTS[t].method in CONNECTORS[name].methods]
            for token, instrument in ((token, INSTRUMENTS[token]) for token in tokens):
                status, payment = await shop.pay(f"order-{token}", token, method=instrument.method)
                assert payment["status"] == instrument.outcome, (token, payment)
                if instrument.outcome != "pending":
                    assert payment.get("decline_code", "") == instrument.decline_code, token
                assert status == {"succeeded": 201, "declined": 402, "pending": 202}[instrument.outcome]
                assert payment["gateway"] == name and payment["reference"]
            assert tokens
            await check_the_money(shop, service)

    run(story())


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("stripe", "card_visa"),
        ("stripe", "apple_pay_visa"),
        ("adyen", "card_visa"),
        ("adyen", "google_pay_visa"),
        ("paypal", "paypal_wallet"),
        ("gocardless", "bank_account"),
    ],
)
def test_a_refund_is_made_once_at_the_gateway_that_took_the_money(
    tmp_path: Path, name: str, token: str
) -> None:
    async def story() -> None:
        async with gateway(name) as service, serving(tmp_path / "s", {name: (url(service), 1.0)}) as shop:
            _, payment = await shop.pay("o1", token, amount=1000, method=INSTRUMENTS[token].method)
            core(service).mock_clock.advance(60)
            payment = await shop.settled(payment["id"])
            for key, amount in (("r1", 300), ("r1", 300), ("r2", None)):
                status, refund = await shop.refund(payment["id"], key, amount)
                assert (status, refund["status"]) == (201, "succeeded")
            refunds = movements("refund", service)
            assert [movement.amount_minor for movement in refunds] == [300, 700]
            assert {movement.parent for movement in refunds} == {payment["reference"]}

    run(story())


def test_payments_are_spread_by_weight_and_move_in_an_outage_and_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateway("stripe") as stripe, gateway("adyen") as adyen:
            urls = {"stripe": (url(stripe), 60.0), "adyen": (url(adyen), 40.0)}
            async with serving(tmp_path / "s", urls) as shop:

                async def pay(label: str, count: int) -> list[str]:
                    answers = [await shop.pay(f"{label}{n}") for n in range(count)]
                    assert {status for status, _ in answers} == {201}
                    return [payment["gateway"] for _, payment in answers]

                assert 80 < (await pay("before", 200)).count("stripe") < 160
                core(stripe).go_dark("outage")
                await eventually(lambda: stripe.server is not None and not stripe.server.connections)
                # What was pooled is known to be closed once the loop has turned; the rest is refused.
                await asyncio.sleep(0.02)
                assert set(await pay("during", 60)) == {"adyen"}
                core(stripe).come_back()
                await asyncio.sleep(1.05)  # the breaker's open time
                await pay("trials", 20)
                assert "stripe" in await pay("after", 60)
                await check_the_money(shop, stripe, adyen)

    run(story())


def test_lost_in_flight_is_unknown_first_and_the_truth_in_the_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateway("stripe", p50_ms=200) as stripe, gateway("adyen") as adyen:
            urls = {"stripe": (url(stripe), 1.0), "adyen": (url(adyen), 0.0)}
            async with serving(tmp_path / "s", urls) as shop:
                calls = [asyncio.create_task(shop.pay(f"o{n}")) for n in range(60)]
                await eventually(lambda: len(movements("capture", stripe)) >= 15)
                core(stripe).go_dark("outage")
                answers = [await call for call in calls]
                told = [payment["status"] for _, payment in answers]
                assert told.count("unknown") >= 5 and set(told) <= {"unknown", "succeeded"}
                taken = {movement.order_id for movement in movements("capture", stripe)}
                core(stripe).come_back()
                await all_resolved(shop)
                ends = {entry["order_id"]: entry["status"] for entry in await shop.ledger()}
                for _, payment in answers:
                    was_taken = payment["order_id"] in taken or payment["gateway"] == "adyen"
                    assert ends[payment["order_id"]] == ("succeeded" if was_taken else "failed")
                # Both kinds were there, and nobody was charged by the asking.
                lost = {p["order_id"] for _, p in answers if p["status"] == "unknown"}
                assert lost & taken and lost - taken
                assert {movement.order_id for movement in movements("capture", stripe)} == taken
                await check_the_money(shop, stripe, adyen)

    run(story())


def test_lost_in_flight_at_adyen_is_found_out_by_its_key(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            gateway("adyen", p50_ms=200) as adyen,
            serving(tmp_path / "s", {"adyen": (url(adyen), 1.0)}) as shop,
        ):
            calls = [asyncio.create_task(shop.pay(f"o{n}")) for n in range(40)]
            await eventually(lambda: len(movements("capture", adyen)) >= 10)
            core(adyen).go_dark("outage")
            told = [(await call)[1]["status"] for call in calls]
            assert told.count("unknown") >= 5
            core(adyen).come_back()
            await all_resolved(shop)
            assert {entry["status"] for entry in await shop.ledger()} == {"succeeded"}
            await check_the_money(shop, adyen)

    run(story())


def test_a_gateway_that_fails_every_charge_loses_its_payments_to_the_other(tmp_path: Path) -> None:
    fault = {
        "id": "f1",
        "fault": "http_error",
        "at_ns": 0,
        "for_ns": 60_000_000_000,
        "endpoint": "payment_intents.create",
        "params": {"status": 500},
    }

    async def story() -> None:
        async with gateway("stripe", 5, [fault]) as stripe, gateway("adyen") as adyen:
            stripe.go(Clock.starting_now(), None)
            urls = {"stripe": (url(stripe), 1.0), "adyen": (url(adyen), 0.0)}
            async with serving(tmp_path / "s", urls) as shop:
                await eventually(lambda: bool(core(stripe).faults))
                answers = [await shop.pay(f"o{n}") for n in range(20)]
                assert {(status, payment["gateway"]) for status, payment in answers} == {(201, "adyen")}
                await check_the_money(shop, stripe, adyen)

    run(story())
