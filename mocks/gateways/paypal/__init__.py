"""PayPal: Orders v2, Payments v2, Disputes v1, Webhooks Management v1 and Transaction Search v1."""

from __future__ import annotations

from mocks.gateways.kind import GatewayType
from mocks.gateways.paypal.errors import server_error
from mocks.gateways.paypal.routes import ENDPOINTS
from mocks.gateways.paypal.traits import PAYMENT_ENDPOINTS, traits_of

PAYPAL = GatewayType(
    name="paypal",
    endpoints=(*ENDPOINTS, "health"),
    methods=("paypal",),
    default_port=12112,
    payment_endpoints=PAYMENT_ENDPOINTS,
    traits_of=traits_of,
    error_body=lambda status: server_error(status, "0" * 13).body,
    application="mocks.gateways.paypal.application:PayPal",
)
