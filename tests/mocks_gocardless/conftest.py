from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import client


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running("gocardless") as running:
        yield running


@pytest.fixture
def sdk(running: Running) -> Any:
    return client(running)
