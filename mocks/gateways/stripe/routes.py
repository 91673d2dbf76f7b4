"""Stripe's endpoints that are mocked: their paths and their parameters."""

from __future__ import annotations

import re

ROUTES = (
    ("POST", re.compile(r"/v1/payment_intents\Z"), "payment_intents.create"),
    ("POST", re.compile(r"/v1/payment_intents/(?P<id>[^/]+)/confirm\Z"), "payment_intents.confirm"),
    ("POST", re.compile(r"/v1/payment_intents/(?P<id>[^/]+)/cancel\Z"), "payment_intents.cancel"),
    ("GET", re.compile(r"/v1/payment_intents\Z"), "payment_intents.list"),
    ("GET", re.compile(r"/v1/payment_intents/search\Z"), "payment_intents.search"),
    ("GET", re.compile(r"/v1/payment_intents/(?P<id>[^/]+)\Z"), "payment_intents.retrieve"),
    ("POST", re.compile(r"/v1/refunds\Z"), "refunds.create"),
    ("GET", re.compile(r"/v1/refunds\Z"), "refunds.list"),
    ("GET", re.compile(r"/v1/refunds/(?P<id>[^/]+)\Z"), "refunds.retrieve"),
)
"""Method, path and endpoint; the group ``id`` is the object that the path names."""

_PAGING = {"limit", "starting_after", "ending_before", "created", "expand"}
_METHOD = {"payment_method", "payment_method_data", "return_url", "off_session", "receipt_email", "expand"}
KNOWN = {
    "payment_intents.create": frozenset(
        _METHOD
        | {"amount", "currency", "confirm", "metadata", "customer", "description", "capture_method"}
        | {"automatic_payment_methods", "payment_method_types", "confirmation_method", "shipping"}
        | {
            "statement_descriptor",
            "statement_descriptor_suffix",
            "setup_future_usage",
            "error_on_requires_action",
        }
    ),
    "payment_intents.confirm": frozenset(_METHOD | {"shipping", "error_on_requires_action"}),
    "payment_intents.cancel": frozenset({"cancellation_reason", "expand"}),
    "payment_intents.retrieve": frozenset({"client_secret", "expand"}),
    "payment_intents.list": frozenset(_PAGING | {"customer"}),
    "payment_intents.search": frozenset({"query", "limit", "page", "expand"}),
    "refunds.create": frozenset({"payment_intent", "charge", "amount", "reason", "metadata", "expand"}),
    "refunds.retrieve": frozenset({"expand"}),
    "refunds.list": frozenset(_PAGING | {"payment_intent", "charge"}),
}
"""Endpoint -> the parameters that it knows."""

_INTENT = frozenset({"latest_charge"})
_INTENTS = frozenset({"data.latest_charge"})
_REFUND = frozenset({"payment_intent", "charge"})
_REFUNDS = frozenset({"data.payment_intent", "data.charge"})
EXPAND = {
    "payment_intents.create": _INTENT,
    "payment_intents.confirm": _INTENT,
    "payment_intents.cancel": _INTENT,
    "payment_intents.retrieve": _INTENT,
    "payment_intents.list": _INTENTS,
    "payment_intents.search": _INTENTS,
    "refunds.create": _REFUND,
    "refunds.retrieve": _REFUND,
    "refunds.list": _REFUNDS,
}
"""Endpoint -> what ``expand`` may name."""
