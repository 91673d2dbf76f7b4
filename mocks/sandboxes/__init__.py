"""The sandboxes that can stand in for a mock gateway, one file each: their hosts, keys, limits, records."""

from __future__ import annotations

from mocks.sandboxes.adyen import Adyen
from mocks.sandboxes.gocardless import GoCardless
from mocks.sandboxes.paypal import PayPal
from mocks.sandboxes.sandbox import Sandbox
from mocks.sandboxes.stripe import Stripe

SANDBOXES: dict[str, Sandbox] = {
    sandbox.name: sandbox for sandbox in (Stripe(), PayPal(), Adyen(), GoCardless())
}
"""Name of a gateway -> its sandbox."""

__all__ = ["SANDBOXES", "Adyen", "GoCardless", "PayPal", "Sandbox", "Stripe"]
