from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bad_input.doors import DOORS, Door, Inside, inside


@pytest.fixture(scope="module", params=DOORS, ids=lambda door: str(door.kind))
def gateway(request: pytest.FixtureRequest) -> Iterator[Inside]:
    """Every gateway in turn, with a payment in it."""
    door: Door = request.param
    with inside(door) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No traceback, and no complaint of an application that broke."""
    yield
    assert capfd.readouterr().err == ""
