"""A calibration as it is made: a worker, a platform, three plays."""

import datetime

import pytest

from journal.clock import SECOND
from paydrill.calibrate import MeasurementFailedError, calibrate
from paydrill.machine import describe

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


@pytest.mark.slow
def test_what_is_measured_is_plausible(monkeypatch: pytest.MonkeyPatch) -> None:
    # A machine that others keep busy makes any worker late: here, lateness decides nothing.
    monkeypatch.setattr("paydrill.calibrate.LATENESS_LIMIT_NS", 5 * SECOND)
    monkeypatch.setattr("paydrill.calibrate.RAMP", (200, 2_000))
    told: list[str] = []
    made = calibrate(NOW, told.append)
    figures = made.figures
    assert made.machine == describe() and made.measured_at == "2026-01-02T00:00:00Z"
    assert len(told) == 3
    # The ramp's end is never too much, and 0.9 of it holds: 7,200 Poisson arrivals in 4 s.
    assert figures.rate == pytest.approx(1_800, rel=0.06)
    assert made.payments == figures.rate * 4
    assert 0 < figures.lateness_p99_ns < made.lateness_limit_ns
    assert 0 < figures.core <= 1.05
    # A payment's body and the answer to it are some hundred bytes each, and at least a segment each.
    assert 400 < figures.http_bytes < 4_000
    assert 2 <= figures.segments < 10
    # Seven strings and six numbers of a payment and its intent.
    assert 80 < figures.journal_bytes < 2_000
    assert 30 * 2**20 < figures.resident_bytes < 2**30
    # A buffer, a parser and the payment itself; less than a thread's stack.
    assert 500 < figures.in_flight_bytes < 100_000
    assert 5 <= figures.files < 64


@pytest.mark.slow
def test_a_worker_that_is_always_late_has_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paydrill.calibrate.LATENESS_LIMIT_NS", 1)
    monkeypatch.setattr("paydrill.calibrate.RAMP", (200, 2_000))
    monkeypatch.setattr("paydrill.calibrate.STEPS", (0.5, 0.2))
    with pytest.raises(MeasurementFailedError, match=r"late even at \d+/s, while other processes used"):
        calibrate(NOW, lambda text: None)
