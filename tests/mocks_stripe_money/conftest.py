from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from tests.mocks.running import Running


@pytest.fixture
def running() -> Iterator[Running]:
    with Running("stripe") as running:
        yield running


@pytest.fixture
def client(running: Running) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_1", base_addresses={"api": running.url}, max_network_retries=0)
