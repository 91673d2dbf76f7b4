"""Stripe: PaymentIntents and refunds, as of the API version that ``headers`` names."""

from __future__ import annotations

from mocks.gateways.kind import GatewayType
from mocks.gateways.stripe.errors import server_error

STRIPE = GatewayType(
    name="stripe",
    endpoints=(
        "payment_intents.create",
        "payment_intents.confirm",
        "payment_intents.cancel",
        "payment_intents.retrieve",
        "payment_intents.list",
        "payment_intents.search",
        "refunds.create",
        "refunds.retrieve",
        "refunds.list",
        "health",
    ),
    methods=("card",),
    default_port=12111,
    error_body=lambda status: server_error(status).body,
    application="mocks.gateways.stripe.application:Stripe",
)
