"""When a scenario's own condition ends a drill."""

from __future__ import annotations

import pytest

from paydrill.abort_condition import AbortWatch
from paydrill.live_state import Seen
from scenarios.quantities import parse_abort

S = 1_000_000_000


def _seconds(*rates: tuple[int, int] | None) -> list[Seen]:
    """So many of so many payments that ended in each second succeeded."""
    return [
        Seen(second * S + number, None, number < rate[0], "")
        for second, rate in enumerate(rates)
        if rate is not None
        for number in range(rate[1])
    ]


BAD, GOOD, EDGE = (1, 10), (9, 10), (5, 10)


@pytest.mark.parametrize(
    ("rates", "known_s", "met"),
    [
        ([BAD, BAD, BAD], 3, True),
        ([BAD, BAD, BAD], 2.9, False),  # the last second is not over yet
        ([BAD, BAD, GOOD, BAD, BAD], 9, False),
        ([GOOD, BAD, BAD, BAD], 9, True),
        ([BAD, None, BAD, None, BAD], 9, True),  # nothing ended: says nothing
        ([None, None, None], 9, False),
        ([BAD, BAD, EDGE], 9, False),  # 50% is not below 50%
        ([(0, 1), (0, 1), (0, 1)], 9, True),
    ],
)
def test_as_many_bad_seconds_in_a_row_as_it_names(
    rates: list[tuple[int, int] | None], known_s: float, met: bool
) -> None:
    watch = AbortWatch(parse_abort("success_rate < 50% for 3s"))
    assert bool(watch.take(_seconds(*rates), int(known_s * S))) == met


def test_payments_may_come_in_pieces_and_late() -> None:
    watch = AbortWatch(parse_abort("success_rate < 50% for 3s"))
    assert not any(watch.take([seen], 0) for seen in _seconds(GOOD, BAD, BAD, BAD))
    assert watch.take([], 3 * S) == ""
    late = [Seen(2 * S, None, True, "")] * 100
    assert watch.take(late, 4 * S) == (
        "its condition success_rate < 50% for 3s was met: 3 of 30 payments succeeded that ended from 1s to 4s"
    )


def test_at_most_is_met_at_the_very_share() -> None:
    watch = AbortWatch(parse_abort("success_rate <= 50% for 1s"))
    assert "5 of 10" in watch.take(_seconds(EDGE), S)
