"""What the platform's ledger holds besides payments and their refunds."""

from __future__ import annotations

from typing import Literal, NamedTuple

EntryKind = Literal["dispute", "fee", "payout"]


class Entry(NamedTuple):
    """A fact that a gateway told of: it is written once, and never changes.

    Attributes:
        kind: ``dispute``: money that a payer fetched back (negative: that came back again); ``fee``: what a
            gateway withheld from a payout; ``payout``: what it paid to the merchant.
        gateway: Who told it.
        reference: The gateway's own id of it. Kind, gateway and reference are its key.
        order_id: Of a dispute; else empty.
    """

    kind: EntryKind
    gateway: str
    reference: str
    order_id: str
    amount_minor: int
    currency: str


class Event(NamedTuple):
    """An event that was acted on; it is remembered so that it is acted on once."""

    gateway: str
    id: str
