"""Traffic for each gateway without a socket: calls that change something, and everything there is to see."""

from __future__ import annotations

import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from mocks.exchange import Exchange, Request
from mocks.gateways.gateway import Gateway
from mocks.transmission import Transmission
from tests.mocks.running import adyen_payment, stripe_payment

_REQUEST_ID = re.compile(rb'"(request_id|debug_id)":\s*"[^"]*"')
"""What no two answers have in common."""

Seen = tuple[int, bytes]


class Wire:
    """A connection on which nothing travels: the answer is read from the exchange."""

    stopping = False
    scheme = "http"

    def flush(self) -> None:
        """Nothing to send."""

    def transmit(self, exchange: Exchange, transmission: Transmission) -> None:
        """Nothing to send."""

    def reset(self) -> None:
        """Nothing to cut."""


class Traffic(ABC):
    """Calls of one gateway. ``gateway`` may be exchanged for another one in between.

    Attributes:
        replies: What was sent under an idempotency key, and what was answered.
    """

    ACTS: int

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.ids: dict[str, list[str]] = {}
        self.replies: dict[str, tuple[tuple[str, str, bytes], Seen]] = {}

    @abstractmethod
    def act(self, which: int, value: int, key: str) -> None:
        """Do the ``which``-th thing, to the ``value``-th object."""

    @abstractmethod
    def headers(self, key: str) -> dict[str, str]:
        """Credentials, type and idempotency key."""

    def sign_in(self) -> None:  # noqa: B027
        """Get new credentials, where they expire."""

    def looks(self) -> list[str]:
        """Targets of all GETs whose answers must survive."""
        return []

    def some(self, kind: str, value: int) -> str:
        """The id of an object of a kind; one that does not exist when there is none."""
        known = self.ids.get(kind) or ["nothing"]
        return known[value % len(known)]

    def call(self, method: str, target: str, body: bytes = b"", key: str = "") -> tuple[Seen, dict[str, str]]:
        path, _, query = target.partition("?")
        request = Request(method, path, query, self.headers(key), body, time.monotonic_ns())
        exchange = Exchange(request, Wire(), keep_alive=True, old=False)
        self.gateway(exchange)
        assert exchange.reply is not None
        head, _, content = exchange.reply.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        assert status != 500, content
        if key and status < 400:
            self.replies.setdefault(key, ((method, target, body), (status, content)))
        return (status, content), dict(line.split(": ", 1) for line in lines[1:])

    def made(self, kind: str, seen: Seen, field: str = "id") -> dict[str, Any]:
        """Remember what was made."""
        body: dict[str, Any] = json.loads(seen[1] or b"{}")
        if seen[0] < 300 and field in body:
            rows = self.ids.setdefault(kind, [])
            if body[field] not in rows:
                rows.append(body[field])
        return body

    def everything(self) -> dict[str, Any]:
        """All that a caller could see."""
        self.gateway.mock_clock.fire_due()
        return {
            "movements": [row._replace(at_ns=0) for row in self.gateway.ledger],
            "events": [(row.id, row.kind, row.created, row.payload()) for row in self.gateway.outbox],
            **{target: self.call("GET", target)[0] for target in self.looks()},
        }

    def replayed(self) -> dict[str, Seen]:
        """What is answered under the keys that were used."""
        seen = {key: self.call(*sent, key=key)[0] for key, (sent, _) in self.replies.items()}
        return {key: (status, _REQUEST_ID.sub(b"", body)) for key, (status, body) in seen.items()}


class StripeTraffic(Traffic):
    ACTS = 7

    def headers(self, key: str) -> dict[str, str]:
        headers = {"authorization": "Bearer sk_test_1", "content-type": "application/x-www-form-urlencoded"}
        return headers | ({"idempotency-key": key} if key else {})

    def act(self, which: int, value: int, key: str) -> None:
        path = f"/v1/payment_intents/{self.some('payment_intents', value)}"
        cards = ("pm_card_visa", "pm_card_chargeDeclined", "pm_card_mastercard")
        if which == 0:
            self.post("payment_intents", "/v1/payment_intents", key, stripe_payment(card=cards[value % 3]))
        elif which == 1:
            asked = {**stripe_payment(amount=500 + value), "capture_method": "manual", "customer": ""}
            del asked["customer"]
            self.post("payment_intents", "/v1/payment_intents", key, asked)
        elif which == 2:
            asked = {**stripe_payment(), "confirm": "false"}
            self.post("payment_intents", "/v1/payment_intents", key, asked)
        elif which == 3:
            self.post("payment_intents", f"{path}/confirm", key, {"payment_method": cards[value % 3]})
        elif which == 4:
            self.post("payment_intents", f"{path}/capture", key, {"amount_to_capture": 300 + value})
        elif which == 5:
            self.post("payment_intents", f"{path}/cancel", key, {})
        else:
            asked = {"payment_intent": self.some("payment_intents", value), "amount": 1 + value}
            self.post("refunds", "/v1/refunds", key, asked)

    def post(self, kind: str, path: str, key: str, parameters: Mapping[str, object]) -> None:
        self.made(kind, self.call("POST", path, urlencode(parameters).encode(), key)[0])

    def looks(self) -> list[str]:
        lists = ("payment_intents", "charges", "refunds", "balance_transactions", "payouts", "events")
        single = [f"/v1/{kind}/{name}" for kind, names in self.ids.items() for name in names]
        return ["/v1/balance", *(f"/v1/{name}?limit=100" for name in lists), *single]


class AdyenTraffic(Traffic):
    ACTS = 6

    def headers(self, key: str) -> dict[str, str]:
        headers = {"x-api-key": "key", "content-type": "application/json", "host": "127.0.0.1:1"}
        return headers | ({"idempotency-key": key} if key else {})

    def act(self, which: int, value: int, key: str) -> None:
        payment = self.some("payments", value)
        if which == 0:
            self.pay(adyen_payment(f"o{value}"), key)
        elif which == 1:
            self.pay(adyen_payment(f"o{value}") | {"additionalData": {"manualCapture": "true"}}, key)
        elif which == 2:
            asked = adyen_payment(f"o{value}", encryptedCardNumber="test_4212345678901237")
            body = self.pay(asked | {"returnUrl": "https://shop.example.test/return"}, key)
            if body.get("action", {}).get("url"):
                url = urlsplit(body["action"]["url"])
                _, headers = self.call("GET", f"{url.path}?{url.query}")
                result = headers["Location"].rpartition("redirectResult=")[2]
                self.post("payments", "/v72/payments/details", {"details": {"redirectResult": result}}, "")
        elif which == 3:
            self.post("", f"/v72/payments/{payment}/captures", self.amount(700 + value), key)
        elif which == 4:
            self.post("", f"/v72/payments/{payment}/refunds", self.amount(1 + value), key)
        else:
            self.post("", f"/v72/payments/{payment}/cancels", {"merchantAccount": "PaydrillECOM"}, key)

    def amount(self, value: int) -> dict[str, Any]:
        return {"merchantAccount": "PaydrillECOM", "amount": {"currency": "EUR", "value": value}}

    def pay(self, body: dict[str, Any], key: str) -> dict[str, Any]:
        return self.post("payments", "/v72/payments", body, key)

    def post(self, kind: str, path: str, body: object, key: str) -> dict[str, Any]:
        return self.made(kind, self.call("POST", path, json.dumps(body).encode(), key)[0], "pspReference")


class PayPalTraffic(Traffic):
    ACTS = 6
    token = ""

    def headers(self, key: str) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "host": "127.0.0.1:1",
            "prefer": "return=representation",
        }
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        else:
            headers |= {"authorization": "Basic Y2xpZW50OnNlY3JldA=="}
            headers["content-type"] = "application/x-www-form-urlencoded"
        return headers | ({"paypal-request-id": key} if key else {})

    def sign_in(self) -> None:
        self.token = ""
        seen, _ = self.call("POST", "/v1/oauth2/token", b"grant_type=client_credentials")
        self.token = json.loads(seen[1])["access_token"]

    def act(self, which: int, value: int, key: str) -> None:
        if not self.token or which == 5:
            self.sign_in()
        order = self.some("orders", value)
        if which in (0, 1):
            unit = {"custom_id": f"o{value}", "amount": {"currency_code": "EUR", "value": "12.90"}}
            asked = {"intent": ("CAPTURE", "AUTHORIZE")[which], "purchase_units": [unit]}
            body = self.post("orders", "/v2/checkout/orders", asked, key)
            for link in body.get("links", []):
                if link["rel"] in ("approve", "payer-action") and value % 3:
                    url = urlsplit(link["href"])
                    self.call("GET", f"{url.path}?{url.query}")
        elif which == 2:
            self.post("", f"/v2/checkout/orders/{order}/capture", {}, key)
        elif which == 3:
            self.post("", f"/v2/checkout/orders/{order}/authorize", {}, key)
        elif which == 4:
            found = json.loads(self.call("GET", f"/v2/checkout/orders/{order}")[0][1] or b"{}")
            for unit in found.get("purchase_units", []):
                for capture in unit.get("payments", {}).get("captures", []):
                    part = {"amount": {"currency_code": "EUR", "value": f"0.{10 + value}"}}
                    self.post("refunds", f"/v2/payments/captures/{capture['id']}/refund", part, key)

    def post(self, kind: str, path: str, body: object, key: str) -> dict[str, Any]:
        return self.made(kind, self.call("POST", path, json.dumps(body).encode(), key)[0])

    def looks(self) -> list[str]:
        orders = [f"/v2/checkout/orders/{name}" for name in self.ids.get("orders", [])]
        return orders + [f"/v2/payments/refunds/{name}" for name in self.ids.get("refunds", [])]


class GoCardlessTraffic(Traffic):
    ACTS = 5
    SIMULATORS = (
        "payment_confirmed",
        "payment_paid_out",
        "payment_failed",
        "payment_charged_back",
        "refund_paid",
    )

    def headers(self, key: str) -> dict[str, str]:
        headers = {
            "authorization": "Bearer sandbox_1",
            "gocardless-version": "2015-07-06",
            "content-type": "application/json",
        }
        return headers | ({"idempotency-key": key} if key else {})

    def act(self, which: int, value: int, key: str) -> None:
        if "mandates" not in self.ids:
            customer = self.post("customers", {"company_name": "x"})
            account = {"account_holder_name": "x", "iban": "DE89370400440532013000"}
            bank = self.post("customer_bank_accounts", account | {"links": {"customer": customer}})
            self.post("mandates", {"links": {"customer_bank_account": bank}})
        payment = self.some("payments", value)
        if which in (0, 1):
            links = {"mandate": self.some("mandates", 0)}
            self.post("payments", {"amount": 1000 + value, "currency": "EUR", "links": links}, key)
        elif which == 2:
            self.run(
                self.SIMULATORS[value % 5], self.some("refunds" if value % 5 == 4 else "payments", value)
            )
        elif which == 3:
            asked = {"amount": 10, "total_amount_confirmation": 10, "links": {"payment": payment}}
            self.post("refunds", asked, key)
        else:
            self.call("POST", f"/payments/{payment}/actions/{('cancel', 'retry')[value % 2]}")

    def run(self, simulator: str, resource: str) -> None:
        data: dict[str, Any] = {"data": {"links": {"resource": resource}}}
        self.call("POST", f"/scenario_simulators/{simulator}/actions/run", json.dumps(data).encode())

    def post(self, kind: str, attributes: object, key: str = "") -> str:
        seen, _ = self.call("POST", f"/{kind}", json.dumps({kind: attributes}).encode(), key)
        made = json.loads(seen[1]).get(kind, {}).get("id", "")
        if seen[0] == 201:
            self.ids.setdefault(kind, []).append(made)
        return str(made)

    def looks(self) -> list[str]:
        lists = (
            "customers",
            "customer_bank_accounts",
            "mandates",
            "payments",
            "refunds",
            "events",
            "payouts",
        )
        single = [f"/{kind}/{name}" for kind, names in self.ids.items() for name in names]
        return [*(f"/{name}?limit=500" for name in lists), *single]


TRAFFIC: dict[str, type[Traffic]] = {
    "stripe": StripeTraffic,
    "adyen": AdyenTraffic,
    "paypal": PayPalTraffic,
    "gocardless": GoCardlessTraffic,
}
