"""The due times, as tables: no clock, no sleep."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.clock import MILLISECOND, SECOND
from probes.plan import default_recheck_ns
from probes.schedule import Schedule


def play(schedule: Schedule, results: dict[int, str], end: int, answer_after: int = 0) -> list[int]:
    """The due times before ``end`` when the probe that is due at a time has the result of that time
    (``ok`` where the table says nothing), known ``answer_after`` later."""
    dues: list[int] = []
    waiting: list[tuple[int, int]] = []
    while True:
        due = schedule.due_ns
        if waiting and waiting[0][0] <= due:
            known, sent = waiting.pop(0)
            schedule = schedule.judged(sent, results.get(sent, "ok") == "ok", known)
            continue
        if due >= end:
            return dues
        dues.append(due)
        waiting.append((due + answer_after, due))
        schedule = schedule.advanced()


@pytest.mark.parametrize(
    ("every", "recheck", "failing", "answer_after", "expected"),
    [
        pytest.param(10, 10, (), 0, [0, 10, 20, 30, 40], id="fixed rate"),
        pytest.param(10, 2, (10,), 0, [0, 10, 12, 20, 30, 40], id="one failure, one recheck"),
        pytest.param(
            10,
            2,
            (10, 12, 14, 16, 18, 20, 22),
            0,
            [0, 10, 12, 14, 16, 18, 20, 22, 24, 30, 40],
            id="rechecks until it is well, then the old grid",
        ),
        pytest.param(
            10, 4, (10, 14, 18, 20), 0, [0, 10, 14, 18, 20, 22, 30, 40], id="grids that do not coincide"
        ),
        pytest.param(10, 2, (10,), 5, [0, 10, 16, 18, 20, 30, 40], id="the failure is learned late"),
        pytest.param(10, 10, (0, 10, 20), 0, [0, 10, 20, 30, 40], id="recheck no faster than the rate"),
    ],
)
def test_due_times(
    every: int, recheck: int, failing: tuple[int, ...], answer_after: int, expected: list[int]
) -> None:
    assert play(Schedule(every, recheck), dict.fromkeys(failing, "fail"), 50, answer_after) == expected


def test_a_failure_that_is_learned_after_a_later_ok_starts_no_rechecks() -> None:
    schedule = Schedule(10, 2).advanced().advanced().judged(10, True, 19)
    assert schedule.judged(0, False, 19) == schedule
    assert schedule.due_ns == 20


def test_an_older_ok_does_not_end_the_rechecks() -> None:
    schedule = Schedule(10, 2).advanced().advanced().judged(10, False, 11)
    assert schedule.rechecking
    assert schedule.judged(0, True, 12) == schedule
    assert not schedule.judged(12, True, 13).rechecking


def test_a_further_failure_keeps_the_grid_of_the_rechecks() -> None:
    schedule = Schedule(10, 3).advanced().judged(0, False, 1)
    assert schedule.due_ns == 3
    assert schedule.advanced().judged(3, False, 5).due_ns == 6


def test_a_probe_is_too_late_when_the_next_one_is_due() -> None:
    schedule = Schedule(10, 2)
    assert schedule.step_ns == 10
    assert schedule.advanced().judged(0, False, 0).step_ns == 2


@pytest.mark.parametrize(
    ("every", "recheck"),
    [
        (10 * SECOND, SECOND),
        (SECOND, 100 * MILLISECOND),
        (200 * MILLISECOND, 50 * MILLISECOND),
        (30 * MILLISECOND, 30 * MILLISECOND),
    ],
)
def test_rechecks_come_ten_times_as_often_but_not_below_50_ms(every: int, recheck: int) -> None:
    assert default_recheck_ns(every) == recheck


@given(
    every=st.integers(1, 50),
    part=st.integers(1, 50),
    bad=st.sets(st.integers(0, 400)),
    answer_after=st.integers(0, 80),
)
def test_every_regular_due_time_comes_up_once_whatever_happens(
    every: int, part: int, bad: set[int], answer_after: int
) -> None:
    dues = play(Schedule(every, min(part, every)), dict.fromkeys(bad, "fail"), 400, answer_after)
    assert all(a < b for a, b in itertools.pairwise(dues))
    assert set(range(0, 400, every)) <= set(dues)
    if not bad:
        assert dues == list(range(0, 400, every))
