"""One mock of each gateway for a module: starting one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.payment_faults.faulty import Faulty


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
    yield from _stripe.as_new()


@pytest.fixture
def adyen(_adyen: Faulty) -> Iterator[Faulty]:
    yield from _adyen.as_new()


@pytest.fixture
def paypal(_paypal: Faulty) -> Iterator[Faulty]:
    yield from _paypal.as_new()


@pytest.fixture
def gocardless(_gocardless: Faulty) -> Iterator[Faulty]:
    yield from _gocardless.as_new()
