"""Stripe's endpoints that are mocked: their paths, their parameters, and what can be expanded."""

from __future__ import annotations

_PATHS = {
    "payment_intents.create": "POST /v1/payment_intents",
    "payment_intents.confirm": "POST /v1/payment_intents/*/confirm",
    "payment_intents.capture": "POST /v1/payment_intents/*/capture",
    "payment_intents.cancel": "POST /v1/payment_intents/*/cancel",
    "payment_intents.list": "GET /v1/payment_intents",
    "payment_intents.search": "GET /v1/payment_intents/search",
    "payment_intents.retrieve": "GET /v1/payment_intents/*",
    "three_d_secure.visit": "GET /3d_secure/authenticate/*",
    "three_d_secure.submit": "POST /3d_secure/authenticate/*",
    "customers.create": "POST /v1/customers",
    "customers.list": "GET /v1/customers",
    "customers.retrieve": "GET /v1/customers/*",
    "customers.update": "POST /v1/customers/*",
    "customers.delete": "DELETE /v1/customers/*",
    "customers.payment_methods": "GET /v1/customers/*/payment_methods",
    "payment_methods.create": "POST /v1/payment_methods",
    "payment_methods.list": "GET /v1/payment_methods",
    "payment_methods.retrieve": "GET /v1/payment_methods/*",
    "payment_methods.update": "POST /v1/payment_methods/*",
    "payment_methods.attach": "POST /v1/payment_methods/*/attach",
    "payment_methods.detach": "POST /v1/payment_methods/*/detach",
    "charges.list": "GET /v1/charges",
    "charges.retrieve": "GET /v1/charges/*",
    "refunds.create": "POST /v1/refunds",
    "refunds.list": "GET /v1/refunds",
    "refunds.update": "POST /v1/refunds/*",
    "refunds.cancel": "POST /v1/refunds/*/cancel",
    "refunds.retrieve": "GET /v1/refunds/*",
    "balance.retrieve": "GET /v1/balance",
    "balance_transactions.list": "GET /v1/balance_transactions",
    "balance_transactions.retrieve": "GET /v1/balance_transactions/*",
    "early_fraud_warnings.list": "GET /v1/radar/early_fraud_warnings",
    "early_fraud_warnings.retrieve": "GET /v1/radar/early_fraud_warnings/*",
    "disputes.list": "GET /v1/disputes",
    "disputes.retrieve": "GET /v1/disputes/*",
    "disputes.update": "POST /v1/disputes/*",
    "disputes.close": "POST /v1/disputes/*/close",
    "payouts.create": "POST /v1/payouts",
    "payouts.update": "POST /v1/payouts/*",
    "payouts.cancel": "POST /v1/payouts/*/cancel",
    "payouts.list": "GET /v1/payouts",
    "payouts.retrieve": "GET /v1/payouts/*",
    "webhook_endpoints.create": "POST /v1/webhook_endpoints",
    "webhook_endpoints.list": "GET /v1/webhook_endpoints",
    "webhook_endpoints.retrieve": "GET /v1/webhook_endpoints/*",
    "webhook_endpoints.update": "POST /v1/webhook_endpoints/*",
    "webhook_endpoints.delete": "DELETE /v1/webhook_endpoints/*",
    "events.list": "GET /v1/events",
    "events.retrieve": "GET /v1/events/*",
}
"""Endpoint -> method and path; ``*`` is the object that the path names."""

ENDPOINTS = tuple(_PATHS)
"""The names of the endpoints."""

_ENDPOINTS = {path: endpoint for endpoint, path in _PATHS.items()}

_PAGING = {"limit", "starting_after", "ending_before", "created", "expand"}
_METHOD = {
    *("payment_method", "payment_method_data", "mandate_data", "setup_future_usage", "off_session"),
    *("error_on_requires_action", "return_url", "receipt_email", "expand"),
}
_CUSTOMER = {"email", "name", "phone", "description", "metadata", "address", "shipping", "invoice_settings"}
_DETAILS = {"billing_details", "metadata", "card", "allow_redisplay", "expand"}
_ENDPOINT = {"url", "enabled_events", "description", "metadata", "expand"}
KNOWN = {
    "payment_intents.create": frozenset(
        _METHOD
        | {"amount", "currency", "confirm", "metadata", "customer", "description", "capture_method"}
        | {"automatic_payment_methods", "payment_method_types", "confirmation_method", "shipping"}
        | {"statement_descriptor", "statement_descriptor_suffix"}
    ),
    "payment_intents.confirm": frozenset(_METHOD | {"shipping"}),
    "payment_intents.capture": frozenset(
        {
            "amount_to_capture",
            "final_capture",
            "statement_descriptor",
            "statement_descriptor_suffix",
            "expand",
        }
    ),
    "payment_intents.cancel": frozenset({"cancellation_reason", "expand"}),
    "payment_intents.retrieve": frozenset({"client_secret", "expand"}),
    "payment_intents.list": frozenset(_PAGING | {"customer"}),
    "payment_intents.search": frozenset({"query", "limit", "page", "expand"}),
    "three_d_secure.visit": frozenset({"outcome"}),
    "three_d_secure.submit": frozenset({"outcome"}),
    "customers.create": frozenset(_CUSTOMER | {"payment_method", "expand"}),
    "customers.list": frozenset(_PAGING | {"email"}),
    "customers.retrieve": frozenset({"expand"}),
    "customers.update": frozenset(_CUSTOMER | {"expand"}),
    "customers.delete": frozenset(),
    "customers.payment_methods": frozenset(_PAGING | {"type"}),
    "payment_methods.create": frozenset(_DETAILS | {"type", "sepa_debit"}),
    "payment_methods.list": frozenset(_PAGING | {"customer", "type"}),
    "payment_methods.retrieve": frozenset({"expand"}),
    "payment_methods.update": frozenset(_DETAILS),
    "payment_methods.attach": frozenset({"customer", "expand"}),
    "payment_methods.detach": frozenset({"expand"}),
    "charges.retrieve": frozenset({"expand"}),
    "charges.list": frozenset(_PAGING | {"customer", "payment_intent"}),
    "refunds.create": frozenset({"payment_intent", "charge", "amount", "reason", "metadata", "expand"}),
    "refunds.retrieve": frozenset({"expand"}),
    "refunds.list": frozenset(_PAGING | {"payment_intent", "charge"}),
    "refunds.update": frozenset({"metadata", "expand"}),
    "refunds.cancel": frozenset({"expand"}),
    "early_fraud_warnings.retrieve": frozenset({"expand"}),
    "early_fraud_warnings.list": frozenset(_PAGING | {"charge", "payment_intent"}),
    "disputes.retrieve": frozenset({"expand"}),
    "disputes.list": frozenset(_PAGING | {"charge", "payment_intent"}),
    "disputes.update": frozenset({"evidence", "metadata", "submit", "expand"}),
    "disputes.close": frozenset({"expand"}),
    "balance.retrieve": frozenset({"expand"}),
    "balance_transactions.retrieve": frozenset({"expand"}),
    "balance_transactions.list": frozenset(_PAGING | {"currency", "payout", "source", "type"}),
    "payouts.create": frozenset(
        {"amount", "currency", "description", "destination", "expand", "metadata", "method"}
        | {"source_type", "statement_descriptor"}
    ),
    "payouts.update": frozenset({"metadata", "expand"}),
    "payouts.cancel": frozenset({"expand"}),
    "payouts.retrieve": frozenset({"expand"}),
    "payouts.list": frozenset(_PAGING | {"status"}),
    "events.retrieve": frozenset({"expand"}),
    "events.list": frozenset(_PAGING | {"type", "types", "delivery_success"}),
    "webhook_endpoints.create": frozenset(_ENDPOINT | {"api_version", "connect"}),
    "webhook_endpoints.list": frozenset(_PAGING),
    "webhook_endpoints.retrieve": frozenset({"expand"}),
    "webhook_endpoints.update": frozenset(_ENDPOINT | {"disabled"}),
    "webhook_endpoints.delete": frozenset({"expand"}),
}
"""Endpoint -> the parameters that it knows."""

_INTENT = ("latest_charge", "latest_charge.balance_transaction", "payment_method")
_CHARGE = ("balance_transaction", "payment_intent")
_REFUND = (
    *("balance_transaction", "charge", "charge.balance_transaction", "failure_balance_transaction"),
    "payment_intent",
)
_ONE = {
    "payment_intents": _INTENT,
    "charges": _CHARGE,
    "refunds": _REFUND,
    "early_fraud_warnings": ("charge", "payment_intent"),
    "disputes": ("charge", "payment_intent"),
    "balance_transactions": ("source",),
}


def _expandable(endpoint: str) -> frozenset[str]:
    resource, _, verb = endpoint.partition(".")
    names = _ONE.get(resource, ())
    return frozenset(f"data.{name}" for name in names) if verb in ("list", "search") else frozenset(names)


EXPAND = {endpoint: _expandable(endpoint) for endpoint in _PATHS}
"""Endpoint -> what ``expand`` may name."""


def route(method: str, path: str) -> tuple[str, str]:
    """The endpoint of a request, and the object that its path names; both empty where there is none."""
    endpoint = _ENDPOINTS.get(f"{method} {path}")
    if endpoint is not None:
        return endpoint, ""
    parts = path.split("/")
    if not 4 <= len(parts) <= 5 or not parts[3]:
        return "", ""
    place = _place(path)
    if place >= len(parts):
        return "", ""
    name = parts[place]
    parts[place] = "*"
    endpoint = _ENDPOINTS.get(f"{method} {'/'.join(parts)}", "")
    return (endpoint, name) if endpoint else ("", "")


def named(path: str) -> str:
    """The object that the path of an endpoint names; of no meaning where the endpoint has none."""
    place = _place(path)
    parts = path.split("/", place + 1)
    return parts[place] if len(parts) > place else ""


def _place(path: str) -> int:
    """Which part of a path names the object: that after the collection, which Radar has one part later."""
    return 4 if path.startswith("/v1/radar/") else 3
