"""A charge: one attempt to take the money of a PaymentIntent."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mocks.gateways.stripe.cards import Card, Decline
from mocks.gateways.stripe.objects import below
from mocks.gateways.stripe.payment_method import PLAIN, Details, Instrument

if TYPE_CHECKING:
    from mocks.gateways.stripe.balance_transaction import BalanceTransaction
    from mocks.gateways.stripe.dispute import Dispute
    from mocks.gateways.stripe.payment_intent import PaymentIntent


class Charge:
    """``place`` is its number among all charges. ``captured`` and ``refunded`` are in the minor unit.

    What few charges have takes room only where it differs from the default, as in a PaymentIntent.

    Attributes:
        own_id: Its identifier; empty for one that carries the letters of its PaymentMethod's, which belongs
            to no other charge.
        released: An authorization was given up instead of being captured.
        pending: A debit whose outcome isn't known yet.
        mandate: What allows a debit.
        details: Of its PaymentMethod.
    """

    __slots__ = (
        "__dict__",
        "balance_transaction",
        "captured",
        "created",
        "instrument",
        "intent",
        "own_id",
        "payment_method",
        "place",
    )

    refunded: int = 0
    released: bool = False
    pending: bool = False
    authenticated: bool = False
    mandate: str = ""
    details: Details = PLAIN
    dispute: Dispute | None = None

    def __init__(
        self,
        own_id: str,
        place: int,
        created: int,
        intent: PaymentIntent,
        instrument: Instrument,
        payment_method: str,
    ) -> None:
        self.own_id = own_id
        self.place = place
        self.created = created
        self.intent = intent
        self.instrument = instrument
        self.payment_method = payment_method
        self.captured = 0
        self.balance_transaction: BalanceTransaction | None = None

    @property
    def id(self) -> str:
        return self.own_id or f"ch_{self.payment_method[3:]}"

    @property
    def paid(self) -> bool:
        return self.instrument.decline is None and not self.pending

    @property
    def sequel(self) -> str:
        """What comes after its payment; see ``cards.SEQUELS``."""
        return self.instrument.sequel

    @property
    def brand(self) -> str:
        """The card's brand, empty where there is no card."""
        return self.instrument.brand if isinstance(self.instrument, Card) else ""

    @property
    def disputed(self) -> bool:
        """Whether there has been a dispute or an inquiry, however it ended."""
        return self.dispute is not None

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object as it is now."""
        return self.body_when(self.captured, self.refunded, self.released, expand, self.disputed)

    def body_when(
        self,
        captured: int,
        refunded: int,
        released: bool = False,
        expand: Collection[str] = (),
        disputed: bool = False,
    ) -> dict[str, Any]:
        """The API's object as it was with these amounts captured and refunded.

        That a released authorization shows as refunded follows the reference ("Cancel a PaymentIntent": the
        remaining amount_capturable is automatically refunded). After a partial capture the rest does not
        count as refunded here; that is an assumption.
        """
        intent, instrument = self.intent, self.instrument
        decline = None if self.pending else instrument.decline
        transaction: str | dict[str, Any] | None = None
        if captured and self.balance_transaction is not None:
            transaction = self.balance_transaction.id
            if expand and below(expand, "balance_transaction") is not None:
                transaction = self.balance_transaction.body()
        whole = expand and below(expand, "payment_intent") is not None
        shown = instrument.charge_body(self.authenticated, self.mandate)
        if instrument.kind == "card":
            shown |= {"exp_month": self.details.exp_month, "exp_year": self.details.exp_year}
        return {
            "id": self.id,
            "object": "charge",
            "amount": intent.amount,
            "amount_captured": captured,
            "amount_refunded": intent.amount if released else refunded,
            "balance_transaction": transaction,
            "billing_details": self.details.billing_body(),
            "captured": captured > 0,
            "created": self.created,
            "currency": intent.currency,
            "customer": intent.customer,
            "description": intent.description,
            "disputed": disputed,
            "failure_code": decline.code if decline is not None else None,
            "failure_message": decline.message if decline is not None else None,
            "livemode": False,
            "metadata": intent.metadata,
            "outcome": _outcome(decline),
            "paid": self.paid,
            "payment_intent": intent.body() if whole else intent.id,
            "payment_method": self.payment_method,
            "payment_method_details": {
                "type": instrument.kind,
                instrument.kind: shown,
            },
            "refunded": released or (captured > 0 and refunded == captured),
            "status": "pending" if self.pending else "succeeded" if decline is None else "failed",
        }


def _outcome(decline: Decline | None) -> dict[str, Any]:
    if decline is None:
        return {"network_status": "approved_by_network", "reason": None, "type": "authorized"}
    reason = decline.decline_code or decline.code
    return {"network_status": "declined_by_network", "reason": reason, "type": "issuer_declined"}
