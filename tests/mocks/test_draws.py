"""Draws from a counter, and the latencies made of them."""

from __future__ import annotations

import math
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.draws import ALPHANUMERIC, UPPER_ALPHANUMERIC, Draws
from mocks.latency import Latency

MS = 1_000_000


@given(st.integers(0, 2**62), st.integers(-(2**40), 2**40))
def test_a_uniform_draw_lies_strictly_between_0_and_1(number: int, seed: int) -> None:
    assert 0 < Draws(seed, "x").uniform(number) < 1


def test_seed_and_stream_settle_the_draws() -> None:
    def first(seed: int, stream: str) -> list[float]:
        draws = Draws(seed, stream)
        return [draws.uniform(number) for number in range(5)]

    assert first(7, "a") == first(7, "a")
    assert first(7, "a") != first(8, "a")
    assert first(7, "a") != first(7, "b")
    assert Draws(7, "a").uniform(3) == first(7, "a")[3]


def test_draws_are_spread_evenly() -> None:
    draws = Draws(1, "even")
    bins = [0] * 20
    for number in range(20_000):
        bins[int(draws.uniform(number) * 20)] += 1
    chi_square = sum((count - 1000) ** 2 / 1000 for count in bins)
    assert chi_square < 43.8  # 99.9% of a chi-square distribution with 19 degrees of freedom


@pytest.mark.parametrize(("alphabet", "length"), [(ALPHANUMERIC, 24), (UPPER_ALPHANUMERIC, 16)])
def test_texts_differ(alphabet: str, length: int) -> None:
    draws = Draws(3, "ids")
    texts = {draws.text(number, length, alphabet) for number in range(20_000)}
    assert len(texts) == 20_000
    assert all(len(text) == length and set(text) <= set(alphabet) for text in texts)


def test_latency_has_the_percentiles_it_was_given() -> None:
    latency = Latency(120 * MS, 600 * MS)
    assert latency.quantile(0.5) == 120 * MS
    assert latency.quantile(0.99) == pytest.approx(600 * MS, rel=1e-9)
    draws = Draws(5, "latency")
    sample = sorted(latency.quantile(draws.uniform(number)) for number in range(20_000))
    percent = quantiles(sample, n=100)
    assert percent[49] == pytest.approx(120 * MS, rel=0.03)
    assert percent[98] == pytest.approx(600 * MS, rel=0.08)


@given(
    st.floats(0.001, 0.999),
    st.floats(0.001, 0.999),
    st.integers(1, 10**9),
    st.integers(0, 10**9),
)
def test_latency_grows_with_the_share(one: float, other: float, p50: int, more: int) -> None:
    latency = Latency(p50, p50 + more)
    low, high = sorted((one, other))
    assert latency.quantile(low) <= latency.quantile(high)


def test_constant_and_zero_latency() -> None:
    assert Latency(0, 0).quantile(0.9) == 0
    assert Latency(MS, MS).quantile(0.001) == MS


@pytest.mark.parametrize(("p50", "p99"), [(-1, 5), (5, 4), (0, 5)])
def test_impossible_latencies(p50: int, p99: int) -> None:
    with pytest.raises(ValueError, match="latency"):
        Latency(p50, p99)


def test_z99() -> None:
    sigma = math.log(Latency(1000, 10_000_000).quantile(0.99) / 1000)
    assert sigma == pytest.approx(math.log(10_000), rel=1e-4)
