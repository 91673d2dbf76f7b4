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
from mocks.gateways.adyen.disputes import DEFENSE_S, ISSUER_S
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
        holder=st.sampled_from(
            [
                "A. Customer",
                "PENDING",
                "refund failed",
                "capture failed",
                "Chargeback",
                "Chargeback",
                "Chargeback Reversed",
                "Second Chargeback",
            ]
        ),
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

    @rule(step=st.sampled_from(["disputes.supply", "disputes.defend", "disputes.accept"]))
    def dispute(self, step: str) -> None:
        document = {
            "defenseDocumentTypeCode": "DefenseMaterial",
            "contentType": "application/pdf",
            "content": "JVBERg==",
        }
        for item in self.told("CHARGEBACK"):
            body = {
                "merchantAccountCode": "PaydrillECOM",
                "disputePspReference": item["pspReference"],
                "defenseDocuments": [document],
                "defenseReasonCode": "SupplyDefenseMaterial",
            }
            defense = self.gateway.defense
            defense.answer(step, defense.dispute_of(body), body, 0)

    @rule(seconds=st.one_of(st.integers(0, 4000), st.sampled_from([86_400, DEFENSE_S, ISSUER_S])))
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

    @invariant()
    def disputes_are_what_the_webhooks_say(self) -> None:
        told = {code: len(self.told(code)) for code in ("CHARGEBACK", "SECOND_CHARGEBACK", "CAPTURE_FAILED")}
        reversed_ = len(self.told("CHARGEBACK_REVERSED"))
        captured = sum(m.amount_minor for m in self.gateway.ledger if m.kind == "capture")
        disputed = sum(m.amount_minor for m in self.gateway.ledger if m.kind == "dispute")
        assert disputed == (sum(told.values()) - reversed_) * captured
        assert 0 <= disputed <= captured

    @invariant()
    def a_dispute_ends_once(self) -> None:
        ends = ("DISPUTE_DEFENSE_PERIOD_ENDED", "ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "SECOND_CHARGEBACK")
        assert sum(len(self.told(code)) for code in ends) <= 1


TestOnePayment = OnePayment.TestCase
TestOnePayment.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
