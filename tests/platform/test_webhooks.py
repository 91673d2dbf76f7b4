"""Webhooks that come in: signed by the mocks, verified here; forged, old, doubled and reordered ones."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.gateways.service import GatewayService
from mocks.outbound import Call
from mocks.platform.webhooks import READERS, ForgedError
from tests.platform.gateways import core, gateway, movements, url
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
def test_payouts_and_their_fees_are_booked_once_as_the_gateway_has_them(
    tmp_path: Path, doubled: float
) -> None:
    async def story() -> None:
        async with wired(tmp_path / "s", "stripe", doubled=doubled) as (shop, services):
            stripe = services["stripe"]
            for n in range(120):
                assert (await shop.pay(f"o{n}", amount=1000 + n))[0] == 201
            core(stripe).mock_clock.advance(4 * 86_400)
            await delivered(stripe)
            (payout,) = movements("payout", stripe)
            (fee,) = movements("fee", stripe)
            booked = {entry["kind"]: entry for entry in await of_kind(shop, "payout", "fee")}
            assert booked["payout"]["amount_minor"] == payout.amount_minor
            assert booked["fee"]["amount_minor"] == fee.amount_minor
            assert booked["fee"]["reference"] == booked["payout"]["reference"] == payout.reference
            captured = sum(capture.amount_minor for capture in movements("capture", stripe))
            assert captured == booked["payout"]["amount_minor"] + booked["fee"]["amount_minor"]
            assert len(await of_kind(shop, "payout", "fee")) == 2

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
