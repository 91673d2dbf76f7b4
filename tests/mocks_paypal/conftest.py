"""One mock and one client of it for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mocks.running import Running
from tests.mocks_paypal.client import Client


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running("paypal") as running:
        yield running


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[Client]:
    client = Client(running)
    try:
        yield client
    finally:
        client.close()
