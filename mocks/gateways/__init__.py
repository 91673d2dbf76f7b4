"""The gateways that can be mocked, by name; one folder each."""

from __future__ import annotations

from mocks.gateways.adyen import ADYEN
from mocks.gateways.gocardless import GOCARDLESS
from mocks.gateways.kind import GatewayType
from mocks.gateways.paypal import PAYPAL
from mocks.gateways.stripe import STRIPE

GATEWAYS: dict[str, GatewayType] = {kind.name: kind for kind in (STRIPE, PAYPAL, ADYEN, GOCARDLESS)}
"""Name -> kind. Importing this needs neither a server nor the journal."""

__all__ = ["GATEWAYS", "GatewayType"]
