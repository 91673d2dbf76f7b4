from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from tests.mocks.running import Running
from tests.mocks_stripe_methods.sdk import sdk


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running("stripe") as running:
        yield running


@pytest.fixture
def client(running: Running) -> stripe.StripeClient:
    return sdk(running)
