"""A dispute: a payer's complaint about a capture, and its body."""

from __future__ import annotations

from dataclasses import dataclass

from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.money import Money
from mocks.gateways.paypal.payment import Capture, rfc3339

STATES = {
    "WAITING_FOR_SELLER_RESPONSE": "REQUIRED_ACTION",
    "WAITING_FOR_BUYER_RESPONSE": "REQUIRED_OTHER_PARTY_ACTION",
    "UNDER_REVIEW": "UNDER_PAYPAL_REVIEW",
    "RESOLVED": "RESOLVED",
}
"""``status`` -> ``dispute_state``, as the seller sees it."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as it is between two changes; a change makes another one.

    Attributes:
        id: ``PP-D-`` and digits.
        reason: PayPal's.
        amount: What the payer wants back.
        made: Unix seconds of the mock's clock, like ``updated`` and ``due``, until when the seller may
            answer.
        status: A key of ``STATES``.
        evidences: As they were sent.
        outcome: PayPal's ``outcome_code``; empty as long as there is none.
        returned: What the payer got back; None as long as the dispute is open.
    """

    id: str
    capture: Capture
    reason: str
    amount: Money
    made: float
    updated: float
    due: float
    status: str
    evidences: tuple[Body, ...] = ()
    outcome: str = ""
    returned: Money | None = None

    @property
    def open(self) -> bool:
        return self.status != "RESOLVED"

    @property
    def state(self) -> str:
        """PayPal's ``dispute_state``."""
        return STATES[self.status]

    def summary(self, base: str) -> Body:
        """An item of the list of disputes; ``base`` is the URL of the mock."""
        body: Body = {
            "dispute_id": self.id,
            "create_time": rfc3339(self.made),
            "update_time": rfc3339(self.updated),
            "reason": self.reason,
            "status": self.status,
            "dispute_state": self.state,
            "dispute_amount": self.amount.body(),
            "dispute_life_cycle_stage": "CHARGEBACK",
            "dispute_channel": "INTERNAL",
        }
        if self.status == "WAITING_FOR_SELLER_RESPONSE":
            body["seller_response_due_date"] = rfc3339(self.due)
        return body | {"links": [_link(self.href(base), "self", "GET")]}

    def body(self, base: str) -> Body:
        """The API's object; ``base`` is the URL of the mock."""
        href, capture = self.href(base), self.capture
        transaction: Body = {
            "seller_transaction_id": capture.id,
            "create_time": capture.made,
            "transaction_status": "COMPLETED",
            "gross_amount": capture.amount.body(),
            "buyer": {"name": "Test Payer"},
        }
        if capture.origin.custom_id:
            transaction["custom"] = capture.origin.custom_id
        if capture.origin.invoice_id:
            transaction["invoice_number"] = capture.origin.invoice_id
        body = self.summary(base)
        del body["dispute_state"]
        body["disputed_transactions"] = [transaction]
        if self.evidences:
            body["evidences"] = list(self.evidences)
        if self.outcome:
            body["dispute_outcome"] = {"outcome_code": self.outcome}
            if self.returned is not None and self.returned.minor:
                amount = self.returned.body()
                body["dispute_outcome"]["amount_refunded"] = amount
                body["money_movements"] = [
                    {
                        "affected_party": "SELLER",
                        "amount": amount,
                        "initiated_time": rfc3339(self.updated),
                        "type": "DEBIT",
                        "reason": "DISPUTE_SETTLEMENT",
                    }
                ]
        if self.status == "WAITING_FOR_SELLER_RESPONSE":
            types = ["REFUND", "PARTIAL_REFUND"]
            body["allowed_response_options"] = {"accept_claim": {"accept_claim_types": types}}
            for action in ("provide-evidence", "accept-claim"):
                body["links"].append(_link(f"{href}/{action}", action.replace("-", "_"), "POST"))
        return body

    def href(self, base: str) -> str:
        """Where the dispute is."""
        return f"{base}/v1/customer/disputes/{self.id}"


def _link(href: str, rel: str, method: str) -> Body:
    return {"href": href, "rel": rel, "method": method}
