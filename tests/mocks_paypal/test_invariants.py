"""Whatever a caller does in whatever order: one id moves money once, refunds never exceed their capture, and the
ledger says what the captures say."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from mocks.gateways.paypal.application import PayPal
from mocks.inprocess import gateways

URL = "https://api-m.sandbox.paypal.com"

amounts = st.integers(1, 3000)
request_ids = st.sampled_from(["", "", "id-1", "id-2", "id-3"])


class PayPalMachine(RuleBasedStateMachine):
    """Requests in any order, with few ids, so that they collide."""

    orders = Bundle("orders")
    holds = Bundle("holds")
    captures = Bundle("captures")

    def __init__(self) -> None:
        super().__init__()
        self.mocked = gateways("paypal")
        self.mocked.__enter__()
        self.client = httpx.Client(base_url=URL)
        gateway = self.mocked.paypal
        assert isinstance(gateway, PayPal)
        self.gateway = gateway
        self.moved_by: dict[tuple[str, str], int] = defaultdict(int)

    def teardown(self) -> None:
        self.client.close()
        self.mocked.__exit__(None, None, None)

    @initialize()
    def log_in(self) -> None:
        answer = self.client.post(
            "/v1/oauth2/token", data={"grant_type": "client_credentials"}, auth=("client", "secret")
        )
        self.client.headers["Authorization"] = "Bearer " + answer.json()["access_token"]

    def send(self, kind: str, path: str, request_id: str, body: Any = None) -> Any:
        """A POST; what it moved is booked under its endpoint and id."""
        before = len(self.gateway.ledger)
        headers = {"PayPal-Request-Id": request_id} if request_id else {}
        answer = self.client.post(path, json={} if body is None else body, headers=headers)
        assert answer.status_code < 500
        moved = len(self.gateway.ledger) - before
        assert moved <= 1 and (moved == 0 or answer.status_code == 201)
        if request_id:
            self.moved_by[kind, request_id] += moved
        return answer.json() if answer.status_code in (200, 201) else None

    @rule(
        target=orders,
        amount=amounts,
        intent=st.sampled_from(["CAPTURE", "AUTHORIZE"]),
        request_id=request_ids,
        approve=st.booleans(),
    )
    def create(self, amount: int, intent: str, request_id: str, approve: bool) -> str:
        unit = {"custom_id": f"o{amount}", "amount": money(amount)}
        body = {"intent": intent, "purchase_units": [unit]}
        order = self.send("create", "/v2/checkout/orders", request_id, body)
        if order is None:
            return "NONE"
        if approve:
            links = [link["href"] for link in order["links"] if link["rel"] == "approve"]
            assert all(self.client.get(href).status_code == 200 for href in links)
        return str(order["id"])

    @rule(target=captures, order=orders, request_id=request_ids)
    def capture_order(self, order: str, request_id: str) -> str:
        paid = self.send("capture", f"/v2/checkout/orders/{order}/capture", request_id)
        return "NONE" if paid is None else str(paid["purchase_units"][0]["payments"]["captures"][0]["id"])

    @rule(target=holds, order=orders, request_id=request_ids)
    def authorize_order(self, order: str, request_id: str) -> str:
        paid = self.send("authorize", f"/v2/checkout/orders/{order}/authorize", request_id)
        if paid is None:
            return "NONE"
        return str(paid["purchase_units"][0]["payments"]["authorizations"][0]["id"])

    @rule(target=captures, hold=holds, amount=st.none() | amounts, request_id=request_ids)
    def capture_hold(self, hold: str, amount: int | None, request_id: str) -> str:
        body = {} if amount is None else {"amount": money(amount)}
        taken = self.send("take", f"/v2/payments/authorizations/{hold}/capture", request_id, body)
        return "NONE" if taken is None else str(taken["id"])

    @rule(hold=consumes(holds))
    def void(self, hold: str) -> None:
        self.send("void", f"/v2/payments/authorizations/{hold}/void", "")

    @rule(capture=captures, amount=st.none() | amounts, request_id=request_ids)
    def refund(self, capture: str, amount: int | None, request_id: str) -> None:
        body = {} if amount is None else {"amount": money(amount)}
        self.send("refund", f"/v2/payments/captures/{capture}/refund", request_id, body)

    @invariant()
    def one_id_moves_money_once(self) -> None:
        assert all(moved <= 1 for moved in self.moved_by.values())

    @invariant()
    def the_ledger_and_the_captures_agree(self) -> None:
        taken: dict[str, int] = {}
        given: dict[str, int] = defaultdict(int)
        for movement in self.gateway.ledger:
            if movement.kind == "capture":
                taken[movement.reference] = movement.amount_minor
            else:
                given[movement.parent] += movement.amount_minor
        for name, amount in taken.items():
            assert 0 <= given[name] <= amount
            capture = self.gateway.payments.capture(name)
            assert (capture.amount.minor, capture.refunded) == (amount, given[name])
        assert set(given) <= set(taken)
        for order in self.gateway.orders:
            for unit in order.units:
                captured = sum(taken[capture.id] for capture in unit.captures)
                limit = 115 * unit.amount.minor if unit.authorizations else 100 * unit.amount.minor
                assert 100 * captured <= limit


def money(minor: int) -> dict[str, str]:
    """An amount on the wire."""
    return {"currency_code": "EUR", "value": f"{minor / 100:.2f}"}


TestPayPalMachine = PayPalMachine.TestCase
TestPayPalMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
