"""Stripe: payments by card, wallet and SEPA debit, customers, refunds, disputes, the balance and events, as
of the API version that ``headers`` names."""

from __future__ import annotations

from mocks.gateways.kind import GatewayType
from mocks.gateways.stripe.errors import server_error
from mocks.gateways.stripe.routes import ENDPOINTS
from mocks.gateways.stripe.traits import PAYMENT_ENDPOINTS, traits_of

STRIPE = GatewayType(
    name="stripe",
    endpoints=(*ENDPOINTS, "health"),
    methods=("card", "apple_pay", "google_pay"),
    default_port=12111,
    payment_endpoints=PAYMENT_ENDPOINTS,
    traits_of=traits_of,
    error_body=lambda status: server_error(status).body,
    application="mocks.gateways.stripe.application:Stripe",
)
