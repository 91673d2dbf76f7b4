"""What the platform's ledger holds besides payments and their refunds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EntryKind = Literal["dispute", "fee", "payout"]


@dataclass(frozen=True, slots=True)
class Entry:
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


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was acted on; it is remembered so that it is acted on once."""

    gateway: str
    id: str
