"""A dispute: a payer has the bank fetch the money of a charge back, or asks about it first (an inquiry)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from mocks.gateways.stripe.balance_transaction import BalanceTransaction
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.objects import below

CLOSED = ("won", "lost", "warning_closed")
"""The statuses that nothing follows."""

NETWORK_REASONS = {"fraudulent": "10.4", "product_not_received": "13.1"}
"""Reason -> Visa's code for it."""

INQUIRY_REASON = "10"

FIELDS = (
    *("access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure"),
    *("cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name"),
    *("customer_purchase_ip", "customer_signature", "duplicate_charge_documentation"),
    *("duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt"),
    *("refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date"),
    *("service_documentation", "shipping_address", "shipping_carrier", "shipping_date"),
    *("shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text"),
)
"""What evidence can be given under (as in stripe-py's ``Dispute.Evidence``)."""


@dataclass(slots=True)
class Dispute:
    """One dispute.

    Attributes:
        place: Its number among all disputes.
        amount: What is disputed, in the minor unit: what had not been refunded.
        reason: ``fraudulent``, ``product_not_received``, or for a bank's debit ``debit_not_authorized``,
            which is an assumption.
        inquiry: The money has not been fetched back, and is not unless the inquiry is escalated.
        due_by: Until when evidence can be given, in Unix seconds.
        submissions: How often evidence was submitted.
        balance_transactions: The money that went, and the money that came back.
    """

    id: str
    place: int
    created: int
    charge: Charge
    amount: int
    reason: str
    inquiry: bool
    due_by: int
    status: str
    past_due: bool = False
    submissions: int = 0
    evidence: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    balance_transactions: list[BalanceTransaction] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        return self.status in CLOSED

    @property
    def refundable(self) -> bool:
        """Whether its charge can be refunded: while its money has not been fetched back, or is back."""
        return self.inquiry or self.status == "won"

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object as it is now."""
        intent = self.charge.intent
        charge = below(expand, "charge")
        whole = below(expand, "payment_intent") is not None
        brand = self.charge.brand
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [line.body() for line in self.balance_transactions],
            "charge": self.charge.id if charge is None else self.charge.body(charge),
            "created": self.created,
            "currency": intent.currency,
            "enhanced_eligibility_types": [],
            "evidence": {name: self.evidence.get(name) for name in FIELDS} | {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": self.due_by,
                "enhanced_eligibility": {},
                "has_evidence": bool(self.evidence),
                "past_due": self.past_due,
                "submission_count": self.submissions,
                "submission_method": "manual" if self.submissions else "not_submitted",
            },
            "is_charge_refundable": self.refundable,
            "livemode": False,
            "metadata": self.metadata,
            "payment_intent": intent.body() if whole else intent.id,
            "payment_method_details": {
                "card": {
                    "brand": brand,
                    "case_type": "inquiry" if self.inquiry else "chargeback",
                    "network": brand,
                    "network_reason_code": INQUIRY_REASON if self.inquiry else NETWORK_REASONS[self.reason],
                },
                "type": "card",
            }
            if brand
            else None,
            "reason": self.reason,
            "status": self.status,
        }
