"""Whatever happens in whatever order: the money adds up."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mocks.gateways.gocardless.application import GoCardless
from mocks.latency import Latency
from tests.mocks_gocardless.sdk import exchange_of

SIMULATORS = (
    "payment_submitted",
    "payment_confirmed",
    "payment_paid_out",
    "payment_failed",
    "payment_charged_back",
    "payment_chargeback_settled",
    "payment_late_failure",
    "payment_late_failure_settled",
    "payment_chargeback_cancelled",
)
FATES = ("refund_paid", "refund_settled", "refund_bounced", "refund_returned")


class Money(RuleBasedStateMachine):
    """Payments of one mandate, asked for under a few keys, pushed about by the simulators."""

    @initialize(timed=st.booleans())
    def start(self, timed: bool) -> None:
        self.gateway = GoCardless("gocardless", Latency(0, 0), 7)
        if timed:
            self.gateway.settle_by_time()
        self.payments: list[str] = []
        self.refunds: list[str] = []
        self.keys: dict[str, tuple[str, float]] = {}
        customer = self.post("/customers", {"customers": {"company_name": "x"}})["customers"]["id"]
        account = {
            "account_holder_name": "x",
            "iban": "DE89370400440532013000",
            "links": {"customer": customer},
        }
        bank = self.post("/customer_bank_accounts", {"customer_bank_accounts": account})
        links = {"customer_bank_account": bank["customer_bank_accounts"]["id"]}
        self.mandate = self.post("/mandates", {"mandates": {"links": links}})["mandates"]["id"]

    def call(self, method: str, target: str, body: object = None, key: str = "") -> dict[str, Any]:
        exchange = exchange_of(method, target, body, key)
        self.gateway(exchange)
        assert exchange.reply is not None
        head, _, content = exchange.reply.partition(b"\r\n\r\n")
        assert int(head.split()[1]) < 500, content
        answer: dict[str, Any] = json.loads(content)
        return answer

    def post(self, path: str, body: object, key: str = "") -> dict[str, Any]:
        return self.call("POST", path, body, key)

    def simulate(self, name: str, resource: str) -> None:
        self.post(f"/scenario_simulators/{name}/actions/run", {"data": {"links": {"resource": resource}}})

    @rule(amount=st.sampled_from([100, 125, 1290, 99_999]), key=st.sampled_from(["", "", "a", "b", "c"]))
    def pay(self, amount: int, key: str) -> None:
        asked = {"amount": amount, "currency": "EUR", "links": {"mandate": self.mandate}}
        answer = self.post("/payments", {"payments": asked}, key)
        if "payments" in answer:
            made = answer["payments"]["id"]
            assert made not in self.payments and (not key or not self.is_remembered(key))
            self.payments.append(made)
            self.keys[key] = made, self.gateway.mock_clock.now()
        else:
            (conflict,) = answer["error"]["errors"]
            assert self.is_remembered(key)
            assert conflict["links"]["conflicting_resource_id"] == self.keys[key][0]

    def is_remembered(self, key: str) -> bool:
        """Whether the gateway still knows this key, which it keeps for 30 days."""
        return key in self.keys and self.gateway.mock_clock.now() < self.keys[key][1] + 30 * 86_400

    @rule(which=st.integers(0, 5), simulator=st.sampled_from(SIMULATORS))
    def push(self, which: int, simulator: str) -> None:
        if self.payments:
            self.simulate(simulator, self.payments[which % len(self.payments)])

    @rule(days=st.sampled_from([0.3, 1, 2, 7]))
    def wait(self, days: float) -> None:
        self.gateway.mock_clock.advance(days * 86_400)

    @rule(which=st.integers(0, 5), action=st.sampled_from(["cancel", "retry"]))
    def act(self, which: int, action: str) -> None:
        if self.payments:
            self.post(f"/payments/{self.payments[which % len(self.payments)]}/actions/{action}", None)

    @rule(which=st.integers(0, 5), amount=st.sampled_from([1, 24, 500, 1290]))
    def refund(self, which: int, amount: int) -> None:
        if not self.payments:
            return
        payment = self.payments[which % len(self.payments)]
        before = self.call("GET", f"/payments/{payment}")["payments"]["amount_refunded"]
        asked = {
            "amount": amount,
            "total_amount_confirmation": before + amount,
            "links": {"payment": payment},
        }
        answer = self.post("/refunds", {"refunds": asked})
        if "refunds" in answer:
            self.refunds.append(answer["refunds"]["id"])

    @rule(which=st.integers(0, 5), simulator=st.sampled_from(FATES))
    def push_refund(self, which: int, simulator: str) -> None:
        if self.refunds:
            self.simulate(simulator, self.refunds[which % len(self.refunds)])

    @invariant()
    def payouts_are_the_sum_of_their_items(self) -> None:
        if not hasattr(self, "gateway"):
            return
        moved = Counter[tuple[str, str]]()
        for movement in self.gateway.ledger:
            moved[movement.kind, movement.parent or movement.reference] += movement.amount_minor
        seen = Counter[tuple[str, str, str]]()
        for payout in self.call("GET", "/payouts?limit=500")["payouts"]:
            items = self.call("GET", f"/payout_items?limit=500&payout={payout['id']}")["payout_items"]
            amounts = [int(float(item["amount"])) for item in items]
            assert payout["amount"] == sum(amounts) >= 0
            sent = payout["status"] == "paid"
            assert moved["payout", payout["id"]] == (payout["amount"] if sent else 0)
            fees = [a for a, item in zip(amounts, items, strict=True) if item["type"] == "gocardless_fee"]
            assert payout["deducted_fees"] == -sum(fees)
            assert moved["fee", payout["id"]] == (payout["deducted_fees"] if sent else 0)
            for item in items:
                links = item["links"]
                seen[item["type"], links["payment"], links.get("refund", "")] += 1
        for (kind, _, refund), times in seen.items():
            assert not refund or times == 1, f"{kind} of a refund is in two payouts"

    @invariant()
    def the_ledger_and_the_api_agree(self) -> None:
        if not hasattr(self, "gateway"):
            return
        ledger = self.gateway.ledger
        captured, back = Counter[str](), Counter[str]()
        for movement in ledger:
            if movement.kind == "capture":
                captured[movement.reference.split("-")[0]] += movement.amount_minor
            elif movement.kind == "dispute":
                back[movement.parent.split("-")[0]] += movement.amount_minor
        for payment in self.call("GET", "/payments?limit=500")["payments"]:
            held = captured[payment["id"]] - back[payment["id"]]
            collected = payment["status"] in ("confirmed", "paid_out")
            assert held == (payment["amount"] if collected else 0), payment["status"]
            assert 0 <= payment["amount_refunded"] <= payment["amount"]

    @invariant()
    def the_balance_is_what_was_earned_and_not_paid_out(self) -> None:
        if not hasattr(self, "gateway"):
            return
        signs = {"capture": 1, "refund": -1, "dispute": -1, "fee": -1, "payout": -1}
        ledger = sum(signs[movement.kind] * movement.amount_minor for movement in self.gateway.ledger)
        balance = self.gateway.payments._balances.get("EUR")
        open_ = 0
        if balance is not None:
            items = [item for payment in balance.payments.values() for item in payment.items]
            items += balance.corrections.values()
            for payout in self.gateway.payouts.all:
                items += payout.items if payout.status == "pending" else ()
            # Fees are booked with the payout that they are withheld from.
            fees = sum(item.amount_minor for item in items if item.type == "gocardless_fee")
            open_ = sum(item.amount_minor for item in items) - fees
        assert ledger == open_


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
