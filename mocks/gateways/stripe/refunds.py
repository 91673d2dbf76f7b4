"""Refunds of PaymentIntents, whole or in part."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import below, integer, listing, metadata, page_of, place_in, text
from mocks.gateways.stripe.payment_intent import PaymentIntent
from mocks.gateways.stripe.payment_intents import PaymentIntents
from mocks.gateways.stripe.refund import Refund
from mocks.ledger import Ledger, OverRefundError
from mocks.mock_clock import MockClock

REASONS = ("duplicate", "fraudulent", "requested_by_customer")

OUTCOME_S = 10.0
"""Seconds until an asynchronous refund has succeeded or failed; Stripe says "some time later"."""


class Refunds:
    """All refunds of one gateway. Each succeeds at once or is refused, but those of the two test cards for
    asynchronous refunds ("Testing"): one is pending at first, one fails after it has succeeded. The money of
    either has left the balance at its creation, which for the pending one is an assumption.

    Methods raise ``StripeError`` for what Stripe answers with an error.
    """

    def __init__(
        self,
        ledger: Ledger,
        intents: PaymentIntents,
        charges: Charges,
        balance: Balance,
        events: Events,
        clock: MockClock,
        new_id: Callable[[str], str],
    ) -> None:
        self._ledger = ledger
        self._intents = intents
        self._charges = charges
        self._balance = balance
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._all: list[Refund] = []
        self._by_id: dict[str, Refund] = {}
        self._by_intent: dict[str, list[Refund]] = {}

    def intent_of(self, parameters: Parameters) -> PaymentIntent:
        """The PaymentIntent that a refund is asked for, by ``payment_intent`` or ``charge``."""
        intent, charge = text(parameters, "payment_intent"), text(parameters, "charge")
        if intent is not None:
            return self._intents.find(intent, param="payment_intent")
        if charge is not None:
            return self._charges.find(charge, param="charge").intent
        raise invalid("One of the following params should be provided: payment_intent, charge.")

    def create(self, parameters: Parameters, at_ns: int) -> Refund:
        """Give money back: what ``amount`` says, or all that is left."""
        intent = self.intent_of(parameters)
        if intent.status != "succeeded":
            raise invalid(
                f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        left = self._ledger.refundable(intent.id)
        charge = intent.charge
        if charge.dispute is not None and not charge.dispute.refundable:
            raise invalid(
                f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        if left == 0:
            raise invalid(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
        asked = integer(parameters, "amount")
        amount = left if asked is None else asked
        name = self._new_id("re_")
        try:
            self._ledger.refund(name, intent.id, amount, at_ns)
        except OverRefundError as error:
            limit = "charge amount" if left == charge.captured else "unrefunded amount on charge"
            message = f"Refund amount ({amount}) is greater than {limit} ({error.left_minor})"
            raise invalid(message, param="amount") from error
        refund = Refund(
            name,
            len(self._all),
            self._clock.unix(),
            amount,
            intent,
            text(parameters, "reason"),
            metadata(parameters),
        )
        charge.refunded += amount
        # What was taken as a fee is kept ("Refunds": the fees of the original charge are not returned).
        refund.balance_transaction = self._balance.book("refund", refund, -amount, 0, intent.currency)
        self._all.append(refund)
        self._by_id[name] = refund
        self._by_intent.setdefault(intent.id, []).append(refund)
        sequel = charge.sequel
        if sequel == "refund_pending":
            refund.status = "pending"
            self._clock.call_later(OUTCOME_S, lambda: self._succeed(refund))
        elif sequel == "refund_fails":
            self._clock.call_later(OUTCOME_S, lambda: self._fail(refund, "expired_or_canceled_card"))
        self._events.happened(
            "refund.created", Refund.body_when_created, refund, refund.status, refund.metadata
        )
        self._events.happened(
            "charge.refunded",
            *(Charge.body_when, charge, charge.captured, charge.refunded, False, (), charge.disputed),
        )
        return refund

    def update(self, refund: Refund, parameters: Parameters) -> None:
        """Change the metadata, which is all that can be changed; an empty text takes a name away."""
        new = refund.metadata | metadata(parameters)
        refund.metadata = {name: value for name, value in new.items() if value}
        self._tell("updated", refund)

    def cancel(self, refund: Refund) -> None:
        """Raises StripeError (400): a refund can be canceled only while it waits for its payer to do
        something, which one to a card never does."""
        raise invalid("Canceling this refund is unsupported.")

    def fail_of(self, intent: PaymentIntent, reason: str) -> None:
        """All refunds of a PaymentIntent that have not failed yet do."""
        for refund in self._by_intent.get(intent.id, ()):
            self._fail(refund, reason)

    def find(self, name: str) -> Refund:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("refund", name, param="id")
        return self._by_id[name]

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``payment_intent``, ``charge`` and ``created``."""
        rows = self._all
        if "payment_intent" in parameters or "charge" in parameters:
            rows = self._by_intent.get(self.intent_of(parameters).id, [])
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        inner = below(expand, "data") or ()
        return listing("/v1/refunds", page, lambda row: row.body(inner))

    def _succeed(self, refund: Refund) -> None:
        if refund.status == "pending":
            refund.status = "succeeded"
            self._tell("updated", refund)

    def _fail(self, refund: Refund, reason: str) -> None:
        """The payer's bank sends the money back."""
        if refund.status == "failed":
            return
        intent, charge = refund.intent, refund.charge
        self._ledger.return_refund(refund.id, intent.id, refund.amount, time.monotonic_ns())
        charge.refunded -= refund.amount
        refund.status, refund.failure_reason = "failed", reason
        refund.failure_balance_transaction = self._balance.adjust(
            "refund_failure", "refund_failure", refund, refund.amount, 0, intent.currency, back=True
        )
        self._tell("failed", refund)
        self._tell("updated", refund)

    def _tell(self, what: str, refund: Refund) -> None:
        body = refund.body()
        self._events.happened(f"refund.{what}", lambda: body)

    def _cursor(self, name: str, param: str, rows: list[Refund]) -> tuple[int, int]:
        if name not in self._by_id:
            raise missing("refund", name, param=param, status=400)
        return place_in(rows, self._by_id[name].place)


def check(parameters: Parameters) -> None:
    """What can be said of a refund before it is executed. Raises StripeError (400)."""
    amount = integer(parameters, "amount")
    if amount is not None and amount < 1:
        raise invalid("Invalid positive integer", param="amount", code="parameter_invalid_integer")
    reason = text(parameters, "reason")
    if reason is not None and reason not in REASONS:
        raise StripeError(
            400,
            "invalid_request_error",
            f"Invalid reason: must be one of {', '.join(REASONS)}",
            param="reason",
        )
    metadata(parameters)
