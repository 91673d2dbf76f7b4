"""When faults are on: windows, flapping, repetition, ramps; pure figures, no clock."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.faults import FaultPlan
from mocks.faults.timing import Flap, Repeat, Timing


@pytest.mark.parametrize(
    ("timing", "phases"),
    [
        (Timing(10, 5), [(10, 15)]),
        (Timing(0, 10, Flap(2, 3)), [(0, 2), (5, 7)]),
        (Timing(0, 11, Flap(2, 3)), [(0, 2), (5, 7), (10, 11)]),
        (Timing(0, 2, Flap(5, 1)), [(0, 2)]),
        (Timing(7, 5, repeat=Repeat(10, 3)), [(7, 12), (17, 22), (27, 32)]),
        (Timing(0, 6, Flap(2, 2), repeat=Repeat(100, 2)), [(0, 2), (4, 6), (100, 102), (104, 106)]),
    ],
)
def test_phases(timing: Timing, phases: list[tuple[int, int]]) -> None:
    assert list(timing.phases()) == phases
    assert timing.end_ns >= phases[-1][1]


@pytest.mark.parametrize(
    ("timing", "at", "intensity"),
    [
        (Timing(10, 100), 0, 1.0),
        (Timing(10, 100, ramp_ns=50), 0, 0.0),
        (Timing(10, 100, ramp_ns=50), 10, 0.0),
        (Timing(10, 100, ramp_ns=50), 35, 0.5),
        (Timing(10, 100, ramp_ns=50), 60, 1.0),
        (Timing(10, 100, ramp_ns=50), 109, 1.0),
        (Timing(10, 100, ramp_ns=50, repeat=Repeat(200, 2)), 235, 0.5),
        (Timing(10, 100, ramp_ns=50, repeat=Repeat(200, 2)), 10_000, 1.0),
        (Timing(0, 100, Flap(1, 9), ramp_ns=100), 50, 0.5),
    ],
)
def test_intensity(timing: Timing, at: int, intensity: float) -> None:
    assert timing.intensity(at) == intensity


MESSAGE: dict[str, object] = {"id": "f1", "fault": "outage", "at_ns": 0, "for_ns": 10}


def test_a_short_flap_over_a_long_time_is_not_unrolled() -> None:
    assert len(list(islice(Timing(0, 3600 * 10**9, Flap(1, 1)).phases(), 3))) == 3


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda: Timing(0, 0), "longer than 0"),
        (lambda: Timing(0, 5, ramp_ns=6), "full strength"),
        (lambda: Timing(0, 5, ramp_ns=-1), "full strength"),
        (lambda: Timing(0, 5, repeat=Repeat(5, 2)), "every must be longer"),
        (lambda: Repeat(5, 1), "at least 2"),
        (lambda: Flap(0, 1), "longer than 0"),
        (lambda: Flap(1, 0), "longer than 0"),
        (lambda: FaultPlan.from_message({**MESSAGE, "flap": {"on_ns": 1}}), "cannot be read"),
        (lambda: FaultPlan.from_message({**MESSAGE, "repeat": {"every_ns": 1, "times": 2}}), "fault f1"),
    ],
)
def test_impossible_timings(wrong: object, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        wrong()  # type: ignore[operator]


def test_a_timing_survives_its_message() -> None:
    plan = FaultPlan("f1", "outage", 5, 100, flap=Flap(2, 3), ramp_ns=7, repeat=Repeat(200, 4))
    assert FaultPlan.from_message(plan.message()) == plan
    assert plan.timing.end_ns == 705


timings = st.builds(
    lambda at, length, flap, repeat, gap: Timing(
        at, length, Flap(*flap) if flap else None, repeat=Repeat(length + gap, repeat) if repeat else None
    ),
    st.integers(0, 100),
    st.integers(1, 50),
    st.none() | st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.none() | st.integers(2, 4),
    st.integers(1, 20),
)


@given(timings)
def test_phases_are_in_order_apart_and_where_the_definition_says(timing: Timing) -> None:
    phases = list(timing.phases())
    assert all(start < stop for start, stop in phases)
    assert all(earlier.stop_ns < later.start_ns for earlier, later in pairwise(phases))
    on = {moment for start, stop in phases for moment in range(start, stop)}

    def is_on(moment: int) -> bool:
        since = moment - timing.at_ns
        if timing.repeat is not None and 0 <= since < timing.repeat.every_ns * timing.repeat.times:
            since %= timing.repeat.every_ns
        flap = timing.flap
        within = 0 <= since < timing.for_ns
        return within and (flap is None or since % (flap.on_ns + flap.off_ns) < flap.on_ns)

    assert on == {moment for moment in range(timing.end_ns + 10) if is_on(moment)}
    assert all(stop <= timing.end_ns for _, stop in phases)
