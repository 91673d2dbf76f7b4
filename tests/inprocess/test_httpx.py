"""The gateways behind respx, through plain httpx clients."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from respx.models import AllMockedAssertionError

from mocks.faults import FAULTS, FaultPlan
from mocks.gateways import GATEWAYS
from mocks.inprocess import BASE_URLS, gateways

STRIPE = "https://api.stripe.com/v1/payment_intents"
ADYEN = "https://checkout-test.adyen.com/v72/payments"
KEY = {"Authorization": "Bearer sk_test_1"}


def intent(order: str, card: str = "pm_card_visa") -> dict[str, str]:
    return {
        "amount": "1290",
        "currency": "eur",
        "confirm": "true",
        "payment_method": card,
        "metadata[order_id]": order,
    }


def adyen_payment(reference: str, holder: str = "A. Customer") -> dict[str, Any]:
    return {
        "amount": {"value": 1290, "currency": "EUR"},
        "reference": reference,
        "merchantAccount": "TestMerchant",
        "returnUrl": "https://shop.example/back",
        "paymentMethod": {
            "type": "scheme",
            "encryptedCardNumber": "test_4111111111111111",
            "encryptedExpiryMonth": "test_03",
            "encryptedExpiryYear": "test_2030",
            "encryptedSecurityCode": "test_737",
            "holderName": holder,
        },
    }


def test_a_payment_moves_money_once_however_often_it_is_sent() -> None:
    with gateways("stripe") as g, httpx.Client(headers=KEY) as client:
        first, again = (
            client.post(STRIPE, data=intent("o1"), headers={"Idempotency-Key": "k1"}) for _ in range(2)
        )
        assert first.status_code == again.status_code == 200
        assert first.json()["status"] == "succeeded" and again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"
        assert first.headers["request-id"] != again.headers["request-id"]
        assert [(m.kind, m.order_id, m.amount_minor, m.currency) for m in g.stripe.ledger] == [
            ("capture", "o1", 1290, "EUR")
        ]
        mismatch = client.post(STRIPE, data=intent("o2"), headers={"Idempotency-Key": "k1"})
        assert mismatch.status_code == 400
        assert mismatch.json()["error"]["type"] == "idempotency_error"
        assert len(g.stripe.ledger) == 1


def test_state_lasts_for_the_block_and_not_longer() -> None:
    for _ in range(2):
        with gateways("stripe") as g, httpx.Client(headers=KEY) as client:
            assert len(g.stripe.ledger) == 0
            made = client.post(STRIPE, data=intent("o1")).json()
            assert client.get(f"{STRIPE}/{made['id']}").json()["id"] == made["id"]
            assert [m.reference for m in g["stripe"].ledger] == [made["id"]]


def test_the_gateways_own_errors() -> None:
    with gateways("stripe") as g, httpx.Client() as client:
        assert client.post(STRIPE, data=intent("o1")).status_code == 401
        live = client.post(STRIPE, data=intent("o1"), headers={"Authorization": "Bearer sk_live_1"})
        assert live.status_code == 401
        declined = client.post(STRIPE, data=intent("o1", "pm_card_chargeDeclined"), headers=KEY)
        assert declined.status_code == 402
        assert declined.json()["error"]["code"] == "card_declined"
        assert client.get("https://api.stripe.com/v1/nothing?a=b", headers=KEY).status_code == 404
        assert len(g.stripe.ledger) == 0


def test_two_gateways_at_once_with_an_async_client() -> None:
    async def pay() -> list[httpx.Response]:
        async with httpx.AsyncClient() as client:
            return await asyncio.gather(
                *(client.post(STRIPE, data=intent(f"s{n}"), headers=KEY) for n in range(10)),
                *(
                    client.post(ADYEN, json=adyen_payment(f"a{n}"), headers={"X-API-Key": "test"})
                    for n in range(10)
                ),
            )

    with gateways("stripe", "adyen") as g:
        answers = asyncio.run(pay())
        assert [answer.status_code for answer in answers] == [200] * 20
        assert {answer.json()["resultCode"] for answer in answers[10:]} == {"Authorised"}
        assert sorted(m.order_id for m in g.stripe.ledger) == [f"s{n}" for n in range(10)]
        assert sorted(m.order_id for m in g.adyen.ledger) == [f"a{n}" for n in range(10)]


def test_identifiers_come_from_the_seed() -> None:
    def made(seed: int) -> str:
        with gateways("stripe", seed=seed), httpx.Client(headers=KEY) as client:
            return str(client.post(STRIPE, data=intent("o1")).json()["id"])

    assert made(1) == made(1) != made(2)


def test_nothing_leaves_for_another_host() -> None:
    with gateways("stripe") as g, httpx.Client(headers=KEY) as client:
        with pytest.raises(AllMockedAssertionError):
            client.post(ADYEN, json=adyen_payment("o1"))
        g.router.get("https://shop.example/").respond(204)
        assert client.get("https://shop.example/").status_code == 204
        with pytest.raises(AttributeError, match="no gateway 'adyen' here; there are stripe"):
            _ = g.adyen


def test_another_base_url() -> None:
    with (
        gateways("stripe", base_urls={"stripe": "http://127.0.0.1:12111/stripe"}) as g,
        httpx.Client(base_url="http://127.0.0.1:12111/stripe", headers=KEY) as client,
    ):
        assert client.post("/v1/payment_intents", data=intent("o1")).status_code == 200
        assert len(g.stripe.ledger) == 1
        with pytest.raises(AllMockedAssertionError):
            client.post(STRIPE, data=intent("o2"))


def test_faults_are_seen_as_httpx_tells_them() -> None:
    with gateways("stripe") as g, httpx.Client(headers=KEY) as client:
        plan = FaultPlan("f1", "outage", 0, 1)
        g.stripe.faults = [FAULTS["outage"](plan, g.stripe, seed=1)]
        with pytest.raises(httpx.ReadError):
            client.post(STRIPE, data=intent("o1"))
        g.stripe.faults = [FAULTS["http_error"](FaultPlan("f2", "http_error", 0, 1), g.stripe, seed=1)]
        assert client.post(STRIPE, data=intent("o1")).status_code == 503
        assert len(g.stripe.ledger) == 0
        g.stripe.faults = ()
        assert client.post(STRIPE, data=intent("o1")).status_code == 200
        assert [m.order_id for m in g.stripe.ledger] == ["o1"]


def test_the_clock_can_be_put_forward() -> None:
    with gateways("stripe") as g, httpx.Client(headers=KEY) as client:
        held = client.post(STRIPE, data=intent("o1") | {"capture_method": "manual"}).json()
        assert held["status"] == "requires_capture"
        g.stripe.mock_clock.advance(8 * 86400)
        assert client.get(f"{STRIPE}/{held['id']}").json()["status"] == "canceled"
        assert "payment_intent.canceled" in [event.kind for event in g.stripe.outbox]
        assert len(g.stripe.ledger) == 0


def test_what_falls_due_meanwhile_is_done_before_the_next_request() -> None:
    with gateways("stripe") as g, httpx.Client(base_url=BASE_URLS["stripe"]) as client:
        done: list[str] = []
        g.stripe.mock_clock.call_later(0, lambda: done.append("due"))
        g.stripe.mock_clock.call_later(3600, lambda: done.append("not yet"))
        assert done == []
        assert client.get("/health").status_code == 200
        assert done == ["due"]
    g.stripe.mock_clock.advance(7200)
    assert done == ["due"]


@pytest.mark.parametrize(
    ("gateway", "path"),
    [("stripe", "/v1/refunds"), ("adyen", "/v72/payments"), ("paypal", "/v2/checkout/orders"),
     ("gocardless", "/payments")],
)  # fmt: skip
def test_each_gateway_refuses_who_has_no_key(gateway: str, path: str) -> None:
    with gateways(gateway) as g, httpx.Client(base_url=BASE_URLS[gateway]) as client:
        assert client.get("/health").json() == {"status": "ok"}
        refused = client.post(path, json={})
        assert refused.status_code == 401 and refused.json()
        assert len(g[gateway].ledger) == 0


def test_every_gateway_has_a_base_url_and_nothing_else_can_be_asked_for() -> None:
    assert set(GATEWAYS) <= set(BASE_URLS)
    with pytest.raises(ValueError, match="there is no gateway 'strpe'"):
        gateways("strpe")
    with pytest.raises(ValueError, match=r"'api\.stripe\.com' is not the base URL"):
        gateways("stripe", base_urls={"stripe": "api.stripe.com"})
    with gateways() as g:
        assert [len(g[name].ledger) for name in GATEWAYS] == [0] * len(GATEWAYS)
