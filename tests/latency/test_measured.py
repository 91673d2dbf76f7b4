"""Latencies taken from measurements: their quantiles, and how a plan hands them on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.draws import Draws
from mocks.latency import POINTS, Latency, MeasuredLatency, from_message, interpolate, quantile_points

MS = 1_000_000
samples = st.lists(st.integers(0, 10**12), min_size=1, max_size=200).map(sorted)


@given(samples, st.floats(0, 1))
def test_quantiles_are_those_of_numpy(ascending: list[int], share: float) -> None:
    expected = float(np.quantile(np.array(ascending, dtype=np.float64), share, method="linear"))
    assert interpolate(ascending, share) == pytest.approx(expected, abs=1, rel=1e-9)


@given(samples, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_grow_and_stay_within_what_was_measured(
    ascending: list[int], one: float, other: float
) -> None:
    latency = MeasuredLatency(quantile_points(ascending))
    low, high = sorted((one, other))
    assert ascending[0] <= latency.quantile(low) <= latency.quantile(high) <= ascending[-1]


def test_many_measurements_are_handed_on_as_1001_points() -> None:
    draws = Draws(1, "measured")
    truth = Latency(80 * MS, 900 * MS)
    ascending = sorted(truth.quantile(draws.uniform(number)) for number in range(20_000))
    points = quantile_points(ascending)
    assert len(points) == POINTS == 1001
    assert (points[0], points[-1]) == (ascending[0], ascending[-1])
    latency = MeasuredLatency(points)
    for share in (0.1, 0.5, 0.9, 0.99, 0.999):
        assert latency.quantile(share) == pytest.approx(interpolate(ascending, share), rel=1e-9)
    assert latency.p50_ns == latency.quantile(0.5) and latency.p99_ns == latency.quantile(0.99)
    drawn = sorted(latency.quantile(draws.uniform(10**6 + number)) for number in range(20_000))
    for share in (0.1, 0.5, 0.9):
        assert interpolate(drawn, share) == pytest.approx(interpolate(ascending, share), rel=0.05)


def test_two_humps_stay_two_humps() -> None:
    latency = MeasuredLatency([10 * MS] * 500 + [900 * MS] * 500)
    draws = Draws(3, "humps")
    drawn = [latency.quantile(draws.uniform(number)) for number in range(5000)]
    between = [ns for ns in drawn if 10 * MS < ns < 900 * MS]
    assert len(between) < 25  # the one step of 999 that joins them holds 5 of 5000
    assert 0.45 < sum(ns == 10 * MS for ns in drawn) / len(drawn) < 0.55


@pytest.mark.parametrize("points", [[], [5, 4], [-1, 4]])
def test_impossible_quantiles(points: list[int]) -> None:
    with pytest.raises(ValueError, match="latency"):
        MeasuredLatency(points)


def test_a_plan_names_one_distribution_or_the_other() -> None:
    assert from_message(None) == Latency(0, 0)
    assert from_message({"p50_ns": 5, "p99_ns": 9}) == Latency(5, 9)
    measured = from_message({"quantiles_ns": [1, 2, 9]})
    assert isinstance(measured, MeasuredLatency) and measured.quantiles_ns == (1, 2, 9)
    with pytest.raises(ValueError, match="p99_ns is missing"):
        from_message({"p50_ns": 5})
