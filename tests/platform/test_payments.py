"""Payments on scripted gateways: who is asked what, and what the customer and the ledger are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mocks.platform.payment import payment_id
from tests.platform.fake import FakeGateway, Step, fakes
from tests.platform.rig import Shop, eventually, run, serving


class World(NamedTuple):
    shop: Shop
    stripe: FakeGateway
    adyen: FakeGateway


@asynccontextmanager
async def world(store: Path, timeout: float = 2.0) -> AsyncIterator[World]:
    """Every order goes to Stripe first; Adyen only ever takes over."""
    async with fakes() as (stripe, adyen):
        urls = {"stripe": (stripe.url, 1.0), "adyen": (adyen.url, 0.0)}
        async with serving(store, urls, timeout) as shop:
            yield World(shop, stripe, adyen)


def play(store: Path, story: Callable[[World], Awaitable[None]], timeout: float = 2.0) -> None:
    async def whole() -> None:
        async with world(store / "store.sqlite", timeout) as w:
            await story(w)

    run(whole())


def test_a_payment_is_taken_once_and_told_as_it_is(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        status, payment = await w.shop.pay("o1", amount=4200)
        assert status == 201
        assert payment == {
            "id": payment_id("o1"),
            "order_id": "o1",
            "amount_minor": 4200,
            "currency": "EUR",
            "status": "succeeded",
            "gateway": "stripe",
            "reference": "pi_0",
        }
        assert w.stripe.captures == [("o1", "pi_0", 4200)] and w.adyen.captures == []
        assert await w.shop.payment(payment["id"]) == payment
        (entry,) = await w.shop.ledger()
        assert entry == {
            "id": payment["id"],
            "order_id": "o1",
            "amount_minor": 4200,
            "currency": "EUR",
            "status": "succeeded",
            "gateway": "stripe",
            "reference": "pi_0",
            "refunded_minor": 0,
            "kind": "payment",
        }

    play(tmp_path, story)


def test_a_decline_is_final_and_never_moves(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        for n in range(12):  # more than would open the breaker
            status, payment = await w.shop.pay(f"o{n}", "card_declined_insufficient_funds")
            assert (status, payment["status"]) == (402, "declined")
            assert payment["decline_code"] == "insufficient_funds" and payment["gateway"] == "stripe"
        assert w.adyen.seen == []
        _, health, _ = await w.shop.call("GET", "/health")
        assert health["gateways"]["stripe"] == {"breaker": "closed", "share_served": 1.0}
        assert {(entry["gateway"], entry["reference"]) for entry in await w.shop.ledger()} == {("", "")}

    play(tmp_path, story)


def test_the_same_key_is_the_same_payment(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        first = await w.shop.pay("o1")
        body = {
            "order_id": "o1",
            "amount_minor": 1290,
            "currency": "EUR",
            "method": "card",
            "instrument": "card_visa",
        }
        status, again, answer = await w.shop.call("POST", "/payments", body, "o1")
        assert (status, again) == first and answer.headers["idempotent-replayed"] == "true"
        for changed in (
            {"amount_minor": 1291},
            {"currency": "USD"},
            {"instrument": "card_amex"},
            {"order_id": "o2"},
        ):
            status, _, _ = await w.shop.call("POST", "/payments", body | changed, "o1")
            assert status == 409
        assert len(w.stripe.charges()) == 1

    play(tmp_path, story)


def test_the_same_key_while_in_progress_waits_for_the_outcome(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.script.append("hang")
        calls = [asyncio.create_task(w.shop.pay("o1")) for _ in range(5)]
        await eventually(lambda: bool(w.stripe.charges()))
        status, _ = await w.shop.pay("o1", amount=7)
        assert status == 409
        assert not any(call.done() for call in calls)
        w.stripe.finish(carry_out=True)
        answers = [await call for call in calls]
        assert answers[0][0] == 201 and all(answer == answers[0] for answer in answers)
        assert len(w.stripe.captures) == 1

    play(tmp_path, story)


def test_an_order_is_paid_once_even_under_another_key(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        assert (await w.shop.pay("o1", "card_declined_insufficient_funds", key="k1"))[0] == 402
        w.stripe.script.append("hang")
        second = asyncio.create_task(w.shop.pay("o1", key="k2"))  # another card after a decline: allowed
        await eventually(lambda: len(w.stripe.charges()) == 2)
        assert (await w.shop.pay("o1", key="k3"))[0] == 409
        w.stripe.finish(carry_out=True)
        assert (await second)[0] == 201
        assert (await w.shop.pay("o1", key="k4"))[0] == 409
        assert len(w.stripe.captures) == 1

    play(tmp_path, story)


def test_a_refused_connection_moves_the_payment_at_once(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.server.refuse()
        for n in range(8):
            status, payment = await w.shop.pay(f"o{n}")
            assert (status, payment["gateway"]) == (201, "adyen")
        assert len(w.adyen.captures) == 8
        _, health, _ = await w.shop.call("GET", "/health")
        assert health["gateways"]["stripe"]["breaker"] == "open"
        w.stripe.server.resume()

        async def gateway() -> str:
            _, payment = await w.shop.pay(f"later{len(w.adyen.captures)}")
            return str(payment["gateway"])

        for _ in range(400):
            if await gateway() == "stripe":
                break
            await asyncio.sleep(0.01)
        for n in range(4):
            await w.shop.pay(f"last{n}")
        _, health, _ = await w.shop.call("GET", "/health")
        assert health["gateways"]["stripe"]["breaker"] == "closed"

    play(tmp_path, story)


def test_nowhere_to_go_is_failed_and_surely_not_taken(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.server.refuse()
        w.adyen.server.refuse()
        for n in range(8):
            status, payment = await w.shop.pay(f"o{n}")
            assert (status, payment["status"]) == (503, "failed") and payment["error"]
        w.stripe.server.resume()
        w.adyen.server.resume()
        assert (await w.shop.pay("o1"))[0] == 503  # the key's payment has failed, and stays so
        assert (await w.shop.pay("o1", key="another"))[0] in (201, 503)  # the order may be tried again
        assert len(w.stripe.captures) + len(w.adyen.captures) <= 1

    play(tmp_path, story)


@pytest.mark.parametrize(
    "steps",
    [
        ["commit_reset"],
        ["reset"],
        ["500"],
        ["commit_500"],
        ["429"],
        ["500", "reset", "429"],
        ["commit_reset", "reset"],
        ["garbage"],
    ],
)
def test_trouble_that_passes_ends_in_one_capture_under_one_key(tmp_path: Path, steps: list[Step]) -> None:
    async def story(w: World) -> None:
        w.stripe.script.extend(steps)
        _, payment = await w.shop.pay("o1")
        # Long tries may outlast the customer's patience; what counts is where it ends.
        payment = await w.shop.settled(payment["id"])
        assert (payment["status"], payment["gateway"]) == ("succeeded", "stripe")
        assert [capture[0] for capture in w.stripe.captures] == ["o1"] and w.adyen.seen == []
        assert len(set(w.stripe.charges())) == 1

    play(tmp_path, story)


def test_lost_in_an_outage_is_unknown_then_succeeded_when_it_was_taken(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.script.append("hang")
        call = asyncio.create_task(w.shop.pay("o1"))
        await eventually(lambda: bool(w.stripe.charges()))
        w.stripe.server.refuse()
        status, payment = await call
        assert (status, payment["status"]) == (202, "unknown")
        _, health, _ = await w.shop.call("GET", "/health")
        assert health["unresolved"] == 1
        w.stripe.finish(carry_out=True)  # it was taken before the lights went out
        w.stripe.server.resume()
        payment = await w.shop.settled(payment["id"])
        assert (payment["status"], payment["reference"]) == ("succeeded", w.stripe.captures[0][1])
        assert len(w.stripe.captures) == 1 and w.adyen.seen == []
        assert (await w.shop.pay("o1")) == (201, payment)
        _, health, _ = await w.shop.call("GET", "/health")
        assert health["unresolved"] == 0

    play(tmp_path, story)


def test_lost_in_an_outage_is_unknown_then_failed_when_it_was_not_taken(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.script.append("hang")
        call = asyncio.create_task(w.shop.pay("o1"))
        await eventually(lambda: bool(w.stripe.charges()))
        w.stripe.server.refuse()
        status, payment = await call
        assert status == 202
        w.stripe.finish(carry_out=False)
        w.stripe.server.resume()
        payment = await w.shop.settled(payment["id"])
        assert payment["status"] == "failed"
        assert w.stripe.captures == [] and w.adyen.seen == []
        assert ("cancel", "") in w.stripe.seen  # no open intent is left behind

    play(tmp_path, story)


def test_failed_is_not_said_while_the_charge_may_still_be_under_way(tmp_path: Path) -> None:
    """The gateway is slow beyond all patience and then takes the money: a look-up alone would have said
    that there is no such payment."""

    async def story(w: World) -> None:
        w.stripe.script.append("hang")
        status, payment = await w.shop.pay("o1")
        assert (status, payment["status"]) == (202, "unknown")
        look_ups = w.stripe.seen.count(("look_up", ""))
        await eventually(lambda: w.stripe.seen.count(("look_up", "")) >= look_ups + 2)
        assert (await w.shop.payment(payment["id"]))["status"] == "unknown"
        w.stripe.finish(carry_out=True)
        payment = await w.shop.settled(payment["id"])
        assert payment["status"] == "succeeded" and len(w.stripe.captures) == 1 and w.adyen.seen == []

    play(tmp_path, story, timeout=0.3)


def test_a_gateway_that_answers_500_is_asked_and_left_only_when_it_has_nothing(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.script.extend(["500"] * 4)
        status, payment = await w.shop.pay("o1")
        assert (status, payment["gateway"]) == (201, "adyen")
        assert w.stripe.captures == [] and len(w.adyen.captures) == 1
        assert ("look_up", "") in w.stripe.seen and ("fence", payment_id("o1") + "-stripe") in w.stripe.seen

    play(tmp_path, story)


def test_answered_every_time_and_not_found_is_enough_where_a_fence_cannot_be_put(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.fences_fail = True
        w.stripe.script.extend(["500"] * 4)
        status, payment = await w.shop.pay("o1")
        assert (status, payment["gateway"]) == (201, "adyen")

    play(tmp_path, story)


@pytest.mark.parametrize("step", ["504", "reset"])
def test_not_found_is_not_enough_while_an_attempt_may_be_under_way(tmp_path: Path, step: Step) -> None:
    async def story(w: World) -> None:
        w.stripe.fences_fail = True
        w.stripe.script.extend([step, "500", "500", "500"])
        status, payment = await w.shop.pay("o1")
        assert (status, payment["status"]) == (202, "unknown") and w.adyen.seen == []
        fences = len(w.stripe.fences())
        await eventually(lambda: len(w.stripe.fences()) >= fences + 3)  # the janitor has asked twice, in vain
        assert (await w.shop.payment(payment["id"]))["status"] == "unknown"
        w.stripe.finish(carry_out=True)
        w.stripe.fences_fail = False
        payment = await w.shop.settled(payment["id"])
        taken = len(w.stripe.captures)
        assert (payment["status"], taken) == (("succeeded", 1) if step == "504" else ("failed", 0))
        assert w.adyen.seen == []

    play(tmp_path, story)


def test_no_move_while_a_gateway_that_answers_500_may_have_taken_it(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.look_ups_fail = True
        w.stripe.script.extend(["commit_500", "500", "500", "500"])
        status, payment = await w.shop.pay("o1")
        assert (status, payment["status"]) == (202, "unknown") and w.adyen.seen == []
        w.stripe.look_ups_fail = False
        payment = await w.shop.settled(payment["id"])
        assert payment["status"] == "succeeded" and len(w.stripe.captures) == 1 and w.adyen.seen == []

    play(tmp_path, story)


def test_a_rate_limit_is_no_outage(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        for n in range(6):
            w.stripe.script.extend(["429", "429"])
            status, payment = await w.shop.pay(f"o{n}")
            assert (status, payment["gateway"]) == (201, "stripe")
        _, health, _ = await w.shop.call("GET", "/health")
        assert health["gateways"]["stripe"]["breaker"] == "closed"
        assert w.adyen.seen == []

    play(tmp_path, story)


def test_a_refused_request_moves_and_opens_no_breaker(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        for n in range(8):
            w.stripe.script.append("401")
            status, payment = await w.shop.pay(f"o{n}")
            assert (status, payment["gateway"]) == (201, "adyen")
        _, health, _ = await w.shop.call("GET", "/health")
        assert health["gateways"]["stripe"]["breaker"] == "closed"

    play(tmp_path, story)


def test_adyen_is_asked_by_its_key(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.stripe.server.refuse()
        w.adyen.script.append("hang")
        call = asyncio.create_task(w.shop.pay("o1"))
        await eventually(lambda: bool(w.adyen.charges()))
        w.adyen.server.refuse()
        status, payment = await call
        assert (status, payment["status"], payment["gateway"]) == (202, "unknown", "adyen")
        w.adyen.finish(carry_out=True)
        w.adyen.server.resume()
        payment = await w.shop.settled(payment["id"])
        assert payment["status"] == "succeeded" and len(w.adyen.captures) == 1
        assert len(set(w.adyen.charges())) == 1 and w.stripe.captures == []

    play(tmp_path, story)


BODY: dict[str, Any] = {
    "order_id": "o1",
    "amount_minor": 1290,
    "currency": "EUR",
    "method": "card",
    "instrument": "card_visa",
}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        ([1], "body"),
        (BODY | {"order_id": ""}, "order_id"),
        (BODY | {"order_id": 7}, "order_id"),
        (BODY | {"amount_minor": 0}, "amount_minor"),
        (BODY | {"amount_minor": -5}, "amount_minor"),
        (BODY | {"amount_minor": 12.5}, "amount_minor"),
        (BODY | {"amount_minor": True}, "amount_minor"),
        (BODY | {"amount_minor": 10**12}, "amount_minor"),
        (BODY | {"currency": "eur"}, "currency"),
        (BODY | {"method": "wallet"}, "method"),
        (BODY | {"instrument": "4242424242424242"}, "instrument"),
        (BODY | {"instrument": ["card_visa"]}, "instrument"),
        (BODY | {"amount": 5}, "amount"),
        (BODY | {"customer": "Jane"}, "customer"),
        (BODY | {"cart": {}}, "cart"),
        ({k: v for k, v in BODY.items() if k != "currency"}, "currency"),
    ],
)
def test_bad_input_is_refused_with_the_field_at_fault(tmp_path: Path, body: object, field: str) -> None:
    async def story(w: World) -> None:
        status, answer, _ = await w.shop.call("POST", "/payments", body, "k")
        assert (status, answer["error"]["field"]) == (400, field)
        assert w.stripe.seen == [] and await w.shop.ledger() == []

    play(tmp_path, story)


def test_a_checkout_may_say_who_buys_what(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        body = BODY | {"customer": {"name": "Jane"}, "cart": [{"sku": "a", "quantity": 1}]}
        assert (await w.shop.call("POST", "/payments", body, "k"))[0] == 201

    play(tmp_path, story)


def test_what_is_not_there_and_what_is_missing(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        assert (await w.shop.call("POST", "/payments", BODY))[0] == 400  # no key
        assert (await w.shop.call("POST", "/payments", BODY, "k" * 256))[0] == 400
        assert (await w.shop.call("GET", "/payments/pay_none"))[0] == 404
        assert (await w.shop.call("POST", "/payments/pay_none/refunds", None, "k"))[0] == 404
        assert (await w.shop.call("GET", "/nothing"))[0] == 404
        assert (await w.shop.call("GET", "/payments"))[0] == 405
        for query in ("after=x", "limit=0", "limit=1001", "limit=-1", "after=%C2%B2"):
            assert (await w.shop.call("GET", f"/ledger?{query}"))[0] == 400
        assert w.stripe.seen == []

    play(tmp_path, story)


def test_the_ledger_comes_in_pages_in_the_order_of_creation(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        for n in range(7):
            await w.shop.pay(f"o{n}")
        seen, after = [], "0"
        for expected in (3, 3, 1):
            _, page, _ = await w.shop.call("GET", f"/ledger?after={after}&limit=3")
            assert len(page["entries"]) == expected
            seen += [entry["order_id"] for entry in page["entries"]]
            after = page["next"]
        assert after is None and seen == [f"o{n}" for n in range(7)]

    play(tmp_path, story)
