"""PayPal's events: what they look like, and how they are listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from mocks.draws import UPPER_ALPHANUMERIC, Draws
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.payment import rfc3339
from mocks.webhooks import Event, Outbox


class Type(NamedTuple):
    """What all events of a type have in common. ``summary`` may hold ``{amount}``."""

    resource_type: str
    summary: str
    resource_version: str = "2.0"


TYPES = {
    "CHECKOUT.ORDER.APPROVED": Type("checkout-order", "The payer approved an order"),
    "CHECKOUT.ORDER.COMPLETED": Type("checkout-order", "An order was completed"),
    "PAYMENT.AUTHORIZATION.CREATED": Type("authorization", "{amount} was authorized"),
    "PAYMENT.AUTHORIZATION.VOIDED": Type("authorization", "The authorization of {amount} was voided"),
    "PAYMENT.CAPTURE.COMPLETED": Type("capture", "{amount} was captured"),
    "PAYMENT.CAPTURE.DECLINED": Type("capture", "The capture of {amount} was declined"),
    "PAYMENT.CAPTURE.DENIED": Type("capture", "The capture of {amount} was denied"),
    "PAYMENT.CAPTURE.PENDING": Type("capture", "The capture of {amount} is pending"),
    "PAYMENT.CAPTURE.REFUNDED": Type("refund", "{amount} was refunded"),
    "PAYMENT.CAPTURE.REVERSED": Type("refund", "{amount} was reversed"),
    "CUSTOMER.DISPUTE.CREATED": Type("dispute", "A payer opened a dispute", "1.0"),
    "CUSTOMER.DISPUTE.UPDATED": Type("dispute", "A dispute was updated", "1.0"),
    "CUSTOMER.DISPUTE.RESOLVED": Type("dispute", "A dispute was resolved", "1.0"),
}
"""``event_type`` -> what goes with it. The resource of REFUNDED and REVERSED is the refund; its link ``up``
names the capture. PayPal lists both DECLINED and DENIED; that the former is told of a processor's no and the
latter of a pending capture that does not pass is assumed. The summaries are the mock's own words."""

LARGEST_PAGE = 300


def event_id(draws: Draws) -> Callable[[int], str]:
    """Number of an event -> its identifier, ``WH-`` and twice 17 letters or digits."""

    def name(number: int) -> str:
        letters = draws.text(number, 34, UPPER_ALPHANUMERIC)
        return f"WH-{letters[:17]}-{letters[17:]}"

    return name


class Events:
    """The events of one gateway, put into its outbox and listed from there.

    Args:
        outbox: Keeps and delivers them.
        base: The URL of the mock, for links.
    """

    def __init__(self, outbox: Outbox, base: Callable[[], str]) -> None:
        self._outbox = outbox
        self._base = base
        self._render = self._payload

    def happened(self, kind: str, body: Callable[..., Body], *arguments: Any) -> None:
        """Something happened.

        Args:
            kind: The event's type, a key of ``TYPES``.
            body: Makes the resource as it was at this moment, however late it is called, of the mock's URL
                and ``arguments``.
            arguments: What ``body`` is called with besides.
        """
        self._outbox.add(kind, self._render, body, *arguments)

    def find(self, name: str) -> Event:
        """Raises PayPalError (404) when there is none."""
        event = self._outbox.find(name)
        if event is None:
            raise PayPalError("INVALID_RESOURCE_ID")
        return event

    def page(self, size: int, chosen: Callable[[Event], bool], after: str = "") -> tuple[list[Event], bool]:
        """The newest events that are chosen, or those older than the event ``after``, and whether there are
        more. Raises PayPalError (404) when there is no such event."""
        before = self.find(after).number if after else None
        found: list[Event] = []
        for place in range(len(self._outbox) - 1, -1, -1):
            event = self._outbox[place]
            if (before is None or event.number < before) and chosen(event):
                if len(found) == size:
                    return found, True
                found.append(event)
        return found, False

    def _payload(self, event: Event, body: Callable[..., Body], *arguments: Any) -> bytes:
        base, kind = self._base(), TYPES[event.kind]
        resource = body(base, *arguments)
        amount = resource.get("amount") or {}
        written = f"{amount.get('value')} {amount.get('currency_code')}"
        href = f"{base}/v1/notifications/webhooks-events/{event.id}"
        return orjson.dumps(
            {
                "id": event.id,
                "event_version": "1.0",
                "create_time": rfc3339(event.created),
                "resource_type": kind.resource_type,
                "resource_version": kind.resource_version,
                "event_type": event.kind,
                "summary": kind.summary.format(amount=written),
                "resource": resource,
                "links": [
                    {"href": href, "rel": "self", "method": "GET"},
                    {"href": f"{href}/resend", "rel": "resend", "method": "POST"},
                ],
            }
        )
