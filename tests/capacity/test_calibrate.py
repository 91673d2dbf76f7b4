"""A calibration as it is made: a worker, a platform, three plays."""

import datetime

import pytest

from paydrill.calibrate import calibrate
from paydrill.machine import describe


@pytest.mark.slow
def test_what_is_measured_is_plausible() -> None:
    told: list[str] = []
    made = calibrate(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), told.append)
    figures = made.figures
    assert made.machine == describe() and made.measured_at == "2026-01-02T00:00:00Z"
    assert len(told) == 3
    assert made.payments == pytest.approx(figures.rate * 4)
    assert 0 < figures.lateness_p99_ns < made.lateness_limit_ns
    assert 0 < figures.core <= 1.05
    # A payment's body and the answer to it are some hundred bytes each, and at least a segment each.
    assert 400 < figures.http_bytes < 4_000
    assert 2 <= figures.segments < 10
    # Seven strings and six numbers of a payment and its intent.
    assert 80 < figures.journal_bytes < 2_000
    assert 30 * 2**20 < figures.resident_bytes < 2**30
    # A stack, a buffer and the payment itself; less than a thread's.
    assert 1_000 < figures.in_flight_bytes < 200_000
    assert 5 <= figures.files < 200
