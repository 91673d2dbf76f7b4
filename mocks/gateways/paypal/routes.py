"""PayPal's endpoints that are mocked: their paths."""

from __future__ import annotations

import re

_ORDERS = "/v2/checkout/orders"
_PAYMENTS = "/v2/payments"
_ID = "/(?P<id>[^/]+)"

ROUTES = tuple(
    (method, re.compile(path + r"\Z"), endpoint)
    for method, path, endpoint in (
        ("POST", "/v1/oauth2/token", "oauth2.token"),
        ("POST", _ORDERS, "orders.create"),
        ("GET", _ORDERS + _ID, "orders.retrieve"),
        ("PATCH", _ORDERS + _ID, "orders.patch"),
        ("POST", _ORDERS + _ID + "/capture", "orders.capture"),
        ("POST", _ORDERS + _ID + "/authorize", "orders.authorize"),
        ("POST", _ORDERS + _ID + "/confirm-payment-source", "orders.confirm"),
        ("GET", "/checkoutnow", "orders.approve"),
        ("GET", _PAYMENTS + "/authorizations" + _ID, "authorizations.retrieve"),
        ("POST", _PAYMENTS + "/authorizations" + _ID + "/capture", "authorizations.capture"),
        ("POST", _PAYMENTS + "/authorizations" + _ID + "/void", "authorizations.void"),
        ("GET", _PAYMENTS + "/captures" + _ID, "captures.retrieve"),
        ("POST", _PAYMENTS + "/captures" + _ID + "/refund", "captures.refund"),
        ("GET", _PAYMENTS + "/refunds" + _ID, "refunds.retrieve"),
    )
)
"""Method, path and endpoint; the group ``id`` is the object that the path names. ``orders.approve`` is the
page that a payer is sent to; the real one lives on another host."""

ENDPOINTS = tuple(endpoint for _, _, endpoint in ROUTES)
