"""Turns of a limited rate, without a clock."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.clock import SECOND
from probes.pace import Pace


def test_turns_keep_their_distance_and_time_that_passed_is_not_saved_up() -> None:
    pace = Pace(10.0)
    assert [pace.turn(0), pace.turn(0), pace.turn(50_000_000)] == [0, 100_000_000, 150_000_000]
    assert pace.turn(5 * SECOND) == 0
    assert pace.turn(5 * SECOND) == 100_000_000


@given(st.floats(0.5, 1000), st.lists(st.integers(0, SECOND), min_size=2, max_size=50))
def test_never_more_than_the_rate(rate: float, gaps: list[int]) -> None:
    pace, now, at = Pace(rate), 0, []
    for gap in gaps:
        now += gap
        at.append(now + pace.turn(now))
    assert all((b - a) * rate >= SECOND * (1 - 1e-9) for a, b in itertools.pairwise(at))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_is_a_positive_number(rate: float) -> None:
    with pytest.raises(ValueError, match="more than 0/s"):
        Pace(rate)
