"""One mock for each module: starting one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.socket_faults.faulty import Faulty


@pytest.fixture(scope="module")
def _served() -> Iterator[Faulty]:
    with Faulty("stripe") as faulty:
        yield faulty


@pytest.fixture
def faulty(_served: Faulty) -> Iterator[Faulty]:
    """As new, and free of faults before and after."""
    yield from _served.as_new()
