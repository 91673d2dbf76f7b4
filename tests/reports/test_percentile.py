from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import quantile_test

from reports.payments import NEVER
from reports.percentile import enough, lower_rank, percentile, rank, upper_rank


@pytest.mark.parametrize(("q", "n"), [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2995)])
def test_the_known_sample_sizes_have_an_upper_bound_and_one_less_has_none(q: float, n: int) -> None:
    assert enough(q) == n
    assert upper_rank(q, n) == n - 1
    assert upper_rank(q, n - 1) is None


@pytest.mark.parametrize(
    ("q", "n", "index"),
    [(0.5, 1, 0), (0.5, 2, 0), (0.5, 3, 1), (0.95, 20, 18), (0.95, 100, 94), (0.999, 1000, 998)],
)
def test_rank_is_the_smallest_value_that_q_of_them_do_not_exceed(q: float, n: int, index: int) -> None:
    assert rank(q, n) == index


@given(st.integers(1, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
@settings(max_examples=60, deadline=None)
def test_bounds_are_those_of_scipys_quantile_test(n: int, q: float) -> None:
    values = np.arange(n)
    for alternative, confidence in (("two-sided", 0.95), ("less", 0.95), ("greater", 0.95)):
        theirs = quantile_test(values, q=0, p=q, alternative=alternative).confidence_interval(confidence)
        side = 0.975 if alternative == "two-sided" else 0.95
        if alternative != "less":
            low = lower_rank(q, n, side)
            assert (low is None and math.isnan(theirs.low)) or low == theirs.low
        if alternative != "greater":
            high = upper_rank(q, n, side)
            assert (high is None and math.isnan(theirs.high)) or high == theirs.high


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=400), st.sampled_from([0.5, 0.95, 0.99]))
@settings(max_examples=60, deadline=None)
def test_the_interval_holds_the_percentile(values: list[int], q: float) -> None:
    found = percentile(np.sort(np.array(values, np.int64)), q)
    assert found.value_ns is not None
    assert sum(value <= found.value_ns for value in values) >= q * len(values) - 1e-6
    assert found.low_ns is None or found.low_ns <= found.value_ns
    assert found.high_ns is None or found.value_ns <= found.high_ns


def test_a_payment_without_an_answer_is_slower_than_everything() -> None:
    ordered = np.array([10] * 90 + [NEVER] * 10, np.int64)
    assert percentile(ordered, 0.5).value_ns == 10
    p95 = percentile(ordered, 0.95)
    assert (p95.state, p95.value_ns, p95.high_ns) == ("never", None, None)


def test_no_payments_no_percentile() -> None:
    assert percentile(np.array([], np.int64), 0.5).state == "not measurable"
