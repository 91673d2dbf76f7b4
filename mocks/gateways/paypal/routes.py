"""PayPal's endpoints that are mocked: their paths."""

from __future__ import annotations

import re

_ORDERS = "/v2/checkout/orders"
_PAYMENTS = "/v2/payments"
_DISPUTES = "/v1/customer/disputes"
_WEBHOOKS = "/v1/notifications/webhooks"
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
        ("GET", _DISPUTES, "disputes.list"),
        ("GET", _DISPUTES + _ID, "disputes.retrieve"),
        ("POST", _DISPUTES + _ID + "/provide-evidence", "disputes.provide_evidence"),
        ("POST", _DISPUTES + _ID + "/accept-claim", "disputes.accept_claim"),
        ("POST", _DISPUTES + _ID + "/adjudicate", "disputes.adjudicate"),
        ("POST", _DISPUTES + _ID + "/require-evidence", "disputes.require_evidence"),
        ("GET", "/v1/reporting/transactions", "reporting.transactions"),
        ("GET", "/v1/reporting/balances", "reporting.balances"),
        ("POST", _WEBHOOKS, "webhooks.create"),
        ("GET", _WEBHOOKS, "webhooks.list"),
        ("GET", _WEBHOOKS + _ID, "webhooks.retrieve"),
        ("PATCH", _WEBHOOKS + _ID, "webhooks.update"),
        ("DELETE", _WEBHOOKS + _ID, "webhooks.delete"),
        ("GET", _WEBHOOKS + "-event-types", "webhooks.event_types"),
        ("POST", "/v1/notifications/verify-webhook-signature", "webhooks.verify"),
        ("GET", "/v1/notifications/certs" + _ID, "webhooks.certificate"),
        ("GET", _WEBHOOKS + "-events", "webhook_events.list"),
        ("GET", _WEBHOOKS + "-events" + _ID, "webhook_events.retrieve"),
        ("POST", _WEBHOOKS + "-events" + _ID + "/resend", "webhook_events.resend"),
    )
)
"""Method, path and endpoint; the group ``id`` is the object that the path names. ``orders.approve`` is the
page that a payer is sent to; the real one lives on another host. ``webhooks.certificate`` is where a
webhook's ``PAYPAL-CERT-URL`` leads."""

ENDPOINTS = tuple(endpoint for _, _, endpoint in ROUTES)
