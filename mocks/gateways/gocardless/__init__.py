"""GoCardless: bank debits, as of API version 2015-07-06."""

from __future__ import annotations

from mocks.gateways.gocardless.errors import server_error
from mocks.gateways.gocardless.routes import ENDPOINTS
from mocks.gateways.gocardless.traits import PAYMENT_ENDPOINTS, traits_of
from mocks.gateways.kind import GatewayType

GOCARDLESS = GatewayType(
    name="gocardless",
    endpoints=(*ENDPOINTS, "health"),
    methods=("bank",),
    default_port=12114,
    payment_endpoints=PAYMENT_ENDPOINTS,
    traits_of=traits_of,
    error_body=lambda status: server_error(status).body,
    application="mocks.gateways.gocardless.application:GoCardless",
)
