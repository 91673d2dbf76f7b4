"""Webhooks that come in: how each gateway signs them and what they mean here, one file per gateway."""

from mocks.platform.webhooks import adyen, gocardless, stripe
from mocks.platform.webhooks.notice import ForgedError, Notice, Reader

READERS: dict[str, Reader] = {"stripe": stripe.read, "adyen": adyen.read, "gocardless": gocardless.read}
"""Name of a gateway -> what reads its webhooks."""

EVENTS: dict[str, tuple[str, ...]] = {
    "stripe": stripe.EVENTS,
    "adyen": adyen.EVENTS,
    "gocardless": gocardless.EVENTS,
}
"""Name of a gateway -> the kinds of events to subscribe to; one that ends in ``*`` stands for all that begin
so."""

__all__ = ["EVENTS", "READERS", "ForgedError", "Notice", "Reader"]
