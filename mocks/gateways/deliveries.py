"""Where and how a gateway delivers its events, as its plan says it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from journal.tether import Message
from mocks.webhooks import Outbox


def deliver(outbox: Outbox, webhooks: Message) -> None:
    """Deliver events from here on as a plan's ``webhooks`` say: ``urls`` on loopback, and as they are wanted
    ``jitter_s`` and ``doubled`` (see ``Outbox.deliver_to``) and ``events``: only those of these kinds; one
    that ends in ``*`` stands for all that begin so.

    Raises:
        ValueError: A URL is not on loopback.
    """
    outbox.deliver_to(
        webhooks["urls"],
        jitter_s=float(webhooks.get("jitter_s", 0.0)),
        doubled=float(webhooks.get("doubled", 0.0)),
        wants=_among(webhooks["events"]) if "events" in webhooks else None,
    )


def _among(kinds: Sequence[str]) -> Callable[[str], bool]:
    exact = frozenset(kind for kind in kinds if not kind.endswith("*"))
    begins = tuple(kind[:-1] for kind in kinds if kind.endswith("*"))
    # There are some dozens of kinds, and several events a payment.
    return functools.cache(lambda kind: kind in exact or kind.startswith(begins))
