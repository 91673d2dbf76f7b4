from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.availability import is_good, overlap, slices, uptime
from tests.reports.frames import payments

S = 1_000_000_000


def _due(*per_second: int) -> list[int]:
    """So many payments in each second, evenly."""
    return [s * S + i * S // count for s, count in enumerate(per_second) for i in range(count)]


@pytest.mark.parametrize(
    ("per_second", "spans"),
    [
        ((20, 20, 20), [(0, 1, 20), (1, 2, 20), (2, 3, 20)]),
        ((19, 20, 20), [(0, 2, 39), (2, 3, 20)]),
        ((20, 19, 1, 20), [(0, 1, 20), (1, 3, 20), (3, 4, 20)]),
        ((20, 20, 19), [(0, 1, 20), (1, 3, 39)]),
        ((20, 20, 5, 5), [(0, 1, 20), (1, 4, 30)]),
        ((5, 5, 5), [(0, 3, 15)]),
        ((0, 0, 20), [(0, 3, 20)]),
        ((20, 0, 0), [(0, 3, 20)]),
    ],
)
def test_a_slice_with_fewer_than_20_payments_is_joined(
    per_second: tuple[int, ...], spans: list[tuple[int, int, int]]
) -> None:
    cut = slices(payments(_due(*per_second)), 5 * S, len(per_second) * S, (), True)
    assert [(s.start_ns // S, s.stop_ns // S, s.due) for s in cut] == spans


@pytest.mark.parametrize(
    ("successes", "due", "good"),
    [(98, 100, True), (97, 100, False), (49, 50, True), (20, 20, True), (19, 20, False)],
)
def test_good_is_98_percent(successes: int, due: int, good: bool) -> None:
    assert is_good(successes, due) is good


def test_uptime_by_hand_with_maintenance_and_truth() -> None:
    due = _due(*[50] * 10)
    # Seconds 3 and 4 are bad (2 of 50 fail); truly only second 4 is. Maintenance covers [4.5 s, 6 s).
    fails = {3 * 50, 3 * 50 + 1, 4 * 50, 4 * 50 + 1}
    frame = payments(
        due,
        [i not in fails for i in range(len(due))],
        true_success=[i not in (200, 201) for i in range(len(due))],
    )
    cut = slices(frame, 5 * S, 10 * S, ((4 * S + S // 2, 6 * S),), True)
    up = uptime(cut)
    assert (up.good_ns, up.bad_ns) == (8 * S, 2 * S)
    assert (up.net_good_ns, up.net_bad_ns, up.excluded_ns) == (7 * S, 3 * S // 2, 3 * S // 2)
    assert up.gross == 0.8
    assert up.net == pytest.approx(7 / 8.5)
    true = uptime(cut, true=True)
    assert (true.good_ns, true.bad_ns) == (9 * S, S)


def test_the_last_slice_ends_with_the_load() -> None:
    cut = slices(payments(_due(30, 60)), 5 * S, S + S // 2, (), False)
    assert [(s.start_ns, s.stop_ns) for s in cut] == [(0, S), (S, S + S // 2)]
    assert cut[0].true_good is None


def test_no_payments_no_time_to_judge() -> None:
    assert slices(payments([]), 5 * S, 10 * S, (), True) == ()
    assert uptime(()).net is None


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30), st.data())
def test_slices_tile_the_load_and_lose_no_payment(per_second: list[int], data: st.DataObject) -> None:
    due = _due(*per_second)
    good = data.draw(st.lists(st.booleans(), min_size=len(due), max_size=len(due)))
    end = len(per_second) * S
    cut = slices(payments(due, good), 5 * S, end, ((2 * S, 5 * S),), True)
    if not due:
        assert cut == ()
        return
    assert cut[0].start_ns == 0 and cut[-1].stop_ns == end
    assert all(a.stop_ns == b.start_ns for a, b in pairwise(cut))
    assert sum(s.due for s in cut) == len(due)
    assert sum(s.successes for s in cut) == sum(good)
    assert len(cut) == 1 or all(s.due >= 20 for s in cut)
    up = uptime(cut)
    assert up.good_ns + up.bad_ns == end
    assert up.net_good_ns + up.net_bad_ns + up.excluded_ns == end
    assert up.excluded_ns == overlap(0, end, ((2 * S, 5 * S),))


@pytest.mark.parametrize(
    ("windows", "covered"),
    [((), 0), (((2, 4),), 2), (((2, 4), (3, 6)), 4), (((-5, 1), (9, 20)), 2), (((0, 10), (3, 4)), 10)],
)
def test_overlapping_windows_are_counted_once(windows: tuple[tuple[int, int], ...], covered: int) -> None:
    assert overlap(0, 10, windows) == covered
