"""Adyen Checkout v72: card and wallet payments, 3-D Secure, captures, cancellations, refunds, webhooks."""

from __future__ import annotations

from mocks.gateways.adyen.errors import server_error
from mocks.gateways.kind import GatewayType

ADYEN = GatewayType(
    name="adyen",
    endpoints=(
        "payments",
        "payments.details",
        "redirect",
        "captures.create",
        "cancels.create",
        "reversals.create",
        "refunds.create",
        "health",
    ),
    methods=("card",),
    default_port=12113,
    error_body=lambda status: server_error(status).body,
    application="mocks.gateways.adyen.application:Adyen",
)
