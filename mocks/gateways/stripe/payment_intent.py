"""A PaymentIntent: what is to be paid, and how far that has come."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mocks.gateways.stripe.objects import below
from mocks.gateways.stripe.payment_method import TYPES, Instrument, PaymentMethod

if TYPE_CHECKING:
    from mocks.gateways.stripe.charge import Charge


DEFAULT_TYPES = ("card",)
"""What is shown as ``payment_method_types`` when its caller named none."""


class PaymentIntent:
    """``place`` is its number among all PaymentIntents, in the order of creation; amounts are in the minor
    unit of ``currency``, a lower-case ISO 4217 code.

    What most payments of a load test have lies in slots; what few have takes room only where it differs from
    the default.

    Attributes:
        labels: The metadata, names and values in turn: a mapping takes four times the room.
        latest_charge: The last attempt.
        saved: The PaymentMethod, when it is one that the gateway keeps.
        types: The ``payment_method_types`` that its caller named; empty when none.
        future_usage: ``setup_future_usage``.
        authentication: The token of the authentication that it waits for, or last waited for.
    """

    __slots__ = (
        "__dict__",
        "amount",
        "amount_received",
        "created",
        "currency",
        "customer",
        "id",
        "instrument",
        "labels",
        "latest_charge",
        "payment_method",
        "place",
        "status",
        "types",
    )

    manual: bool = False
    description: str | None = None
    last_payment_error: dict[str, Any] | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    saved: PaymentMethod | None = None
    future_usage: str | None = None
    next_action: dict[str, Any] | None = None
    authentication: str = ""

    def __init__(
        self,
        name: str,
        place: int,
        created: int,
        amount: int,
        currency: str,
        labels: tuple[str, ...] = (),
        customer: str | None = None,
    ) -> None:
        self.id = name
        self.place = place
        self.created = created
        self.amount = amount
        self.currency = currency
        self.labels = labels
        self.customer = customer
        self.types: tuple[str, ...] = ()
        self.status = "requires_payment_method"
        self.amount_received = 0
        self.instrument: Instrument | None = None
        self.payment_method: str | None = None
        self.latest_charge: Charge | None = None

    @property
    def order_id(self) -> str:
        """By convention of this project a caller puts its order id into ``metadata[order_id]``."""
        labels = self.labels
        for place in range(0, len(labels), 2):
            if labels[place] == "order_id":
                return labels[place + 1]
        return ""

    @property
    def charge(self) -> Charge:
        """The last attempt, of a PaymentIntent that has been confirmed."""
        assert self.latest_charge is not None
        return self.latest_charge

    @property
    def metadata(self) -> dict[str, str]:
        return dict(zip(self.labels[::2], self.labels[1::2], strict=True))

    @property
    def client_secret(self) -> str:
        """It guards nothing, so it needs no letters of its own: those of the id, backwards."""
        return f"{self.id}_secret_{self.id[:2:-1]}"

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object."""
        charge = self.latest_charge
        latest: str | dict[str, Any] | None = charge.id if charge is not None else None
        if expand and charge is not None:
            inner = below(expand, "latest_charge")
            if inner is not None:
                latest = charge.body(inner)
        method: str | dict[str, Any] | None = self.payment_method
        if expand and below(expand, "payment_method") is not None:
            method = self.method_body()
        types = self.types or DEFAULT_TYPES
        if self.saved is not None and self.saved.instrument.kind not in types:
            types = TYPES
        return {
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": self.amount if self.status == "requires_capture" else 0,
            "amount_received": self.amount_received,
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": "manual" if self.manual else "automatic",
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "last_payment_error": self.last_payment_error,
            "latest_charge": latest,
            "livemode": False,
            "metadata": self.metadata,
            "next_action": self.next_action,
            "payment_method": method,
            "payment_method_types": types,
            "processing": None,
            "setup_future_usage": self.future_usage,
            "status": self.status,
        }

    def method_body(self) -> dict[str, Any] | None:
        """The API's object of the PaymentMethod; None without one."""
        if self.saved is not None:
            return self.saved.body()
        if self.instrument is None or self.payment_method is None:
            return None
        return PaymentMethod(self.payment_method, self.instrument, created=self.created).body()

    def body_when_created(self, future_usage: str | None = None) -> dict[str, Any]:
        """The object before anything was done with it; ``future_usage`` may have been added since."""
        return self.body() | {
            "amount_capturable": 0,
            "amount_received": 0,
            "canceled_at": None,
            "cancellation_reason": None,
            "last_payment_error": None,
            "latest_charge": None,
            "next_action": None,
            "payment_method": None,
            "payment_method_types": self.types or DEFAULT_TYPES,
            "setup_future_usage": future_usage,
            "status": "requires_payment_method",
        }

    def body_when_authorized(self, charge: Charge) -> dict[str, Any]:
        """The object after a manual authorization, before its capture or cancellation."""
        return self.body() | {
            "amount_capturable": self.amount,
            "amount_received": 0,
            "canceled_at": None,
            "cancellation_reason": None,
            "latest_charge": charge.id,
            "status": "requires_capture",
        }
