from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.payments import Bools, Ints
from reports.recovery import failback, failover, recovery
from scenarios.quantities import Bound

S = 1_000_000_000
MS = 1_000_000
GAP = 25 * MS
NINETY_EIGHT = Bound(">=", 0.98, ">= 98%")


def _even(seconds: float) -> Ints:
    """40 payments a second, due at 0, 25 ms, 50 ms, ..."""
    return np.arange(0, int(seconds * S), GAP, dtype=np.int64)


def _failing(due: Ints, *windows: tuple[float, float]) -> Bools:
    good = np.ones(len(due), bool)
    for start, stop in windows:
        good &= ~((due >= start * S) & (due < stop * S))
    return good


def test_failover_is_the_start_of_20_successes_in_a_row() -> None:
    due = _even(30)
    edge = failover(due, _failing(due, (10, 12)), 10 * S, 20 * S)
    assert (edge.state, edge.ns, edge.resolution_ns, edge.why) == ("measured", 2 * S, GAP, "")


def test_a_fault_that_no_payment_failed_by_is_said_to_be_one() -> None:
    due = _even(30)
    edge = failover(due, _failing(due, (9, 10), (20, 21)), 10 * S, 20 * S)
    assert (edge.ns, edge.why) == (0, "no payment that was due while it was on failed")


def test_19_successes_in_a_row_are_not_enough() -> None:
    due = _even(30)
    nineteen = _failing(due, (10, 11), (11 + 19 * 0.025, 14))
    twenty = _failing(due, (10, 11), (11 + 20 * 0.025, 14))
    assert failover(due, nineteen, 10 * S, 20 * S).ns == 4 * S
    assert failover(due, twenty, 10 * S, 20 * S).ns == 1 * S


def test_payments_due_before_the_fault_do_not_count_towards_failover() -> None:
    due = _even(30)
    # In flight when it struck: due at 9.9 s, failed. The first one due after it succeeded.
    edge = failover(due, _failing(due, (9.9, 10)), 10 * S, 20 * S)
    assert (edge.state, edge.ns) == ("measured", 0)


def test_a_run_may_end_after_the_stop_but_not_begin_there() -> None:
    due = _even(30)
    assert failover(due, _failing(due, (10, 19.9)), 10 * S, 20 * S).ns == round(9.9 * S)
    assert failover(due, _failing(due, (10, 20)), 10 * S, 20 * S).state == "never"


def test_failover_with_fewer_than_20_payments_is_not_measurable() -> None:
    due = _even(30)
    good = np.ones(len(due), bool)
    edge = failover(due, good, 10 * S, 10 * S + 19 * GAP)
    assert edge.state == "not measurable" and "20 payments" in edge.why
    assert failover(due, good, 10 * S, 10 * S + 20 * GAP).state == "measured"


def test_failover_is_not_never_when_the_load_ends_in_a_row_of_successes() -> None:
    due = _even(12)
    assert failover(due, _failing(due, (10, 11.75)), 10 * S, 12 * S).state == "not measurable"
    assert failover(due, _failing(due, (10, 12)), 10 * S, 12 * S).state == "never"


def test_recovery_is_the_first_success_from_which_the_rate_holds() -> None:
    due = _even(60)
    edge = recovery(due, _failing(due, (10, 13)), (10 * S, 10 * S), 60 * S, NINETY_EIGHT)
    assert (edge.state, edge.ns, edge.resolution_ns, edge.why) == ("measured", 3 * S, GAP, "")


def test_recovery_of_what_never_dropped_is_0_and_says_so() -> None:
    due = _even(60)
    edge = recovery(due, _failing(due), (10 * S, 10 * S), 60 * S, NINETY_EIGHT)
    assert (edge.ns, edge.why) == (0, "the success rate of what was due after the start did not drop")


def test_a_relapse_within_5_s_starts_recovery_anew_and_a_later_one_does_not() -> None:
    due = _even(60)
    # Held windows begin in [t, t + 4 s] and last 1 s: a failure at t + 5 s is outside all of them.
    within = recovery(due, _failing(due, (10, 12), (16.9, 17)), (10 * S, 10 * S), 60 * S, NINETY_EIGHT)
    beyond = recovery(due, _failing(due, (10, 12), (17, 17.1)), (10 * S, 10 * S), 60 * S, NINETY_EIGHT)
    assert within.ns == 7 * S
    assert beyond.ns == 2 * S


def test_a_relapse_while_the_fault_is_on_is_no_recovery() -> None:
    due = _even(60)
    good = _failing(due, (10, 12), (25, 27))
    # The fault ends at 20 s: what comes after is not its own. At 30 s: the platform had not got over it.
    assert recovery(due, good, (10 * S, 20 * S), 60 * S, NINETY_EIGHT).ns == 2 * S
    assert recovery(due, good, (10 * S, 30 * S), 60 * S, NINETY_EIGHT).ns == 17 * S
    # A fault that is still on when the load ends is held against it until then.
    assert recovery(due, good, (10 * S, 90 * S), 60 * S, NINETY_EIGHT).ns == 17 * S
    assert recovery(due, _failing(due, (10, 12), (55, 60)), (10 * S, 90 * S), 60 * S, NINETY_EIGHT).state == (
        "never"
    )


def test_one_failure_in_50_payments_holds_98_percent_and_one_in_40_does_not() -> None:
    fifty = np.arange(0, 60 * S, 20 * MS, dtype=np.int64)
    once = np.arange(len(fifty)) % 50 != 7
    assert recovery(fifty, once, (10 * S, 10 * S), 60 * S, NINETY_EIGHT).state == "measured"
    forty = _even(60)
    assert (
        recovery(forty, np.arange(len(forty)) % 40 != 39, (10 * S, 10 * S), 60 * S, NINETY_EIGHT).state
        == "never"
    )


def test_windows_hold_at_least_20_payments() -> None:
    # 4/s: a window of 1 s would hold 4 payments; of 20 payments one failure is 95%.
    due = np.arange(0, 120 * S, S // 4, dtype=np.int64)
    good = _failing(due, (10, 20), (28, 28.1))
    assert recovery(due, good, (10 * S, 10 * S), 120 * S, Bound(">=", 0.95, ">= 95%")).ns == 10 * S
    assert recovery(due, good, (10 * S, 10 * S), 120 * S, NINETY_EIGHT).ns == round(18.25 * S)


@pytest.mark.parametrize(
    ("until", "state"),
    [(14.9, "measured"), (15.1, "not measurable"), (19.4, "not measurable"), (20, "never")],
)
def test_recovery_must_be_held_for_5_s_before_the_load_ends(until: float, state: str) -> None:
    due = _even(20)
    edge = recovery(due, _failing(due, (10, until)), (10 * S, 10 * S), 20 * S, NINETY_EIGHT)
    assert edge.state == state
    if state == "not measurable":
        assert edge.why == "the success rate was not held for 5 s before the load ended"


def test_a_lone_success_at_the_end_is_no_recovery() -> None:
    due = _even(20)
    good = _failing(due, (10, 20))
    good[-1] = True
    assert recovery(due, good, (10 * S, 10 * S), 20 * S, NINETY_EIGHT).state == "never"


def test_recovery_without_payments_after_the_fault_is_not_measurable() -> None:
    assert (
        recovery(_even(10), _failing(_even(10)), (10 * S, 10 * S), 10 * S, NINETY_EIGHT).state
        == "not measurable"
    )


@given(st.floats(0, 30), st.floats(0.05, 20))
@settings(max_examples=60, deadline=None)
def test_recovery_of_one_outage_is_its_length_to_within_the_resolution(start: float, length: float) -> None:
    due = _even(60)
    start_ns, stop_ns = int(start * S), int((start + length) * S)
    good = ~((due >= start_ns) & (due < stop_ns))
    edge = recovery(due, good, (start_ns, stop_ns), 60 * S, NINETY_EIGHT)
    assert edge.ns is not None and edge.resolution_ns is not None
    assert 0 <= edge.ns - (stop_ns - start_ns) < GAP or edge.ns < GAP


def _share(due: Ints, away: tuple[float, float]) -> Bools:
    """The gateway answers every second payment, and none while away."""
    mine: Bools = (np.arange(len(due)) % 2 == 0) & _failing(due, away)
    return mine


def test_failback_is_the_first_window_with_the_share_of_before() -> None:
    due = _even(60)
    # Before: 1/2. From 23 s on again. [t, t+2 s) holds 80 payments, 40 of them at full share; 36 are within
    # 10%: 4 of its payments (two of each 50 ms) missing, so t = 22.8 s; 35 at 22.75 s are not.
    edge = failback(due, _share(due, (10, 23)), (10 * S, 20 * S), 60 * S)
    assert edge.state == "measured"
    assert edge.ns is not None and abs(edge.ns - 2.8 * S) <= 50 * MS
    assert edge.resolution_ns == GAP


def test_a_share_that_never_left_is_back_at_once() -> None:
    due = _even(60)
    assert failback(due, _share(due, (10, 10)), (10 * S, 20 * S), 60 * S).ns == 0


def test_failback_never_and_not_measurable() -> None:
    due = _even(60)
    gone = _share(due, (10, 60))
    assert failback(due, gone, (10 * S, 20 * S), 60 * S).state == "never"
    assert failback(due, gone, (10 * S, 20 * S), 21 * S).state == "not measurable"
    nothing = np.zeros(len(due), bool)
    edge = failback(due, nothing, (10 * S, 20 * S), 60 * S)
    assert (edge.state, edge.why) == ("not measurable", "the gateway had no traffic before the fault")


def test_too_large_a_share_is_not_back_either() -> None:
    due = _even(60)
    mine = _share(due, (10, 20)) | ((due >= 20 * S) & (due < 30 * S))
    edge = failback(due, mine, (10 * S, 20 * S), 60 * S)
    assert edge.ns is not None and 8 * S < edge.ns <= 10 * S


def test_a_short_absence_is_not_taken_for_none() -> None:
    # 400 payments a second; the gateway is away for 150 ms after the stop: 7.5% of the window of 2 s.
    due: Ints = np.arange(0, 60 * S, S // 400)
    edge = failback(due, _share(due, (10, 20.15)), (10 * S, 20 * S), 60 * S)
    assert edge.ns is not None
    # 50 payments are 125 ms; a third of them may be missing by chance.
    assert 100 * MS <= edge.ns <= 150 * MS


def test_the_share_of_before_is_that_before_the_whole_incident() -> None:
    due = _even(60)
    # Another fault had moved half of the gateway's traffic away from 12 s on, before this one began at 20 s.
    mine = _share(due, (20, 30)) & ~((due >= 12 * S) & (due < 20 * S) & (np.arange(len(due)) % 4 == 0))
    assert failback(due, mine, (20 * S, 30 * S), 60 * S).state == "never"
    edge = failback(due, mine, (20 * S, 30 * S), 60 * S, 12 * S)
    assert edge.ns is not None and edge.ns <= 100 * MS
