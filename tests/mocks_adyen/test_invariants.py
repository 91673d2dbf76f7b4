"""Whatever is asked of a payment, in whatever order: the money's invariants hold, and the webhooks say so."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mocks.gateways.adyen.amounts import Amount
from mocks.gateways.adyen.application import Adyen
from mocks.gateways.adyen.request import payment_request
from mocks.latency import Latency
from tests.mocks.running import adyen_payment

AUTHORISED = 1000
BODY = {"merchantAccount": "PaydrillECOM"}


class OnePayment(RuleBasedStateMachine):
    """One payment, and a model of it that is told by the webhooks only, as a merchant is."""

    @initialize(
        manual=st.booleans(),
        hours=st.sampled_from([0, 1]),
        holder=st.sampled_from(["A. Customer", "PENDING", "refund failed", "capture failed", "Chargeback"]),
    )
    def pay(self, manual: bool, hours: int, holder: str) -> None:
        self.gateway = Adyen("adyen", Latency(0, 0), 1)
        body = adyen_payment("o", AUTHORISED, holderName=holder) | {
            "captureDelayHours": hours,
            "additionalData": {"manualCapture": str(manual).lower()},
        }
        self.gateway.payments.make("P", payment_request(body), 0)

    @rule(value=st.integers(1, 1100))
    def capture(self, value: int) -> None:
        payment = self.gateway.payments.find("P")
        self.gateway.modifications.capture(payment, Amount("EUR", value), BODY, 0)

    @rule(value=st.integers(1, 1100))
    def refund(self, value: int) -> None:
        payment = self.gateway.payments.find("P")
        self.gateway.modifications.refund(payment, Amount("EUR", value), BODY, 0)

    @rule()
    def cancel(self) -> None:
        self.gateway.modifications.cancel(self.gateway.payments.find("P"), BODY)

    @rule()
    def cancel_by_reference(self) -> None:
        self.gateway.modifications.cancel_by_reference("PaydrillECOM", "o", BODY)

    @rule()
    def reverse(self) -> None:
        self.gateway.modifications.reverse(self.gateway.payments.find("P"), BODY, 0)

    @rule(seconds=st.integers(0, 4000))
    def wait(self, seconds: int) -> None:
        self.gateway.mock_clock.advance(seconds)

    def items(self) -> list[dict[str, Any]]:
        payloads = [json.loads(event.payload()) for event in self.gateway.outbox]
        return [payload["notificationItems"][0]["NotificationRequestItem"] for payload in payloads]

    def told(self, code: str) -> list[dict[str, Any]]:
        return [i for i in self.items() if i["eventCode"] == code and i["success"] == "true"]

    @invariant()
    def money_is_captured_once_and_refunded_at_most_once(self) -> None:
        captures = [m for m in self.gateway.ledger if m.kind == "capture"]
        refunds = [m for m in self.gateway.ledger if m.kind == "refund"]
        assert len(captures) <= 1
        captured = sum(m.amount_minor for m in captures)
        assert captured <= AUTHORISED
        assert sum(m.amount_minor for m in refunds) <= captured
        if captures:
            assert self.told("AUTHORISATION")

    @invariant()
    def a_cancelled_payment_is_not_captured(self) -> None:
        reversals = self.told("CANCEL_OR_REFUND")
        cancelled = [
            *self.told("CANCELLATION"),
            *self.told("TECHNICAL_CANCEL"),
            *(i for i in reversals if i["additionalData"]["modification.action"] == "cancel"),
        ]
        assert len(cancelled) <= 1
        if cancelled:
            assert len(self.gateway.ledger) == 0

    @invariant()
    def refunds_are_what_the_webhooks_say(self) -> None:
        reversals = self.told("CANCEL_OR_REFUND")
        refunded = [
            *self.told("REFUND"),
            *(i for i in reversals if i["additionalData"]["modification.action"] == "refund"),
        ]
        failed = {item["pspReference"] for item in self.told("REFUND_FAILED")}
        stayed = {
            i["pspReference"]: i["amount"]["value"] for i in refunded if i["pspReference"] not in failed
        }
        booked: Counter[str] = Counter()
        for movement in self.gateway.ledger:
            if movement.kind == "refund":
                booked[movement.reference.removesuffix("-returned")] += movement.amount_minor
        assert {reference: left for reference, left in booked.items() if left} == stayed


TestOnePayment = OnePayment.TestCase
TestOnePayment.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
