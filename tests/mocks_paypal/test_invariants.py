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
from mocks.gateways.paypal.reporting import Reporting
from mocks.inprocess import gateways

URL = "https://api-m.sandbox.paypal.com"

amounts = st.integers(1, 3000)
payers = st.sampled_from(
    ["", "", "", "CCREJECT-IF", "PENDING-REVIEW", "PENDING-ECHECK-DENIED", "DISPUTE-UNAUTHORISED"]
)
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
        self.fees = 0
        self.payloads: list[bytes] = []
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
        payer=payers,
    )
    def create(self, amount: int, intent: str, request_id: str, approve: bool, payer: str) -> str:
        unit = {"custom_id": f"o{amount}", "amount": money(amount)}
        body: dict[str, Any] = {"intent": intent, "purchase_units": [unit]}
        if payer:
            body["payer"] = {"name": {"given_name": payer}}
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

    @rule(days=st.integers(0, 12))
    def time_goes_by(self, days: int) -> None:
        self.gateway.mock_clock.advance(days * 86_400)
        self.log_in()

    @rule(notes=st.sampled_from(["it was sent", "winning_evidence", "losing_evidence"]), last=st.booleans())
    def answer_a_dispute(self, notes: str, last: bool) -> None:
        rows = self.client.get("/v1/customer/disputes").json()["items"]
        if rows:
            path = f"/v1/customer/disputes/{rows[-1 if last else 0]['dispute_id']}/provide-evidence"
            answer = self.client.post(path, json={"evidences": [{"notes": notes}]})
            assert answer.status_code in (200, 422)

    @rule(amount=st.none() | amounts)
    def accept_a_claim(self, amount: int | None) -> None:
        rows = self.client.get("/v1/customer/disputes").json()["items"]
        if rows:
            path = f"/v1/customer/disputes/{rows[0]['dispute_id']}/accept-claim"
            body = {} if amount is None else {"refund_amount": money(amount)}
            assert self.client.post(path, json=body).status_code in (200, 422)

    @invariant()
    def one_id_moves_money_once(self) -> None:
        assert all(moved <= 1 for moved in self.moved_by.values())

    @invariant()
    def the_ledger_and_the_captures_agree(self) -> None:
        taken: dict[str, int] = {}
        refunded: dict[str, int] = defaultdict(int)
        disputed: dict[str, int] = defaultdict(int)
        for movement in self.gateway.ledger:
            if movement.kind == "capture":
                taken[movement.reference] = movement.amount_minor
            elif movement.kind == "refund":
                refunded[movement.parent] += movement.amount_minor
            else:
                assert movement.kind == "dispute"
                disputed[movement.parent] += movement.amount_minor
        for name, amount in taken.items():
            assert 0 <= refunded[name] + disputed[name] <= amount
            capture = self.gateway.payments.capture(name)
            sums = (capture.amount.minor, capture.refunded, capture.reversed)
            assert sums == (amount, refunded[name], disputed[name])
        assert set(refunded) | set(disputed) <= set(taken)
        for order in self.gateway.orders:
            for unit in order.units:
                captured = sum(taken.get(capture.id, 0) for capture in unit.captures)
                limit = 115 * unit.amount.minor if unit.authorizations else 100 * unit.amount.minor
                assert 100 * captured <= limit

    @invariant()
    def the_balance_is_what_moved_less_the_fees(self) -> None:
        booked = sum(
            movement.amount_minor if movement.kind == "capture" else -movement.amount_minor
            for movement in self.gateway.ledger
        )
        fees = self.gateway.payments.take_fees()
        self.fees += fees.get("EUR", 0)
        (euros, withheld) = (
            Reporting(self.gateway.payments, self.gateway.disputes).balances("9999").get("EUR", (0, 0))
        )
        assert euros == booked - self.fees and withheld >= 0

    @invariant()
    def every_event_says_what_it_said_before(self) -> None:
        for number, event in enumerate(self.gateway.outbox):
            if number == len(self.payloads):
                self.payloads.append(event.payload())
            assert event.payload() == self.payloads[number]


def money(minor: int) -> dict[str, str]:
    """An amount on the wire."""
    return {"currency_code": "EUR", "value": f"{minor / 100:.2f}"}


TestPayPalMachine = PayPalMachine.TestCase
TestPayPalMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
