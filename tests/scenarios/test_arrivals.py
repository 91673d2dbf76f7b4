"""Schedules turned into lists: no clock, no sleep."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.arrivals import Spacing, due_times, rate_at, shard
from scenarios.quantities import RateRange
from scenarios.schema import Stage

S = 1_000_000_000


def stage(seconds: float, start: float, end: float | None = None) -> Stage:
    return Stage.model_construct(
        duration=int(seconds * S), rate=RateRange(start, start if end is None else end), name=""
    )


def test_even_arrivals_at_a_constant_rate() -> None:
    assert list(due_times([stage(2, 2)], "even", 1)) == [S // 4, 3 * S // 4, 5 * S // 4, 7 * S // 4]


def test_a_ramp_follows_its_integral() -> None:
    times = list(due_times([stage(10, 0, 10)], "even", 1))
    # Lambda(t) = t^2 / 2, so arrival k (from 0) is at sqrt(2 (k + 1/2)).
    assert len(times) == 50
    assert times == [pytest.approx(math.sqrt(2 * (k + 0.5)) * S, abs=2) for k in range(50)]


def test_a_ramp_down_ends_sparse() -> None:
    times = list(due_times([stage(10, 10, 0)], "even", 1))
    assert len(times) == 50
    assert times == [pytest.approx((10 - math.sqrt(100 - 2 * (k + 0.5))) * S, abs=50) for k in range(50)]


def test_stages_follow_each_other_without_losing_a_part_of_an_arrival() -> None:
    split = list(due_times([stage(0.3, 10), stage(0.3, 10), stage(0.4, 10)], "even", 1))
    whole = list(due_times([stage(1, 10)], "even", 1))
    assert split == [pytest.approx(due, abs=2) for due in whole]


def test_nothing_is_due_at_rate_zero() -> None:
    assert list(due_times([stage(5, 0), stage(1, 2), stage(5, 0)], "even", 1)) == [
        5 * S + S // 4,
        5 * S + 3 * S // 4,
    ]


stages = st.lists(
    st.builds(stage, st.floats(0.1, 5), st.floats(0, 200), st.floats(0, 200)), min_size=1, max_size=5
)


@settings(max_examples=60)
@given(stages, st.sampled_from(["even", "poisson"]), st.integers(0, 2**40))
def test_arrivals_are_what_the_integral_of_the_rate_says(
    profile: list[Stage], spacing: Spacing, seed: int
) -> None:
    times = list(due_times(profile, spacing, seed))
    expected = sum((s.rate.start + s.rate.end) / 2 * s.duration / S for s in profile)
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert all(0 <= due < sum(s.duration for s in profile) for due in times)
    if spacing == "even":
        assert abs(len(times) - expected) <= 0.5 + 1e-6
    else:
        # 6 standard deviations of a Poisson count: about one in 10^9 draws fails by chance.
        assert abs(len(times) - expected) <= 6 * math.sqrt(expected) + 8
    assert times == list(due_times(profile, spacing, seed))


def test_poisson_gaps_are_exponential() -> None:
    times = list(due_times([stage(100, 100)], "poisson", 7))
    gaps = [(later - earlier) / S for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.01, rel=0.05)
    assert math.sqrt(variance) / mean == pytest.approx(1.0, abs=0.05)
    assert times != list(due_times([stage(100, 100)], "poisson", 8))


@given(st.integers(1, 7))
def test_shards_are_a_partition(workers: int) -> None:
    times = list(due_times([stage(3, 50)], "poisson", 3))
    parts = [list(shard(times, index, workers)) for index in range(workers)]
    assert sorted(arrival for part in parts for arrival in part) == list(enumerate(times))


def test_rate_at_a_moment() -> None:
    profile = [stage(10, 50), stage(20, 50, 400)]
    assert [rate_at(profile, int(t * S)) for t in (-1, 0, 9.9, 20, 30)] == [0, 50, 50, 225, 0]
