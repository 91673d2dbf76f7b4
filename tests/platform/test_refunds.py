"""Refunds: back through the gateway that took the money, once, and never too much."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.platform.rig import eventually
from tests.platform.test_payments import World, play


async def paid(w: World, order: str = "o1", amount: int = 1000) -> Any:
    status, payment = await w.shop.pay(order, amount=amount)
    assert status == 201
    return payment


async def refunded(w: World) -> int:
    (entry,) = await w.shop.ledger()
    return int(entry["refunded_minor"])


def test_in_parts_then_the_rest_then_no_more(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        payment = await paid(w)
        status, refund = await w.shop.refund(payment["id"], "r1", 300)
        assert status == 201
        assert refund == {
            "id": refund["id"],
            "payment_id": payment["id"],
            "amount_minor": 300,
            "status": "succeeded",
        }
        assert (await w.shop.refund(payment["id"], "r2", 701))[0] == 422
        status, rest = await w.shop.refund(payment["id"], "r3")
        assert (status, rest["amount_minor"]) == (201, 700)
        assert (await w.shop.refund(payment["id"], "r4"))[0] == 422
        assert (await w.shop.refund(payment["id"], "r5", 1))[0] == 422
        assert w.stripe.refunds == [(payment["reference"], 300), (payment["reference"], 700)]
        assert await refunded(w) == 1000

    play(tmp_path, story)


def test_the_same_key_never_refunds_twice(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        payment = await paid(w)
        first = await w.shop.refund(payment["id"], "r1", 300)
        assert await w.shop.refund(payment["id"], "r1", 300) == first
        assert (await w.shop.refund(payment["id"], "r1", 301))[0] == 409
        assert (await w.shop.refund(payment["id"], "r1"))[0] == 409
        assert len(w.stripe.refunds) == 1
        # Keys belong to a payment: the same key refunds another payment.
        other = await paid(w, "o2")
        assert (await w.shop.refund(other["id"], "r1", 300))[0] == 201

    play(tmp_path, story)


def test_many_at_once_stay_within_the_capture(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        payment = await paid(w)
        answers = await asyncio.gather(
            *(w.shop.refund(payment["id"], f"r{n % 10}", 300) for n in range(30)),
            *(w.shop.refund(payment["id"], f"whole{n}") for n in range(3)),
        )
        assert sum(amount for _, amount in w.stripe.refunds) == 1000 == await refunded(w)
        assert {status for status, _ in answers} == {201, 422}

    play(tmp_path, story)


def test_a_payment_that_moved_is_refunded_where_it_was_taken(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.server.refuse()
        payment = await paid(w)
        w.stripe.server.resume()
        status, _ = await w.shop.refund(payment["id"], "r1")
        assert status == 201
        assert w.adyen.refunds == [(payment["reference"], 1000)] and w.stripe.refunds == []

    play(tmp_path, story)


def test_what_was_never_taken_is_not_refunded(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        _, declined = await w.shop.pay("o1", "card_declined_insufficient_funds")
        assert (await w.shop.refund(declined["id"], "r1"))[0] == 422
        w.stripe.script.append("hang")
        call = asyncio.create_task(w.shop.pay("o2"))
        await eventually(lambda: len(w.stripe.charges()) == 2)
        w.stripe.server.refuse()
        _, unknown = await call
        assert (await w.shop.refund(unknown["id"], "r1"))[0] == 409
        w.stripe.finish(carry_out=False)
        w.stripe.server.resume()

    play(tmp_path, story)


def test_an_answer_that_is_lost_is_asked_for_under_the_same_key(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        payment = await paid(w)
        w.stripe.refund_script.extend(["commit_reset", "500"])
        status, _ = await w.shop.refund(payment["id"], "r1", 400)
        if status == 202:
            await eventually(lambda: len(w.stripe.refunds) == 1)
        keys = {key for what, key in w.stripe.seen if what == "refund"}
        assert len(keys) == 1 and w.stripe.refunds == [(payment["reference"], 400)]

    play(tmp_path, story)


def test_an_unknown_refund_counts_and_is_resolved(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        payment = await paid(w)
        w.stripe.refund_script.append("hang")
        call = asyncio.create_task(w.shop.refund(payment["id"], "r1", 800))
        await eventually(lambda: "refund" in {what for what, _ in w.stripe.seen})
        w.stripe.server.refuse()
        status, refund = await call
        assert (status, refund["status"]) == (202, "unknown")
        assert (await w.shop.refund(payment["id"], "r2", 300))[0] == 422  # 800 may be gone already
        w.stripe.finish(carry_out=True)
        w.stripe.server.resume()
        for _ in range(1000):
            status, refund = await w.shop.refund(payment["id"], "r1", 800)
            if status == 201:
                break
            await asyncio.sleep(0.01)
        assert refund["status"] == "succeeded"
        assert w.stripe.refunds == [(payment["reference"], 800)] and await refunded(w) == 800

    play(tmp_path, story)


def test_a_refund_that_was_never_sent_has_failed_and_frees_its_amount(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        payment = await paid(w)
        w.stripe.server.refuse()
        await eventually(lambda: not w.stripe.server.connections)
        status, refund = await w.shop.refund(payment["id"], "r1")
        # A pooled connection whose end is noticed only after sending makes it unknown instead.
        assert (status, refund["status"]) in ((503, "failed"), (202, "unknown"))
        w.stripe.server.resume()
        for n in range(200):
            status, _ = await w.shop.refund(payment["id"], f"again{n}")
            if status == 201 or await refunded(w) == 1000:
                break
            await asyncio.sleep(0.02)
        assert sum(amount for _, amount in w.stripe.refunds) == 1000

    play(tmp_path, story)
