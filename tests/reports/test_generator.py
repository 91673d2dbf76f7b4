from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reports.findings import Generator, LateSecond
from reports.generator import generator
from reports.payments import NEVER
from tests.reports.frames import payments
from tests.reports.load_samples import MS, S, samples, seconds


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


def test_users_who_wait_for_their_turn_do_not_hide_arrivals_that_came_late() -> None:
    frame = payments(DUE, sent_ns=_late(300 * MS, 1))
    assert generator(frame, 200, True, 2 * S).sound
    arrivals = np.arange(200) >= 150
    made = generator(replace(frame, open_loop=arrivals), 50, True, 2 * S)
    assert (made.lateness_p99_ns, made.sound) == (300 * MS, False)


@pytest.mark.parametrize(("planned", "sound"), [(200, True), (201, False)])
def test_payments_that_left_no_trace_were_never_sent(planned: int, sound: bool) -> None:
    made = generator(payments(DUE), planned, True, 2 * S)
    assert (made.due, made.sent, made.never_sent, made.sound) == (planned, 200, planned - 200, sound)
    assert sound or made.why.endswith("1 of them left no record at all")


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


def _made(errors: dict[int, str], n: int = 2000, **more: Any) -> Generator:
    """``n`` payments at 1,000/s; those that are named were not sent, for that reason."""
    due = [i * MS for i in range(n)]
    sent = [NEVER if i in errors else at for i, at in enumerate(due)]
    frame = payments(due, sent_ns=sent, errors=[errors.get(i, "") for i in range(n)], **more)
    return generator(frame, n, True, 2 * S)


def test_the_reasons_for_what_was_not_sent_are_counted_and_say_what_to_do() -> None:
    full, ports = "generator: 500 payments in flight already", "generator: no local port left (EADDRNOTAVAIL)"
    made = _made(dict.fromkeys(range(30), full) | {100: ports})
    assert made.errors == ((full[11:], 30), (ports[11:], 1))
    assert not made.sound and "never sent 31 of 2,000" in made.why
    assert made.bottleneck.startswith("500 payments in flight already (30 times: ")
    assert "raise it" in made.bottleneck and "more load machines" in made.bottleneck


def test_a_lost_worker_makes_the_load_unsound_however_little_it_had_to_do() -> None:
    whether = "generator: worker load-1 was lost before it said whether this was sent"
    what = "generator: worker load-1 was lost before it said what came of this"
    made = _made({700: whether, 701: what})
    assert (made.lost, made.never_sent, made.sound, made.errors) == (2, 0, False, ())
    assert made.why == "the load generator lost its worker load-1: find out why it ended"
    many = _made(dict.fromkeys(range(700, 710), whether))
    assert "lost 10 of 2,000 payments" in many.why and "its worker load-1" in many.why


def test_what_was_lost_with_its_process_is_not_called_never_sent() -> None:
    made = generator(payments(DUE, lost=[i < 5 for i in range(200)]), 200, True, 2 * S)
    assert (made.sent, made.lost, made.never_sent, made.sound) == (200, 5, 0, False)
    assert "lost 5 of 200 payments that were due: what became of them is not on record" in made.why


def _watched(rows: Any, stored: int = 200, complete: bool = True) -> Generator:
    return generator(payments(DUE), 200, complete, 2 * S, samples(rows), stored)


def test_a_process_without_a_closing_record_makes_the_load_unsound() -> None:
    assert _watched(seconds({"ended": 150}, {"ended": 50})).sound
    made = _watched(seconds({"ended": 150}, {"ended": 50}, closed=False))
    assert not made.sound
    assert made.why == "the load process load-0 left no closing record: killed, or cut off from the journal"
    # A run that was cut short says so itself.
    assert _watched(seconds({"ended": 150}, closed=False), complete=False).sound


@pytest.mark.parametrize(("ended", "sound"), [(50, True), (51, False), (49, False)])
def test_the_journal_has_to_hold_what_the_processes_saw_end(ended: int, sound: bool) -> None:
    made = _watched(seconds({"ended": 150}, {"ended": ended}))
    assert made.sound is sound
    assert (
        sound or made.why == f"the load processes saw {150 + ended} payments end, and the journal holds 200"
    )


def test_the_lags_of_all_processes_are_one_distribution() -> None:
    rows = seconds({"loop_lags_ns": (1 * MS,) * 98}, process="load-0")
    rows += seconds({"loop_lags_ns": (90 * MS, 50 * MS)}, process="load-1")
    made = generator(payments([]), 0, True, S, samples(rows))
    assert (made.loop_lag_p99_ns, made.loop_lag_max_ns) == (50 * MS, 90 * MS)
    assert [one.name for one in made.processes] == ["load-0", "load-1"]


def test_stolen_time_is_that_of_the_host_and_not_counted_once_a_process() -> None:
    rows = seconds({"steal_ns": 70 * MS}, {"steal_ns": 5 * MS}, process="load-0")
    rows += seconds({"steal_ns": 60 * MS}, process="load-1")
    assert generator(payments([]), 0, True, S, samples(rows)).steal_ns == 75 * MS
    rows += seconds({"steal_ns": None}, process="load-2")
    assert generator(payments([]), 0, True, S, samples(rows)).steal_ns == 75 * MS


def test_the_bottleneck_is_named_only_where_the_generator_was_late() -> None:
    busy = seconds({"cpu_ns": 990 * MS, "lateness_max_ns": 300 * MS, "ended": 200})
    late = generator(payments(DUE, sent_ns=_late(300 * MS, 50)), 200, True, 2 * S, samples(busy))
    assert late.bottleneck.startswith("the CPU of load process load-0")
    assert "CPU" not in late.why
    assert generator(payments(DUE), 200, True, 2 * S, samples(busy)).bottleneck == ""


def test_the_worst_seconds_are_those_with_most_payments_not_in_time() -> None:
    due = [i * 100 * MS for i in range(70)]
    # Second 2: three late; second 4: nothing sent; second 5: one late by just the limit, which is in time.
    sent = [at + (900 * MS if 20 <= i < 23 else 100 * MS if i == 50 else 0) for i, at in enumerate(due)]
    sent = [NEVER if 40 <= i < 50 else at for i, at in enumerate(sent)]
    made = generator(payments(due, sent_ns=sent), 70, True, 7 * S)
    assert made.worst == (
        LateSecond(4 * S, 10, 0, 10, None),
        LateSecond(2 * S, 10, 7, 0, 900 * MS),
    )
