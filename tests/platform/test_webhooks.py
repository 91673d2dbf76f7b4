"""Webhooks that come in: signed by the mocks, verified here; forged, old, doubled and reordered ones."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.gateways.service import GatewayService
from mocks.outbound import Call, Client
from mocks.platform.janitor import Janitor
from mocks.platform.retries import Backoff
from mocks.platform.webhooks import READERS, ForgedError
from tests.platform.gateways import check_the_money, core, gateway, movements, url
from tests.platform.rig import Shop, eventually, run, serving

NOW = 1_800_000_000.0
SECRETS = {"stripe": "whsec_test", "adyen": "AB" * 32, "gocardless": "shared", "paypal": ""}


def stripe_headers(body: bytes, at: float = NOW, secret: str = SECRETS["stripe"]) -> dict[str, str]:
    digest = hmac.new(secret.encode(), b"%d." % int(at) + body, sha256).hexdigest()
    return {"stripe-signature": f"t={int(at)},v1={digest}"}


def stripe_body(kind: str = "payout.paid", **subject: Any) -> bytes:
    return orjson.dumps({"id": "evt_1", "type": kind, "data": {"object": {"id": "po_1", **subject}}})


def adyen_body(code: str, key: str = SECRETS["adyen"], success: str = "true", **changed: Any) -> bytes:
    item: dict[str, Any] = {
        "pspReference": "R1",
        "originalReference": "P1",
        "merchantAccountCode": "Shop",
        "merchantReference": "o1",
        "amount": {"value": 1290, "currency": "EUR"},
        "eventCode": code,
        "success": success,
    }
    signed = ":".join((*(item[n] for n in list(item)[:4]), "1290", "EUR", code, success))
    digest = hmac.new(bytes.fromhex(key), signed.encode(), sha256).digest()
    item["additionalData"] = {"hmacSignature": base64.b64encode(digest).decode()}
    item |= changed
    return orjson.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]})


def gocardless_headers(body: bytes, secret: str = SECRETS["gocardless"]) -> dict[str, str]:
    return {"webhook-signature": hmac.new(secret.encode(), body, sha256).hexdigest()}


def gocardless_body(kind: str = "payouts", action: str = "paid", **links: str) -> bytes:
    event = {"id": "EV1", "resource_type": kind, "action": action, "links": links or {"payout": "PO1"}}
    return orjson.dumps({"events": [event]})


GOOD: list[tuple[str, bytes, dict[str, str]]] = [
    ("stripe", stripe_body(), stripe_headers(stripe_body())),
    ("stripe", stripe_body(), stripe_headers(stripe_body(), NOW - 299)),
    ("adyen", adyen_body("CHARGEBACK"), {}),
    ("gocardless", gocardless_body(), gocardless_headers(gocardless_body())),
]
BAD: list[tuple[str, bytes, dict[str, str]]] = [
    ("stripe", stripe_body(), {}),
    ("stripe", stripe_body(), {"stripe-signature": "t=,v1="}),
    ("stripe", stripe_body(), stripe_headers(stripe_body(), secret="other")),
    ("stripe", stripe_body(), stripe_headers(stripe_body(), NOW - 301)),
    ("stripe", stripe_body(extra=1), stripe_headers(stripe_body())),
    ("stripe", stripe_body(), {"stripe-signature": stripe_headers(stripe_body())["stripe-signature"] + "0"}),
    ("adyen", adyen_body("CHARGEBACK", key="CD" * 32), {}),
    ("adyen", adyen_body("CHARGEBACK", amount={"value": 1, "currency": "EUR"}), {}),
    ("adyen", adyen_body("CHARGEBACK", success="false", eventCode="CHARGEBACK_REVERSED"), {}),
    ("adyen", adyen_body("CHARGEBACK", additionalData={}), {}),
    ("adyen", b'{"notificationItems": []}', {}),
    ("gocardless", gocardless_body(), {}),
    ("gocardless", gocardless_body(), gocardless_headers(gocardless_body(), "other")),
    ("gocardless", gocardless_body(payout="PO2"), gocardless_headers(gocardless_body())),
]


@pytest.mark.parametrize(("name", "body", "headers"), GOOD)
def test_what_a_gateway_signed_is_read(name: str, body: bytes, headers: dict[str, str]) -> None:
    (notice,) = READERS[name](headers, body, SECRETS[name], NOW)
    assert notice.about == ("dispute" if name == "adyen" else "payout")
    assert notice.id


@pytest.mark.parametrize(("name", "body", "headers"), BAD)
def test_what_it_did_not_sign_or_not_lately_is_refused(
    name: str, body: bytes, headers: dict[str, str]
) -> None:
    with pytest.raises(ForgedError):
        READERS[name](headers, body, SECRETS[name], NOW)


@given(st.sampled_from(["stripe", "adyen", "gocardless"]), st.binary(max_size=200), st.text(max_size=80))
def test_no_bytes_get_past_the_signature(name: str, body: bytes, signature: str) -> None:
    headers = {"stripe-signature": signature, "webhook-signature": signature}
    with pytest.raises((ForgedError, ValueError)):
        READERS[name](headers, body, SECRETS[name], NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "data", "object", "events", "links", "resource_type", "action", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(JSON)
def test_whatever_is_signed_is_read_or_refused_and_breaks_nothing(value: Any) -> None:
    body = orjson.dumps(value)
    for name, headers in (("stripe", stripe_headers(body)), ("gocardless", gocardless_headers(body))):
        with suppress(ValueError):
            READERS[name](headers, body, SECRETS[name], NOW)


@asynccontextmanager
async def wired(
    store: Path, *names: str, jitter_s: float = 0.0, doubled: float = 0.0
) -> AsyncIterator[tuple[Shop, dict[str, GatewayService]]]:
    """A platform and the gateways that tell it what happens."""
    async with AsyncExitStack() as stack:
        services = {name: await stack.enter_async_context(gateway(name)) for name in names}
        urls = {name: (url(service), 1.0) for name, service in services.items()}
        secrets = {name: core(service).webhook_secret for name, service in services.items()}
        shop = await stack.enter_async_context(serving(store, urls, secrets=secrets))
        for name, service in services.items():
            hook = {"urls": [f"{shop.url}/webhooks/{name}"], "jitter_s": jitter_s, "doubled": doubled}
            service.deliver(hook)
        yield shop, services


async def delivered(*services: GatewayService) -> None:
    """Every event has been delivered, and answered with a 2xx."""
    await eventually(lambda: all(core(service).outbox.idle for service in services))
    assert [core(service).outbox.waiting + core(service).outbox.abandoned for service in services] == [
        0
    ] * len(services)


async def of_kind(shop: Shop, *kinds: str) -> list[Any]:
    return [entry for entry in await shop.ledger() if entry["kind"] in kinds]


@pytest.mark.parametrize("doubled", [0.0, 1.0])
@pytest.mark.parametrize("name", ["stripe", "adyen"])
def test_payouts_and_their_fees_are_booked_once_as_the_gateway_has_them(
    tmp_path: Path, name: str, doubled: float
) -> None:
    async def story() -> None:
        async with wired(tmp_path / "s", name, doubled=doubled) as (shop, services):
            service = services[name]
            for n in range(110):
                assert (await shop.pay(f"o{n}", amount=1000 + n))[0] == 201
            core(service).mock_clock.advance(4 * 86_400)
            await delivered(service)
            payouts = {row.reference: row.amount_minor for row in movements("payout", service)}
            fees = {row.parent: row.amount_minor for row in movements("fee", service)}
            booked = await of_kind(shop, "payout", "fee")
            assert payouts and fees.keys() == payouts.keys()
            for kind, true in (("payout", payouts), ("fee", fees)):
                rows = [(row["reference"], row["amount_minor"]) for row in booked if row["kind"] == kind]
                assert sorted(rows) == sorted(true.items())
            captured = sum(capture.amount_minor for capture in movements("capture", service))
            assert captured == sum(row["amount_minor"] for row in booked)

    run(story())


def test_a_debit_is_pending_until_its_bank_has_paid_or_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with wired(tmp_path / "s", "gocardless", doubled=0.5, jitter_s=0.3) as (shop, services):
            service = services["gocardless"]
            ends = {"bank_account": "succeeded", "bank_account_without_funds": "declined"}
            debits = {}
            for number, currency in enumerate(("EUR", "GBP", "USD") * 2):
                token = list(ends)[number % 2]
                status, payment = await shop.pay(f"o{number}", token, method="bank", currency=currency)
                assert (status, payment["status"]) == (202, "pending")
                debits[payment["id"]] = token
                again, replay = await shop.pay(f"o{number}", token, method="bank", currency=currency)
                assert (again, replay["reference"]) == (202, payment["reference"])
            _, health, _ = await shop.call("GET", "/health")
            assert (health["unresolved"], health["unsettled"]) == (0, 6)
            core(service).mock_clock.advance(60)
            for id, token in debits.items():
                payment = await shop.settled(id)
                assert payment["status"] == ends[token]
                assert payment.get("decline_code") == (
                    None if token == "bank_account" else payment["decline_code"]
                )
            await delivered(service)
            await check_the_money(shop, service)
            _, health, _ = await shop.call("GET", "/health")
            assert (health["unresolved"], health["unsettled"]) == (0, 0)
            paid = {row.reference: row.amount_minor for row in movements("payout", service)}
            assert len(paid) == 3
            claimed = {row["reference"]: row["amount_minor"] for row in await of_kind(shop, "payout")}
            assert claimed == paid

    run(story())


@pytest.mark.parametrize("lost", [False, True])
def test_a_debit_settles_by_its_webhook_and_by_asking_when_that_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    often, hardly_ever = Backoff(base_ns=20_000_000, cap_ns=20_000_000), Backoff(10**17, 10**17)
    kind = partial(Janitor, settling=often if lost else hardly_ever)
    monkeypatch.setattr("mocks.platform.process.Janitor", kind)

    async def story() -> None:
        async with wired(tmp_path / "s", "gocardless") as (shop, services):
            service = services["gocardless"]
            if lost:
                core(service).outbox.deliver_to(())
            _, payment = await shop.pay("o1", "bank_account", method="bank")
            assert payment["status"] == "pending"
            core(service).mock_clock.advance(60)
            assert (await shop.settled(payment["id"]))["status"] == "succeeded"
            await check_the_money(shop, service)

    run(story())


def test_a_debit_outlives_its_platform(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateway("gocardless") as service:
            urls = {"gocardless": (url(service), 1.0)}
            async with serving(tmp_path / "s", urls) as shop:
                _, payment = await shop.pay("o1", "bank_account", method="bank")
            async with serving(tmp_path / "s", urls) as shop:
                assert await shop.payment(payment["id"]) == payment
                _, health, _ = await shop.call("GET", "/health")
                assert (health["unresolved"], health["unsettled"]) == (0, 1)
                core(service).mock_clock.advance(60)
                assert (await shop.settled(payment["id"]))["status"] == "succeeded"
                await check_the_money(shop, service)

    run(story())


@pytest.mark.parametrize("late_first", [False, True])
def test_a_debit_that_fails_late_was_taken_and_is_disputed_in_whatever_order_it_is_told(
    tmp_path: Path, late_first: bool
) -> None:
    async def story() -> None:
        async with wired(tmp_path / "s", "gocardless") as (shop, services):
            service = services["gocardless"]
            gateway_secret = core(service).webhook_secret
            core(service).outbox.deliver_to(())
            _, payment = await shop.pay("o1", "bank_account", 1290, method="bank")
            reference = payment["reference"]
            for name in ("payment_confirmed", "payment_late_failure"):
                call = Call(
                    "POST",
                    f"/scenario_simulators/{name}/actions/run",
                    (
                        ("authorization", "Bearer t"),
                        ("gocardless-version", "2015-07-06"),
                        ("content-type", "application/json"),
                    ),
                    orjson.dumps({"data": {"links": {"resource": reference}}}),
                )
                client = Client(url(service))
                assert (await client.call(call, 5_000_000_000)).status == 200
                await client.close()
            outbox = core(service).outbox
            told = [e.payload() for e in outbox if e.kind in ("payments.confirmed", "payments.failed")]
            assert len(told) == 2
            for body in (told[::-1] if late_first else told) * 2:
                headers = tuple(gocardless_headers(body, gateway_secret).items())
                answer = await shop.client.call(
                    Call("POST", "/webhooks/gocardless", headers, body), 5 * 10**9
                )
                assert answer.status == 200
            settled = await shop.settled(payment["id"])
            assert settled["status"] == "succeeded"
            (dispute,) = await of_kind(shop, "dispute")
            assert (dispute["order_id"], dispute["amount_minor"]) == ("o1", 1290)
            assert [row.amount_minor for row in movements("dispute", service)] == [1290]

    run(story())


def test_paypals_webhooks_are_verified_by_its_own_certificate_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with wired(tmp_path / "s", "paypal") as (shop, services):
            service = services["paypal"]
            _, payment = await shop.pay("o1", "paypal_wallet", method="paypal")
            await shop.refund(payment["id"], "r1", 100)
            await delivered(service)
            outbox = core(service).outbox
            event = outbox[len(outbox) - 1]
            body = event.payload()
            good = dict(outbox.rules.sign(body, outbox.clock.unix()))

            async def post(body: bytes, **changed: str) -> int:
                headers = tuple((good | changed).items())
                answer = await shop.client.call(Call("POST", "/webhooks/paypal", headers, body), 5 * 10**9)
                return answer.status

            assert await post(body) == 200
            assert await post(body + b" ") == 400
            assert await post(body, **{"paypal-transmission-id": "other"}) == 400
            assert await post(body, **{"paypal-transmission-sig": "AAAA"}) == 400
            assert await post(body, **{"paypal-cert-url": ""}) == 400
            assert await post(body, **{"paypal-cert-url": "http://127.0.0.1:1/cert"}) == 400
            assert await post(body, **{"paypal-cert-url": url(service) + "/health"}) == 400
            old = dict(outbox.rules.sign(body, outbox.clock.unix() - 4 * 86_400))
            assert await post(body, **old) == 400

    run(story())


def test_a_forged_webhook_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with wired(tmp_path / "s", "stripe") as (shop, services):
            body = stripe_body("payout.paid")
            for headers, status in (
                (stripe_headers(body, time.time(), "whsec_guessed"), 400),
                (stripe_headers(body, time.time() - 400, core(services["stripe"]).webhook_secret), 400),
                # Signed, and about a payout that Stripe does not know: to be delivered again.
                (stripe_headers(body, time.time(), core(services["stripe"]).webhook_secret), 503),
            ):
                call = Call("POST", "/webhooks/stripe", tuple(headers.items()), body)
                assert (await shop.client.call(call, 5_000_000_000)).status == status
            call = Call("POST", "/webhooks/adyen", (), adyen_body("CHARGEBACK"))
            assert (await shop.client.call(call, 5_000_000_000)).status == 404
            assert await shop.ledger() == []

    run(story())
