"""All disputes of one gateway: how they come about, are answered, and end.

Status, events and balance transactions follow the API reference ("Disputes") and, where that is silent, a
record of the sandbox of 2026 that is published with another mock (second-hand): the ids begin with ``du_``,
``due_by`` is the end of the eighth day, a refund of a disputed charge is refused with ``charge_disputed``, a
dispute that is won brings the amount back without the fee, refunds that were made during an inquiry fail
when it is escalated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.currencies import THREE_DECIMALS, ZERO_DECIMALS
from mocks.gateways.stripe.dispute import FIELDS, Dispute
from mocks.gateways.stripe.early_fraud_warnings import EarlyFraudWarnings
from mocks.gateways.stripe.errors import invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import below, listing, metadata, page_of, place_in, text
from mocks.gateways.stripe.payment_intents import PaymentIntents
from mocks.gateways.stripe.refunds import Refunds
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock

_DAY = 86_400
OPENED_S = 1.0
"""Seconds from a capture to its dispute: in the sandbox about half of one."""

DECIDED_S = 5.0
"""Seconds from evidence that decides to the decision."""

ANSWER_DAYS = 8
INQUIRY_S = 120 * _DAY
"""Seconds after which an inquiry that was not escalated is closed ("How disputes work")."""

WINNING, LOSING, ESCALATING = "winning_evidence", "losing_evidence", "escalate_inquiry_evidence"
"""What decides when it is given as ``uncategorized_text`` ("Testing")."""

LONGEST_FIELD, LONGEST = 20_000, 150_000
"""Characters of one field of evidence, and of all."""

_FILES = frozenset(
    name
    for name in FIELDS
    if name.endswith(("_documentation", "_file", "_signature", "_communication"))
    or name in ("cancellation_policy", "receipt", "refund_policy")
)


def fee_of(currency: str) -> int:
    """What Stripe takes for a dispute, in the minor unit: 15 of the currency, or 1,500 where there are no
    decimals. The prices differ by country; that of the United States is 15 USD."""
    if currency in ZERO_DECIMALS:
        return 1_500
    return 15_000 if currency in THREE_DECIMALS else 1_500


class Disputes:
    """All disputes of one gateway.

    Methods raise ``StripeError`` for what Stripe answers with an error.

    Attributes:
        warnings: What comes instead of a dispute for one test card, or before one in life.
    """

    def __init__(
        self,
        ledger: Ledger,
        intents: PaymentIntents,
        charges: Charges,
        refunds: Refunds,
        balance: Balance,
        events: Events,
        clock: MockClock,
        new_id: Callable[[str], str],
    ) -> None:
        self._ledger = ledger
        self._intents = intents
        self._charges = charges
        self._refunds = refunds
        self._balance = balance
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._all: list[Dispute] = []
        self._by_id: dict[str, Dispute] = {}
        self.warnings = EarlyFraudWarnings(events, clock, new_id)
        intents.attempts.captured = self._captured

    def find(self, name: str, *, param: str = "dispute", status: int = 404) -> Dispute:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("dispute", name, param=param, status=status)
        return self._by_id[name]

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``charge``, ``payment_intent`` and ``created``."""
        charge, intent = text(parameters, "charge"), text(parameters, "payment_intent")
        if charge is not None:
            self._charges.find(charge, param="charge")
        if intent is not None:
            self._intents.find(intent, param="payment_intent")
        rows = [
            row
            for row in self._all
            if charge in (None, row.charge.id) and intent in (None, row.charge.intent.id)
        ]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        inner = below(expand, "data") or ()
        return listing("/v1/disputes", page, lambda row: row.body(inner))

    def open(self, charge: Charge, reason: str, *, inquiry: bool = False) -> Dispute | None:
        """A payer disputes what has not been refunded of a charge, or asks about it. None when nothing is
        left to dispute, or it is disputed already."""
        left = self._ledger.refundable(charge.intent.id)
        if left == 0 or charge.dispute is not None:
            return None
        now = self._clock.unix()
        dispute = Dispute(
            id=self._new_id("du_"),
            place=len(self._all),
            created=now,
            charge=charge,
            amount=left,
            reason=reason,
            inquiry=inquiry,
            due_by=(now // _DAY + ANSWER_DAYS + 1) * _DAY - 1,
            status="warning_needs_response" if inquiry else "needs_response",
        )
        self._all.append(dispute)
        self._by_id[dispute.id] = dispute
        charge.dispute = dispute
        if not inquiry:
            self._withdraw(dispute)
        self._tell("created", dispute)
        if inquiry:
            self._clock.call_later(INQUIRY_S, lambda: self._let_go(dispute))
        else:
            self._tell("funds_withdrawn", dispute)
        self._clock.call_at(dispute.due_by + 1, lambda: self._expire(dispute))
        return dispute

    def update(self, dispute: Dispute, parameters: Parameters) -> None:
        """Take evidence and metadata in. Evidence is submitted unless ``submit`` is false; what was staged
        before is submitted with it."""
        _refuse_closed(dispute)
        evidence = evidence_of(parameters)
        if evidence and dispute.past_due:
            raise invalid("The time to give evidence for this dispute has passed.")
        dispute.metadata = {
            name: value for name, value in (dispute.metadata | metadata(parameters)).items() if value
        }
        dispute.evidence = {
            name: value for name, value in (dispute.evidence | evidence).items() if value != ""
        }
        submit = text(parameters, "submit")
        if submit == "true" or (evidence and submit is None):
            dispute.submissions += 1
            dispute.status = "warning_under_review" if dispute.inquiry else "under_review"
            self._clock.call_later(DECIDED_S, lambda: self._decide(dispute))
        self._tell("updated", dispute)

    def close(self, dispute: Dispute) -> None:
        """Give up: the dispute is lost. That an inquiry just closes is an assumption."""
        _refuse_closed(dispute)
        self._end(dispute, "warning_closed" if dispute.inquiry else "lost")

    def charge_back(self, charge: Charge) -> None:
        """The payer fetches back what is left of a charge, as a fraud; a debit is lost at once."""
        self._open(charge, "fraudulent")

    def _captured(self, charge: Charge, sequel: str) -> None:
        if sequel in ("fraudulent", "product_not_received", "inquiry", "early_fraud_warning"):
            self._clock.call_later(OPENED_S, lambda: self._open(charge, sequel))

    def _open(self, charge: Charge, sequel: str) -> None:
        if sequel == "early_fraud_warning":
            self.warnings.warn(charge)
        elif not charge.brand:
            # A debit's payer need give no reason, and the merchant has no say ("SEPA Direct Debit").
            dispute = self.open(charge, "debit_not_authorized")
            if dispute is not None:
                self._end(dispute, "lost")
        elif sequel == "inquiry":
            self.open(charge, "fraudulent", inquiry=True)
        else:
            self.open(charge, sequel)

    def _withdraw(self, dispute: Dispute) -> None:
        intent = dispute.charge.intent
        self._ledger.dispute(dispute.id, intent.id, dispute.amount, time.monotonic_ns())
        line = self._balance.adjust(
            "adjustment", "dispute", dispute, -dispute.amount, fee_of(intent.currency), intent.currency
        )
        dispute.balance_transactions.append(line)

    def _reinstate(self, dispute: Dispute) -> None:
        intent = dispute.charge.intent
        self._ledger.return_dispute(dispute.id, intent.id, dispute.amount, time.monotonic_ns())
        line = self._balance.adjust(
            "adjustment", "dispute_reversal", dispute, dispute.amount, 0, intent.currency, back=True
        )
        dispute.balance_transactions.append(line)

    def _decide(self, dispute: Dispute) -> None:
        """What the bank says to the evidence, if it is evidence that decides."""
        said = dispute.evidence.get("uncategorized_text")
        if dispute.closed or said not in (WINNING, LOSING, ESCALATING):
            return
        if dispute.inquiry:
            if said == ESCALATING:
                self._escalate(dispute)
            else:
                self._end(dispute, "warning_closed")
        elif said == WINNING:
            self._reinstate(dispute)
            dispute.status = "won"
            self._tell("funds_reinstated", dispute)
            self._tell("closed", dispute)
        elif said == LOSING:
            self._end(dispute, "lost")

    def _escalate(self, dispute: Dispute) -> None:
        """The inquiry becomes a dispute about the whole charge, and is answered anew."""
        self._refunds.fail_of(dispute.charge.intent, "charge_for_pending_refund_disputed")
        dispute.amount = self._ledger.refundable(dispute.charge.intent.id)
        dispute.inquiry = False
        dispute.evidence = {}
        dispute.status = "needs_response"
        dispute.past_due = False
        dispute.due_by = (self._clock.unix() // _DAY + ANSWER_DAYS + 1) * _DAY - 1
        self._withdraw(dispute)
        self._tell("updated", dispute)
        self._tell("funds_withdrawn", dispute)
        self._clock.call_at(dispute.due_by + 1, lambda: self._expire(dispute))

    def _expire(self, dispute: Dispute) -> None:
        """Nobody has answered in time: the dispute is lost. An inquiry stays open."""
        if not dispute.status.endswith("needs_response") or self._clock.now() <= dispute.due_by:
            return
        dispute.past_due = True
        if not dispute.inquiry:
            self._end(dispute, "lost")

    def _let_go(self, dispute: Dispute) -> None:
        if dispute.inquiry and not dispute.closed:
            self._end(dispute, "warning_closed")

    def _end(self, dispute: Dispute, status: str) -> None:
        dispute.status = status
        self._tell("closed", dispute)

    def _tell(self, what: str, dispute: Dispute) -> None:
        body = dispute.body()
        self._events.happened(f"charge.dispute.{what}", lambda: body)

    def _cursor(self, name: str, param: str, rows: list[Dispute]) -> tuple[int, int]:
        return place_in(rows, self.find(name, param=param, status=400).place)


def evidence_of(parameters: Parameters) -> dict[str, str]:
    """The evidence of a request; an empty text takes a field back.

    Raises:
        StripeError: 400 for a field that there is not, for too much text, and for a file: none can be
            uploaded to this mock.
    """
    node = parameters.get("evidence", {})
    if isinstance(node, str):
        raise invalid("Invalid object", param="evidence")
    evidence: dict[str, str] = {}
    for name, value in node.items():
        param = f"evidence[{name[:60]}]"
        if name not in FIELDS:
            raise invalid(f"Received unknown parameter: {param}", param=param, code="parameter_unknown")
        if not isinstance(value, str):
            raise invalid("Invalid string: a structure was sent.", param=param)
        if value and name in _FILES:
            raise invalid(f"No such file upload: '{value[:60]}'", param=param, code="resource_missing")
        if len(value) > LONGEST_FIELD:
            raise invalid(f"At most {LONGEST_FIELD} characters can be given here.", param=param)
        evidence[name] = value
    if sum(len(value) for value in evidence.values()) > LONGEST:
        raise invalid(f"At most {LONGEST} characters of evidence can be given.", param="evidence")
    return evidence


def check(parameters: Parameters) -> None:
    """What can be said of an update before it is executed. Raises StripeError (400)."""
    evidence_of(parameters)
    metadata(parameters)
    if text(parameters, "submit") not in (None, "true", "false"):
        raise invalid("Invalid boolean: submit", param="submit")


def _refuse_closed(dispute: Dispute) -> None:
    if dispute.closed:
        raise invalid("This dispute is already closed")
