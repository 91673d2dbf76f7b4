from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from reports import proportion

S = 1_000_000_000


@pytest.mark.parametrize(
    ("target", "failures", "n"),
    [
        (0.98, 0, 149), (0.98, 1, 236), (0.98, 2, 313), (0.98, 5, 523), (0.98, 10, 845), (0.98, 20, 1449),
        (0.999, 0, 2995), (0.999, 1, 4742), (0.999, 2, 6294), (0.999, 5, 10511), (0.999, 20, 29058),
    ],
)  # fmt: skip
def test_the_known_sample_sizes_assert_and_one_payment_less_does_not(
    target: float, failures: int, n: int
) -> None:
    assert proportion.lower_bound(n - failures, n) >= target
    assert proportion.lower_bound(n - 1 - failures, n - 1) < target


@pytest.mark.parametrize(("target", "n"), [(0.98, 149), (0.99, 299), (0.999, 2995)])
def test_enough_without_failures_is_the_known_sample_size(target: float, n: int) -> None:
    assert proportion.enough(0, 10, target) == n


def test_enough_with_failures_is_the_smallest_that_asserts() -> None:
    n = proportion.enough(1, 100, 0.98)
    assert n is not None
    assert proportion.lower_bound(n * 0.99, n) >= 0.98 > proportion.lower_bound((n - 1) * 0.99, n - 1)


@pytest.mark.parametrize(("failures", "n", "target"), [(2, 100, 0.98), (3, 100, 0.98), (0, 100, 1.0)])
def test_no_number_is_enough_for_a_rate_on_the_wrong_side(failures: int, n: int, target: float) -> None:
    assert proportion.enough(failures, n, target) is None


@given(st.integers(1, 4000), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_bounds_are_those_of_scipys_exact_test_and_hold_the_rate(n: int, part: float) -> None:
    x = round(part * n)
    exact = binomtest(x, n).proportion_ci(confidence_level=0.90, method="exact")
    assert proportion.lower_bound(x, n) == pytest.approx(exact.low, abs=1e-9)
    assert proportion.upper_bound(x, n) == pytest.approx(exact.high, abs=1e-9)
    success = np.arange(n) < x
    rate = proportion.rate(np.arange(n) * S // 100, success)
    assert rate.low is not None and rate.high is not None and rate.value is not None
    assert rate.low <= rate.value <= rate.high


def test_dispersion_by_hand() -> None:
    # 10 blocks of 1 s with 20 payments each; 10 failures, all in one block. p = 10/200 = 0.05, and n p (1-p) =
    # 0.95 a block: ((10-1)^2 + 9 * 1^2) / 0.95 / 9 = 90 / 8.55. Blocks of 2 s: five, too few.
    due = np.repeat(np.arange(10), 20) * S
    failed = np.zeros(200, bool)
    failed[60:70] = True
    assert proportion.dispersion(due, failed) == pytest.approx(90 / 8.55)


def test_failures_spread_evenly_are_not_dispersed() -> None:
    due = np.arange(6000) * S // 100
    assert proportion.dispersion(due, np.arange(6000) % 50 == 0) == 1.0


@pytest.mark.parametrize("per_second", [19, 20])
def test_blocks_with_fewer_than_20_payments_do_not_count(per_second: int) -> None:
    due = np.repeat(np.arange(7), per_second) * S
    failed = (due == 3 * S) & (np.arange(len(due)) % 2 == 0)
    assert (proportion.dispersion(due, failed) > 1) == (per_second == 20)


@pytest.mark.parametrize("blocks", [5, 6])
def test_fewer_than_6_blocks_tell_nothing(blocks: int) -> None:
    due = np.repeat(np.arange(blocks), 30) * S
    failed = (due == 2 * S) & (np.arange(len(due)) % 2 == 0)
    assert (proportion.dispersion(due, failed) > 1) == (blocks == 6)


def test_the_gate_of_a_burst_is_that_of_the_effective_sample() -> None:
    plain, burst = proportion.gate(29980, 30000, 1.0), proportion.gate(29980, 30000, 20.0)
    assert burst.effective_n == 1500
    assert burst.low == pytest.approx(proportion.lower_bound(1499, 1500))
    assert burst.low < plain.low == plain.plain_low == burst.plain_low
    assert burst.high == plain.high


def test_a_rate_of_nothing_is_not_measured() -> None:
    rate = proportion.rate(np.array([], np.int64), np.array([], bool))
    assert (rate.n, rate.value, rate.low, rate.high) == (0, None, None, None)
