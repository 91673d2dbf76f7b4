"""What a shop sends to each gateway for one payment, and what an answer means to it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.exactly_once.line import Line
from tests.mocks.running import adyen_payment, stripe_payment

AMOUNT = 1290
CURRENCY = "EUR"


@dataclass(frozen=True)
class Post:
    """``again`` are the statuses after which the same request is to be sent once more."""

    path: str
    headers: dict[str, str]
    body: bytes
    again: frozenset[int] = frozenset({409})


class Shop(ABC):
    """A payment of ``AMOUNT`` in euro for an order, under a key that the order settles."""

    async def open(self, line: Line) -> None:  # noqa: B027
        """Get what a payment needs first: a token, a mandate."""

    @abstractmethod
    def payment(self, order: str) -> Post:
        """The request that moves the money."""

    @abstractmethod
    def paid(self, status: int, body: dict[str, Any]) -> str:
        """The gateway's id of the payment; fails the test for any other answer."""

    async def settle(self, line: Line, payment: str) -> None:  # noqa: B027
        """Let the money move, where that is a matter of days."""


class StripeShop(Shop):
    def payment(self, order: str) -> Post:
        headers = {"authorization": "Bearer sk_test_1", "idempotency-key": f"key-{order}"}
        return Post("/v1/payment_intents", headers, urlencode(stripe_payment(order, amount=AMOUNT)).encode())

    def paid(self, status: int, body: dict[str, Any]) -> str:
        assert (status, body["status"], body["amount_received"]) == (200, "succeeded", AMOUNT)
        return str(body["id"])


class AdyenShop(Shop):
    def payment(self, order: str) -> Post:
        headers = {"x-api-key": "key", "content-type": "application/json", "idempotency-key": f"key-{order}"}
        body = json.dumps(adyen_payment(order, AMOUNT)).encode()
        return Post("/v72/payments", headers, body, frozenset({409, 422}))

    def paid(self, status: int, body: dict[str, Any]) -> str:
        assert (status, body["resultCode"]) == (200, "Authorised")
        return str(body["pspReference"])


class PayPalShop(Shop):
    token = ""

    async def open(self, line: Line) -> None:
        headers = {
            "authorization": "Basic Y2xpZW50OnNlY3JldA==",
            "content-type": "application/x-www-form-urlencoded",
        }
        _, body = await line.post("/v1/oauth2/token", headers, b"grant_type=client_credentials")
        self.token = body["access_token"]

    def payment(self, order: str) -> Post:
        unit = {"custom_id": order, "amount": {"currency_code": CURRENCY, "value": "12.90"}}
        card = {"number": "4111111111111111", "expiry": "2031-12", "security_code": "123"}
        body = {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": {"card": card}}
        headers = {
            "authorization": f"Bearer {self.token}",
            "content-type": "application/json",
            "paypal-request-id": f"key-{order}",
        }
        return Post("/v2/checkout/orders", headers, json.dumps(body).encode(), frozenset({409, 422}))

    def paid(self, status: int, body: dict[str, Any]) -> str:
        assert status in (200, 201) and body["status"] == "COMPLETED"
        return str(body["id"])


class GoCardlessShop(Shop):
    mandate = ""

    async def open(self, line: Line) -> None:
        customer = await self._made(line, "customers", {"company_name": "x"})
        account = {"account_holder_name": "x", "iban": "DE89370400440532013000"}
        bank = await self._made(line, "customer_bank_accounts", account | {"links": {"customer": customer}})
        self.mandate = await self._made(line, "mandates", {"links": {"customer_bank_account": bank}})

    def payment(self, order: str) -> Post:
        asked = {
            "amount": AMOUNT,
            "currency": CURRENCY,
            "metadata": {"order_id": order},
            "links": {"mandate": self.mandate},
        }
        headers = self._headers() | {"idempotency-key": f"key-{order}"}
        return Post("/payments", headers, json.dumps({"payments": asked}).encode(), frozenset())

    def paid(self, status: int, body: dict[str, Any]) -> str:
        if status == 409:
            (error,) = body["error"]["errors"]
            assert error["reason"] == "idempotent_creation_conflict"
            return str(error["links"]["conflicting_resource_id"])
        assert status == 201 and body["payments"]["amount"] == AMOUNT
        return str(body["payments"]["id"])

    async def settle(self, line: Line, payment: str) -> None:
        body = json.dumps({"data": {"links": {"resource": payment}}}).encode()
        status, _ = await line.post(
            "/scenario_simulators/payment_confirmed/actions/run", self._headers(), body
        )
        assert status == 200

    async def _made(self, line: Line, kind: str, attributes: dict[str, Any]) -> str:
        status, body = await line.post(f"/{kind}", self._headers(), json.dumps({kind: attributes}).encode())
        assert status == 201, body
        return str(body[kind]["id"])

    def _headers(self) -> dict[str, str]:
        return {
            "authorization": "Bearer sandbox_1",
            "gocardless-version": "2015-07-06",
            "content-type": "application/json",
        }


SHOPS: dict[str, type[Shop]] = {
    "stripe": StripeShop,
    "adyen": AdyenShop,
    "paypal": PayPalShop,
    "gocardless": GoCardlessShop,
}
