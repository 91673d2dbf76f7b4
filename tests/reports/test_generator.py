from __future__ import annotations

import pytest

from reports.generator import generator
from reports.payments import NEVER
from tests.reports.frames import payments

S = 1_000_000_000
MS = 1_000_000


def _late(late_ns: int, of_200: int) -> list[int]:
    """200 payments, one every 10 ms, the last so many of them late."""
    return [i * 10 * MS + (late_ns if i >= 200 - of_200 else 0) for i in range(200)]


DUE = [i * 10 * MS for i in range(200)]


@pytest.mark.parametrize(
    ("late_ns", "of_200", "sound"),
    [(0, 0, True), (100 * MS, 3, True), (101 * MS, 2, True), (101 * MS, 3, False), (5 * S, 2, True)],
)
def test_a_generator_is_sound_up_to_100_ms_at_the_99th_percentile(
    late_ns: int, of_200: int, sound: bool
) -> None:
    made = generator(payments(DUE, sent_ns=_late(late_ns, of_200)), 200, True, 2 * S)
    assert made.sound is sound
    assert made.lateness_max_ns == late_ns
    assert sound or "more than 101 ms late" in made.why


@pytest.mark.parametrize(("planned", "sound"), [(200, True), (201, False)])
def test_payments_that_left_no_trace_were_never_sent(planned: int, sound: bool) -> None:
    made = generator(payments(DUE), planned, True, 2 * S)
    assert (made.due, made.sent, made.never_sent, made.sound) == (planned, 200, planned - 200, sound)


def test_one_in_a_thousand_may_be_missed() -> None:
    due = [i * MS for i in range(2000)]
    for missed, sound in ((2, True), (3, False)):
        sent = [NEVER if i < missed else at for i, at in enumerate(due)]
        made = generator(payments(due, sent_ns=sent), 2000, True, 2 * S)
        assert (made.never_sent, made.sound) == (missed, sound)
        assert sound or "never sent 3 of 2,000" in made.why


def test_of_a_run_that_was_cut_short_only_what_was_due_counts() -> None:
    made = generator(payments(DUE), 1000, False, S)
    assert (made.planned, made.due, made.sent, made.never_sent, made.sound) == (1000, 100, 100, 0, True)


def test_peaks_are_counts_of_a_second() -> None:
    due = [0, 1, 2, S, S + 1]
    made = generator(payments(due, sent_ns=[0, S, S, S, NEVER]), 5, True, 2 * S)
    assert (made.peak_offered, made.peak_achieved) == (3, 3)


def test_nothing_sent() -> None:
    made = generator(payments([]), 10, True, S)
    assert (made.never_sent, made.lateness_p99_ns, made.sound) == (10, None, False)
    assert generator(payments([]), 0, True, S).sound
