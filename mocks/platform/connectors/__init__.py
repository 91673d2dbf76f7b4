"""Connectors: how the platform speaks to each gateway, one file per gateway."""

from mocks.platform.connectors.adyen import Adyen
from mocks.platform.connectors.connector import Ask, Connector
from mocks.platform.connectors.gocardless import GoCardless
from mocks.platform.connectors.paypal import PayPal
from mocks.platform.connectors.stripe import Stripe

CONNECTORS: dict[str, type[Connector]] = {
    "stripe": Stripe,
    "adyen": Adyen,
    "paypal": PayPal,
    "gocardless": GoCardless,
}
"""Name of a gateway -> its connector."""

__all__ = ["CONNECTORS", "Adyen", "Ask", "Connector", "GoCardless", "PayPal", "Stripe"]
