"""One mock of each gateway for a module: starting one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.payment_faults.faulty import Faulty


def _as_new(served: Faulty) -> Iterator[Faulty]:
    served.forget()
    yield served
    left = served.thread.call(served.schedule.listed)
    served.thread.call(served.schedule.clear)
    assert left == ()


@pytest.fixture(scope="module")
def _stripe() -> Iterator[Faulty]:
    with Faulty("stripe") as served:
        yield served


@pytest.fixture(scope="module")
def _adyen() -> Iterator[Faulty]:
    with Faulty("adyen") as served:
        yield served


@pytest.fixture(scope="module")
def _paypal() -> Iterator[Faulty]:
    with Faulty("paypal") as served:
        yield served


@pytest.fixture(scope="module")
def _gocardless() -> Iterator[Faulty]:
    with Faulty("gocardless") as served:
        yield served


@pytest.fixture
def stripe(_stripe: Faulty) -> Iterator[Faulty]:
    yield from _as_new(_stripe)


@pytest.fixture
def adyen(_adyen: Faulty) -> Iterator[Faulty]:
    yield from _as_new(_adyen)


@pytest.fixture
def paypal(_paypal: Faulty) -> Iterator[Faulty]:
    yield from _as_new(_paypal)


@pytest.fixture
def gocardless(_gocardless: Faulty) -> Iterator[Faulty]:
    yield from _as_new(_gocardless)
