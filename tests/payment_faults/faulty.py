"""Mocks on which faults come and go, and what their callers send."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any

from mocks.faults import FaultPlan
from tests.mocks.faulting import Faulting

MS = 1_000_000
LONG = 3600 * 10**9


def plan(fault: str, *, id: str = "f1", at_ns: int = 0, for_ns: int = LONG, **more: Any) -> FaultPlan:
    """A fault that is on until it is cleared."""
    return FaultPlan(id, fault, at_ns, for_ns, **more)


class Faulty(Faulting):
    """A mock, with what tests of faults ask of it."""

    def money(self) -> list[tuple[str, int]]:
        """Kind and amount of what moved."""
        return [(movement.kind, movement.amount_minor) for movement in self.movements]

    def advance(self, seconds: float) -> None:
        """Put the mock's clock forward."""
        self.thread.call(lambda: self.gateway.mock_clock.advance(seconds))

    def patient(self, seconds: float) -> http.client.HTTPConnection:
        """A connection that waits so long for an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        self._open.append(connection)
        return connection

    def json(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], Any]:
        """One call with a JSON body, on a connection of its own; the answer's body parsed."""
        connection = self.connection()
        data = None if body is None else body if isinstance(body, str) else json.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, data, sent)
        with connection.getresponse() as response:
            shown = {name.lower(): value for name, value in response.getheaders()}
            text = response.read()
            return response.status, shown, json.loads(text) if text else None


def paypal_token(faulty: Faulty) -> dict[str, str]:
    """The headers of a caller that has logged in."""
    basic = f"Basic {base64.b64encode(b'client:secret').decode()}"
    form = {"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded"}
    token = faulty.json("POST", "/v1/oauth2/token", "grant_type=client_credentials", form)
    return {"Authorization": f"Bearer {token[2]['access_token']}"}


def paypal_order(order: str, number: str = "4111111111111111") -> dict[str, Any]:
    """An order that is paid by card as soon as it is captured."""
    amount = {"currency_code": "EUR", "value": "12.90"}
    return {
        "intent": "CAPTURE",
        "purchase_units": [{"custom_id": order, "amount": amount}],
        "payment_source": {"card": {"number": number, "expiry": "2040-01", "name": "A B"}},
    }


def gocardless_mandate(faulty: Faulty) -> str:
    """The mandate of a new customer's account."""
    customer = faulty.json(
        "POST",
        "/customers",
        {
            "customers": {
                "email": "a@example.test",
                "given_name": "A",
                "family_name": "B",
                "country_code": "GB",
            }
        },
        GOCARDLESS,
    )[2]["customers"]["id"]
    account = faulty.json(
        "POST",
        "/customer_bank_accounts",
        {
            "customer_bank_accounts": {
                "account_number": "55779911",
                "branch_code": "200000",
                "account_holder_name": "A B",
                "country_code": "GB",
                "links": {"customer": customer},
            }
        },
        GOCARDLESS,
    )[2]["customer_bank_accounts"]["id"]
    mandate = faulty.json(
        "POST",
        "/mandates",
        {"mandates": {"scheme": "bacs", "links": {"customer_bank_account": account}}},
        GOCARDLESS,
    )
    name: str = mandate[2]["mandates"]["id"]
    return name


GOCARDLESS = {"Authorization": "Bearer sandbox_1", "GoCardless-Version": "2015-07-06"}


def gocardless_payment(mandate: str, order: str = "o1") -> dict[str, Any]:
    """A debit of 12.90 GBP."""
    return {
        "payments": {
            "amount": 1290,
            "currency": "GBP",
            "metadata": {"order_id": order},
            "links": {"mandate": mandate},
        }
    }
