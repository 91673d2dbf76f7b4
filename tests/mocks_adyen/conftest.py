from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mocks.running import Running
from tests.mocks_adyen.sdk import sdk


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running("adyen") as running:
        yield running


@pytest.fixture
def checkout(running: Running) -> Any:
    return sdk(running)
