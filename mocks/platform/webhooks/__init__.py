"""Webhooks that come in: how each gateway signs them and what they mean here, one file per gateway."""

from collections.abc import Callable, Mapping

from mocks.platform.webhooks import adyen, gocardless, paypal, stripe
from mocks.platform.webhooks.notice import ForgedError, Notice, Reader

READERS: dict[str, Reader] = {
    "stripe": stripe.read,
    "adyen": adyen.read,
    "paypal": paypal.read,
    "gocardless": gocardless.read,
}
"""Name of a gateway -> what reads its webhooks."""

EVENTS: dict[str, tuple[str, ...]] = {
    "stripe": stripe.EVENTS,
    "adyen": adyen.EVENTS,
    "paypal": paypal.EVENTS,
    "gocardless": gocardless.EVENTS,
}
"""Name of a gateway -> the kinds of events to subscribe to; one that ends in ``*`` stands for all that begin
so."""

CERTIFICATE_URLS: dict[str, Callable[[Mapping[str, str]], str]] = {"paypal": paypal.certificate_url}
"""Name of a gateway that signs with a key of its own -> where a webhook says that its certificate is."""

__all__ = ["CERTIFICATE_URLS", "EVENTS", "READERS", "ForgedError", "Notice", "Reader"]
