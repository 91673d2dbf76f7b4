"""Refunds of PaymentIntents, whole or in part."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from mocks.gateways.stripe.balance import Balance
from mocks.gateways.stripe.balance_transaction import BalanceTransaction
from mocks.gateways.stripe.charge import Charge
from mocks.gateways.stripe.charges import Charges
from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.events import Events
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import below, integer, listing, metadata, page_of, place_in, text
from mocks.gateways.stripe.payment_intent import PaymentIntent
from mocks.gateways.stripe.payment_intents import PaymentIntents
from mocks.ledger import Ledger, OverRefundError
from mocks.mock_clock import MockClock

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@dataclass(slots=True)
class Refund:
    """``place`` is its number among all refunds, in the order of creation."""

    id: str
    place: int
    created: int
    amount: int
    intent: PaymentIntent
    reason: str | None
    metadata: dict[str, str]
    balance_transaction: BalanceTransaction | None = None

    @property
    def charge(self) -> Charge:
        return self.intent.charges[-1]

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object."""
        charge = below(expand, "charge")
        transaction = self.balance_transaction
        balance: str | dict[str, Any] | None = transaction.id if transaction is not None else None
        if transaction is not None and below(expand, "balance_transaction") is not None:
            balance = transaction.body()
        whole = below(expand, "payment_intent") is not None
        return {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": balance,
            "charge": self.charge.id if charge is None else self.charge.body(charge),
            "created": self.created,
            "currency": self.intent.currency,
            "metadata": self.metadata,
            "payment_intent": self.intent.body() if whole else self.intent.id,
            "reason": self.reason,
            "status": "succeeded",
        }


class Refunds:
    """All refunds of one gateway; each succeeds at once or is refused.

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
        charge = intent.charges[-1]
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
        self._events.happened("refund.created", Refund.body, refund)
        self._events.happened("charge.refunded", Charge.body_when, charge, charge.captured, charge.refunded)
        return refund

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
