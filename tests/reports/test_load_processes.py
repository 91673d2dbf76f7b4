from __future__ import annotations

from reports.load_processes import summary
from tests.reports.load_samples import CALM, MS, S, samples, seconds


def test_no_record_is_no_process() -> None:
    assert samples([]) == ()


def test_a_process_in_figures() -> None:
    rows = seconds(
        {"cpu_ns": 200 * MS, "loop_lags_ns": (5 * MS, 1 * MS)},
        {"cpu_ns": 900 * MS, "loop_lags_ns": (), "gc_pause_max_ns": 30 * MS, "connections": 70},
        {"interval_ns": 20 * MS, "cpu_ns": 20 * MS, "loop_lags_ns": (2 * MS,), "lateness_max_ns": 40 * MS},
    )
    (one,) = samples(rows)
    found = summary(one)
    assert list(one.loop_lag_max_ns) == [5 * MS, 0, 2 * MS]
    assert (found.loop_lag_p99_ns, found.loop_lag_max_ns) == (5 * MS, 5 * MS)
    assert found.observed_ns == 2020 * MS
    assert found.cpu_share == round(1120 / 2020, 6)
    # The share of a few milliseconds at the end says nothing.
    assert found.cpu_share_max == 0.9
    assert (found.gc_pause_max_ns, found.connections, found.lateness_max_ns) == (30 * MS, 70, 40 * MS)
    assert (found.cpu_wait_ns, found.preemptions, found.ended, found.closed) == (30 * MS, 15, 120, True)


def test_what_the_system_does_not_say_is_not_zero() -> None:
    (one,) = samples(seconds({}, {"cpu_wait_ns": None}))
    assert summary(one).cpu_wait_ns is None
    assert list(one.waited_ns) == [10 * MS, 0]


def test_only_the_load_counts_but_the_tally_is_whole() -> None:
    before = CALM._replace(at_ns=0, cpu_ns=S, ended=0)
    after = CALM._replace(at_ns=4 * S, cpu_ns=0, ended=7, closing=True)
    rows = [before, *seconds({}, {}, closed=False), after]
    (one,) = samples(rows, load_end_ns=2 * S)
    assert list(one.at_ns) == [S, 2 * S]
    found = summary(one)
    assert (found.cpu_share, found.ended, found.closed) == (0.3, 87, True)


def test_processes_come_by_name_and_samples_by_time() -> None:
    rows = seconds({}, {}, process="load-1") + list(reversed(seconds({}, {}, {}, process="load-0")))
    first, second = samples(rows)
    assert (first.process, second.process) == ("load-0", "load-1")
    assert list(first.at_ns) == [S, 2 * S, 3 * S]
