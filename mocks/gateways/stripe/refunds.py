"""Refunds of PaymentIntents, whole or in part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mocks.gateways.stripe.errors import StripeError, invalid, missing
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import integer, metadata, page_of, text, unix
from mocks.gateways.stripe.payment_intents import PaymentIntent, PaymentIntents
from mocks.ledger import Ledger, OverRefundError

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@dataclass(frozen=True, slots=True)
class Refund:
    """``place`` is its number among all refunds, in the order of creation."""

    id: str
    place: int
    created: int
    amount: int
    intent: PaymentIntent
    reason: str | None
    metadata: dict[str, str]


class Refunds:
    """All refunds of one gateway; each succeeds at once or is refused.

    Methods raise ``StripeError`` for what Stripe answers with an error.
    """

    def __init__(self, ledger: Ledger, intents: PaymentIntents, new_id: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._intents = intents
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
            return self._intents.of_charge(charge)
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
        charge = intent.charges[-1].id
        if left == 0:
            raise invalid(f"Charge {charge} has already been refunded.", code="charge_already_refunded")
        asked = integer(parameters, "amount")
        amount = left if asked is None else asked
        name = self._new_id("re_")
        try:
            self._ledger.refund(name, intent.id, amount, at_ns)
        except OverRefundError as error:
            limit = "charge amount" if left == intent.amount else "unrefunded amount on charge"
            message = f"Refund amount ({amount}) is greater than {limit} ({error.left_minor})"
            raise invalid(message, param="amount") from error
        refund = Refund(
            name, len(self._all), unix(), amount, intent, text(parameters, "reason"), metadata(parameters)
        )
        self._all.append(refund)
        self._by_id[name] = refund
        self._by_intent.setdefault(intent.id, []).append(refund)
        return refund

    def find(self, name: str) -> Refund:
        """Raises StripeError (404) when there is none."""
        if name not in self._by_id:
            raise missing("refund", name, param="id")
        return self._by_id[name]

    def page(self, parameters: Parameters, expand: Iterable[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``payment_intent``, ``charge`` and ``created``."""
        rows = self._all
        if "payment_intent" in parameters or "charge" in parameters:
            rows = self._by_intent.get(self.intent_of(parameters).id, [])
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        wanted = {name.removeprefix("data.") for name in expand}
        return {
            "object": "list",
            "url": "/v1/refunds",
            "has_more": page.has_more,
            "data": [self.body(row, wanted) for row in page.rows],
        }

    def body(self, refund: Refund, expand: Iterable[str] = ()) -> dict[str, Any]:
        """The API's object."""
        intent, charge = refund.intent, refund.intent.charges[-1]
        return {
            "id": refund.id,
            "object": "refund",
            "amount": refund.amount,
            "charge": self._intents.charge_body(intent, charge) if "charge" in expand else charge.id,
            "created": refund.created,
            "currency": intent.currency,
            "metadata": refund.metadata,
            "payment_intent": self._intents.body(intent) if "payment_intent" in expand else intent.id,
            "reason": refund.reason,
            "status": "succeeded",
        }

    def _cursor(self, name: str, param: str, rows: list[Refund]) -> tuple[int, int]:
        if name not in self._by_id:
            raise missing("refund", name, param=param, status=400)
        place = self._by_id[name].place
        return sum(row.place < place for row in rows), sum(row.place <= place for row in rows)


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
