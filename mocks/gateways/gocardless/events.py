"""The events: one for every change of state, to poll and to be delivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from mocks.draws import UPPER_ALPHANUMERIC, Draws
from mocks.gateways.gocardless.collection import Collection, Query, stamp, timestamp
from mocks.gateways.gocardless.webhooks import batches
from mocks.webhooks import Event as Delivered
from mocks.webhooks import Outbox

FILTERS = ("action", "resource_type", "mandate", "payment", "payout", "refund", "parent_event")

SAYS = {
    "mandate_created": "The mandate was created through the API.",
    "mandate_submitted": "The mandate was sent to the banks.",
    "mandate_activated": "The banks have set the mandate up.",
    "mandate_cancelled": "The mandate was cancelled.",
    "mandate_reinstated": "The mandate was sent to the banks again.",
    "bank_account_disabled": "The customer's bank account was disabled.",
    "bank_account_transferred": "The customer has moved to another bank account.",
    "resubmission_requested": "The mandate has to be set up again at the new bank.",
    "mandate_expired": "The mandate was not used for so long that it expired.",
    "invalid_bank_details": "The bank knows no such account.",
    "payment_created": "The payment was created through the API.",
    "payment_submitted": "The payment was sent to the banks.",
    "payment_confirmed": "The time in which the banks could return an error is over.",
    "payment_paid_out": "The payment is part of a payout.",
    "payment_cancelled": "The payment was cancelled through the API.",
    "payment_retried": "Another attempt at this payment was asked for.",
    "late_failure_settled": "The late failure was deducted from a payout.",
    "chargeback_settled": "The chargeback was deducted from a payout.",
    "chargeback_cancelled": "The customer's bank has given the money back.",
    "test_failure": "The mock was told that this payment fails.",
    "refer_to_payer": "The bank could not pay, most likely for want of funds.",
    "insufficient_funds": "The account held too little.",
    "authorisation_disputed": "The customer disputes having authorised this.",
    "refund_requested": "The customer asked the bank for the money back.",
    "payment_refunded": "The refund was created and waits to be sent.",
    "refund_paid": "The refund has reached the customer.",
    "refund_failed": "The refund did not reach the customer; its money comes back.",
    "refund_settled": "The refund was deducted from a payout.",
    "refund_funds_returned": "The money of the refund has come back.",
    "payout_paid": "The payout was sent to the creditor's bank account.",
}
"""Cause -> a description in the mock's own words: GoCardless does not promise the wording of its own."""


class Detail(NamedTuple):
    """Who started it and why. ``origin`` is ``api``, ``gocardless``, ``bank`` or ``customer``; scheme and
    reason code are those of a bank's report, else empty."""

    origin: str
    cause: str
    scheme: str = ""
    reason_code: str = ""


@dataclass(slots=True)
class Event:
    """``links`` name the resources it is about, by their kind."""

    id: str
    created: float
    resource_type: str
    action: str
    detail: Detail
    links: dict[str, str]
    resource_metadata: dict[str, str]


class Events:
    """All events of one gateway.

    Args:
        outbox: Delivers them.
        ids: Of the seed; ``event_id`` says how an event's identifier comes from its number.
    """

    def __init__(self, outbox: Outbox, ids: Draws) -> None:
        self.all = Collection[Event]("events", body)
        self._outbox = outbox
        self._event_id = event_id(ids)

    def add(
        self,
        resource_type: str,
        action: str,
        detail: Detail,
        links: dict[str, str],
        metadata: dict[str, str],
        parent: Event | None = None,
    ) -> Event:
        """Something changed: keep the event, and deliver it. What is given is kept as it is: whoever changes
        a resource's metadata replaces them."""
        if parent is not None:
            links = {**links, "parent_event": parent.id}
        row = Event(
            self._event_id(len(self.all)),
            stamp(self._outbox.clock),
            resource_type,
            action,
            detail,
            links,
            metadata,
        )
        self.all.add(row)
        self._outbox.add(f"{resource_type}.{action}", _webhook, row)
        return row

    def page(self, asked: Query) -> dict[str, Any]:
        wanted = asked.filters

        def fits(event: Event) -> bool:
            for name, value in wanted.items():
                own = getattr(event, name) if name in ("action", "resource_type") else event.links.get(name)
                if own != value:
                    return False
            return True

        return self.all.page(asked, fits)


def event_id(ids: Draws) -> Callable[[int], str]:
    """Number of an event -> its identifier."""
    return lambda number: "EV" + ids.text(number, 13, UPPER_ALPHANUMERIC)


def _webhook(delivered: Delivered, event: Event) -> bytes:
    return next(batches([body(event)], "WB" + event.id[2:]))


def body(event: Event) -> dict[str, Any]:
    """The API's object."""
    detail = event.detail
    details = {
        "origin": detail.origin,
        "cause": detail.cause,
        "description": SAYS[detail.cause],
    }
    if detail.origin == "bank":
        details |= {"scheme": detail.scheme, "reason_code": detail.reason_code}
    return {
        "id": event.id,
        "created_at": timestamp(event.created),
        "resource_type": event.resource_type,
        "action": event.action,
        "details": details,
        "links": event.links,
        "metadata": {},
        "resource_metadata": event.resource_metadata,
        "customer_notifications": [],
        "source": {"name": "API", "type": "app"},
    }
