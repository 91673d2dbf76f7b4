"""What the collector looks at, and that it need not look at what requests leave behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from mocks.connection import Connection
from mocks.garbage import freeze_survivors, look_again
from tests.mocks.running import Running, stripe_call, stripe_payment


@pytest.fixture
def frozen() -> Iterator[None]:
    freeze_survivors()
    try:
        yield
    finally:
        look_again()


@pytest.mark.usefixtures("frozen")
def test_survivors_are_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    kept = [[number] for number in range(100_000)]
    assert gc.get_freeze_count() > before + len(kept) // 2
    assert len(gc.get_objects(generation=2)) < len(kept) // 2


def test_a_closed_connection_and_its_requests_are_freed_without_the_collector() -> None:
    with Running("stripe") as running:
        server = running.service.server
        assert server is not None
        connection = running.connection()
        for number in range(3):
            stripe_call(
                connection, "POST", "/v1/payment_intents", stripe_payment(f"o{number}"), key=f"k{number}"
            )

        def alive() -> int:
            return sum(isinstance(one, Connection) and one.server is server for one in gc.get_objects())

        assert running.thread.call(alive) == 1
        gc.disable()
        try:
            connection.close()
            running.until(lambda: alive() == 0, "nothing refers to the connection any more")
        finally:
            gc.enable()
