"""Adyen: Checkout v72 (cards, wallets, SEPA direct debits, 3-D Secure, captures, cancellations, refunds), the
Disputes API v30, webhooks, and the settlement details reports of its payouts."""

from __future__ import annotations

from mocks.gateways.adyen.errors import server_error
from mocks.gateways.adyen.traits import PAYMENT_ENDPOINTS, traits_of
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
        "amount_updates.create",
        "disputes.reasons",
        "disputes.supply",
        "disputes.delete",
        "disputes.defend",
        "disputes.accept",
        "reports",
        "health",
    ),
    methods=("card", "apple_pay", "google_pay"),
    default_port=12113,
    payment_endpoints=PAYMENT_ENDPOINTS,
    traits_of=traits_of,
    error_body=lambda status: server_error(status).body,
    application="mocks.gateways.adyen.application:Adyen",
)
