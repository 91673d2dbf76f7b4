"""The reckoned offset is never wrong by more than it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.distributed.clock_offset import WINDOW_NS, ClockOffset, Offset, drift_between, offset_of

WAYS = st.integers(0, 10**9)


@given(st.integers(-(10**18), 10**18), WAYS, WAYS, WAYS, st.integers(0, 10**15))
def test_an_exchange_knows_the_offset_within_its_error(
    offset: int, there: int, inside: int, back: int, sent: int
) -> None:
    received = sent + offset + there
    reckoned = offset_of(sent, received, received + inside, sent + there + inside + back)
    assert abs(reckoned.offset_ns - offset) <= reckoned.error_ns
    assert reckoned.error_ns <= (there + back) // 2 + 2


def test_readings_out_of_order_are_refused() -> None:
    for readings in ((0, 10, 5, 100), (100, 0, 10, 105)):
        with pytest.raises(ValueError, match="before it is sent"):
            offset_of(*readings)


@given(st.lists(st.tuples(st.integers(0, 10**10), WAYS, WAYS), min_size=1, max_size=40))
def test_the_best_of_the_newest_exchanges_counts(steps: list[tuple[int, int, int]]) -> None:
    reckoned = ClockOffset()
    taken: list[Offset] = []
    now = 0
    for wait, there, back in steps:
        now += wait + there + back
        taken.append(offset_of(now - there - back, now - back + 7, now - back + 7, now))
        reckoned.take(taken[-1])
        newest = [one for one in taken if one.at_ns >= now - WINDOW_NS]
        assert reckoned.best is not None
        assert reckoned.best.error_ns == min(one.error_ns for one in newest)
        assert reckoned.best in newest
        assert abs(reckoned.best.offset_ns - 7) <= reckoned.best.error_ns


def test_before_the_first_exchange_nothing_is_known() -> None:
    assert ClockOffset().best is None


def test_a_drift_that_the_errors_could_explain_is_none() -> None:
    first = Offset(0, 1_000, 300)
    assert not drift_between(first, Offset(10, 1_500, 200)).known
    drift = drift_between(first, Offset(10, 1_501, 200))
    assert (drift.known, drift.change_ns, drift.error_ns, drift.span_ns) == (True, 501, 500, 10)
