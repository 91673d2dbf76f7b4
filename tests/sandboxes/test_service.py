"""The reference platform pays through the proxy to what stands in for each sandbox: TLS under the sandbox's own
name, resolved to this machine. What the records say is what the stand-in's ledger has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from journal.clock import Clock
from journal.records import Mark, Movement
from mocks.exchange import Request
from mocks.faults import FaultPlan
from mocks.outbound import Call, Client, LostError
from mocks.platform.process import Platform
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes.keys import KeysError
from mocks.sandboxes.records import SOURCE, UNREAD
from mocks.sandboxes.service import SandboxService
from tests.mocks.running import Memory, Running, adyen_payment
from tests.platform.rig import Shop
from tests.platform.rig import run as play
from tests.sandboxes.standin import Files, certificates, standing_in
from tests.sandboxes.test_keys import ENVIRONMENT

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return certificates(tmp_path_factory.mktemp("sandboxes"))


def plan(name: str, port: int, files: Files, **more: Any) -> dict[str, Any]:
    return {
        "gateway": name,
        "name": name,
        "run": "abc123",
        "seed": 1,
        "requests": 1000,
        "period_s": 1.0,
        "address": f"127.0.0.1:{port}",
        "authority": str(files.authority),
        **more,
    }


@contextlib.asynccontextmanager
async def serving(
    name: str, running: Running, files: Files, faults: Sequence[FaultPlan] = (), **more: Any
) -> AsyncIterator[tuple[SandboxService, str, Memory]]:
    service, written = SandboxService(ENVIRONMENT), Memory()
    messages = [fault.message() for fault in faults]
    try:
        ready = await service.start(plan(name, running.port, files, faults=messages, **more))
        service.go(Clock.starting_now(), written)
        yield service, f"http://127.0.0.1:{ready['port']}", written
    finally:
        await service.stop()


@contextlib.asynccontextmanager
async def paying(name: str, url: str, store: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    platform = Platform()
    entry = {"name": name, "url": url, "weight": 1, "webhook_secret": "", "sandbox": True}
    try:
        ready = await platform.start(
            {"seed": 1, "store": str(store), "timeout_ns": 2 * SECOND, "gateways": [entry]}
        )
        shop = Shop(f"http://127.0.0.1:{ready['port']}")
        try:
            yield shop
        finally:
            await shop.client.close()
    finally:
        await platform.stop()


ADYEN_CALL = Call(
    "POST",
    "/v72/payments",
    (("x-api-key", "AQE1"), ("content-type", "application/json"), ("idempotency-key", "k1")),
    orjson.dumps(adyen_payment("abc123-0000001")),
)

PAYMENTS = {
    "stripe": ("card", "card_visa", "card_declined_insufficient_funds"),
    "adyen": ("card", "card_visa", "card_declined_insufficient_funds"),
    "gocardless": ("bank", "bank_account", ""),
    "paypal": ("paypal", "paypal_wallet", "paypal_declined_generic"),
}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What the stand-ins are asked."""
    from mocks.gateways.gateway import Gateway

    seen: list[Request] = []
    take = Gateway.__call__

    def call(self: Gateway, exchange: Any) -> None:
        seen.append(exchange.request)
        take(self, exchange)

    monkeypatch.setattr(Gateway, "__call__", call)
    return seen


def movements(written: Memory) -> list[tuple[object, ...]]:
    return compared(record for record in written.records if isinstance(record, Movement))


def compared(rows: Any) -> list[tuple[object, ...]]:
    return sorted(
        (row.kind, row.reference, row.parent, row.order_id, row.amount_minor, row.currency)
        for row in rows
        if row.kind not in ("fee", "payout")
    )


def notes(written: Memory) -> list[str]:
    return [record.text for record in written.records if isinstance(record, Mark)]


@pytest.mark.parametrize("name", SANDBOXES)
def test_platform_proxy_sandbox_and_back(
    name: str, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: list[Request]
) -> None:
    method, good, bad = PAYMENTS[name]

    async def main(running: Running) -> tuple[Memory, int]:
        async with (
            serving(name, running, files) as (service, url, written),
            paying(name, url, tmp_path / "store", monkeypatch) as shop,
        ):
            await shop.pay("abc123-0000000", good, method=method)
            before = len(watched)
            status, paid = await shop.pay("abc123-0000001", good, method=method)
            asked = len(watched) - before
            assert status == (202 if name == "gocardless" else 201), paid
            if name != "gocardless":
                refunded, _, _ = await shop.call("POST", f"/payments/{paid['id']}/refunds", {}, "refund-1")
                assert refunded == 201
            if bad:
                status, declined = await shop.pay("abc123-0000002", bad, method=method)
                assert (status, declined["status"]) == (402, "declined")
            running.thread.call(lambda: running.gateway.mock_clock.advance(60))
            await service.read_records()
            return written, asked

    with standing_in(name, files) as running:
        written, asked = play(main(running))
        truth = compared(running.movements)
    assert movements(written) == truth
    assert [row[0] for row in truth].count("capture") == 2
    assert asked == SANDBOXES[name].requests
    assert {request.headers["host"].rpartition(":")[0] for request in watched} == {SANDBOXES[name].host}
    (note,) = notes(written)
    assert note.startswith(SOURCE) and "It cannot be known" in note


def lost_after_commit(name: str) -> FaultPlan:
    how = {"look": "reset"}
    return FaultPlan("f1", "commit_then_lose", -SECOND, 60 * SECOND, endpoint=PAYS[name], params=how)


PAYS = {"stripe": "payment_intents.create", "adyen": "payments"}


@pytest.mark.parametrize("name", PAYS)
def test_money_that_moved_while_the_answer_was_lost_is_in_the_records(
    name: str, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(running: Running) -> Memory:
        async with (
            serving(name, running, files, [lost_after_commit(name)]) as (service, url, written),
            paying(name, url, tmp_path / "store", monkeypatch) as shop,
        ):
            status, paid = await shop.pay("abc123-0000001")
            assert (status, paid["status"]) != (201, "succeeded")
            await service.read_records()
            return written

    with standing_in(name, files) as running:
        written = play(main(running))
        truth = compared(running.movements)
    assert [row[0] for row in truth] == ["capture"]
    assert movements(written) == truth
    assert not any(note.startswith(UNREAD) for note in notes(written))


async def post(url: str, authorization: str, target: str = "/v1/payment_intents") -> int:
    client = Client(url)
    headers = (("authorization", authorization), ("content-type", "application/x-www-form-urlencoded"))
    body = (
        b"amount=500&currency=eur&confirm=true&payment_method=pm_card_visa&metadata[order_id]=abc123-0000001"
    )
    try:
        return (await client.call(Call("POST", target, headers, body), 10 * SECOND)).status
    finally:
        await client.close()


def test_a_live_key_of_the_platform_stops_at_the_proxy(files: Files, watched: list[Request]) -> None:
    async def main(running: Running) -> list[int]:
        async with serving("stripe", running, files) as (_, url, _written):
            return [await post(url, f"Bearer {key}") for key in ("sk_live_1", "other_1", "sk_test_1")]

    with standing_in("stripe", files) as running:
        assert play(main(running)) == [403, 403, 200]
    assert len(watched) == 1


@pytest.mark.parametrize(("name", "says"), [("stripe", "HTTP 500"), ("gocardless", "HTTP 500")])
def test_records_that_cannot_be_read_are_said_to_be_missing(
    name: str, says: str, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mocks.sandboxes.records.get.__kwdefaults__", {"pause_s": 0.0})

    async def main(running: Running) -> Memory:
        async with serving(name, running, files) as (service, _, written):
            await service.read_records()
            return written

    always = FaultPlan("f1", "http_error", -SECOND, 60 * SECOND, params={"status": 500})
    with standing_in(name, files, faults=(always,)) as running:
        (note,) = notes(play(main(running)))
    assert note.startswith(UNREAD) and says in note


def test_an_answer_that_the_sandbox_never_gave_leaves_the_truth_open(files: Files) -> None:
    async def main(running: Running) -> Memory:
        async with serving("adyen", running, files) as (service, url, written):
            client = Client(url)
            with pytest.raises(LostError):
                await client.call(ADYEN_CALL, 10 * SECOND)
            await client.close()
            await service.read_records()
            return written

    lost = FaultPlan("f1", "commit_then_lose", -SECOND, 60 * SECOND, params={"look": "reset"})
    with standing_in("adyen", files, faults=(lost,)) as running:
        written = play(main(running))
        assert len(running.movements) == 1
    assert movements(written) == []
    first, second = notes(written)
    assert first.startswith(UNREAD) and "abc123-0000001" in first and second.startswith(SOURCE)


def test_a_certificate_for_another_host_is_refused_and_nothing_is_sent(
    tmp_path: Path, watched: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mocks.sandboxes.records.get.__kwdefaults__", {"pause_s": 0.0})
    wrong = certificates(tmp_path, "api.stripe.com.example.test")

    async def main(running: Running) -> tuple[int, Memory]:
        async with serving("stripe", running, wrong) as (service, url, written):
            status = await post(url, "Bearer sk_test_1")
            await service.read_records()
            return status, written

    with standing_in("stripe", wrong) as running:
        status, written = play(main(running))
    assert status == 502 and watched == []
    (note,) = notes(written)
    assert note.startswith(UNREAD)


def test_all_callers_and_the_records_share_one_pace(files: Files, watched: list[Request]) -> None:
    async def main(running: Running) -> float:
        limits: Any = {"requests": 20, "period_s": 2.0}
        async with serving("stripe", running, files, **limits) as (service, url, _):
            loop = asyncio.get_running_loop()
            began = loop.time()
            await asyncio.gather(*(post(url, f"Bearer sk_test_{number}") for number in range(3)))
            await service.read_records()
            return loop.time() - began

    with standing_in("stripe", files) as running:
        took = play(main(running))
    assert len(watched) == 3 + 3  # the three lists
    assert took >= (6 - 1) / 9.5 - 0.02  # the loop's clock may fire a timer a resolution early


def test_without_its_keys_a_sandbox_does_not_start(files: Files) -> None:
    service = SandboxService({"PAYDRILL_STRIPE_KEY": "sk_live_51Habc"})
    with pytest.raises(KeysError) as caught:
        play(service.start(plan("stripe", 9, files)))
    assert "51Habc" not in str(caught.value)
