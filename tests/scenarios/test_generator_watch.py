"""The watch over the load process: its samples tell what truly happened to the process."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from itertools import pairwise

import gevent
import pytest

from journal.clock import MILLISECOND, Clock
from journal.records import GeneratorSample, Record
from scenarios.generator_watch import TICK_NS, GeneratorWatch, Tally, stolen_ns, waited_ns


class Kept(list[GeneratorSample]):
    """A journal in memory."""

    def write(self, record: Record) -> None:
        assert isinstance(record, GeneratorSample)
        self.append(record)


@dataclass
class Sockets:
    open_connections: int = 0
    connects: int = 0


def _watch(kept: Kept, tally: Tally | None = None, sockets: Sockets | None = None) -> GeneratorWatch:
    clock = Clock.starting_now()
    return GeneratorWatch("load-0", tally or Tally(), sockets or Sockets(), clock, kept)


def test_a_loop_that_was_held_up_tells_every_point_of_the_grid_its_own_delay() -> None:
    kept = Kept()
    watch = _watch(kept)
    watch.start()
    gevent.sleep(0.03)
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        pass
    gevent.sleep(0.03)
    watch.stop()
    (sample,) = kept
    worst = sample.loop_lags_ns.index(max(sample.loop_lags_ns))
    held = sample.loop_lags_ns[worst : worst + 13]
    assert held[0] >= 270 * MILLISECOND
    assert [before - after for before, after in pairwise(held)] == [TICK_NS] * 12
    assert sample.closing and sample.interval_ns > 360 * MILLISECOND - TICK_NS


def test_every_second_has_a_sample_and_their_sums_are_the_tally() -> None:
    kept, tally, sockets = Kept(), Tally(), Sockets()
    watch = _watch(kept, tally, sockets)
    watch.start()
    for lateness in (5, 900, 7):
        tally.due += 2
        tally.left(lateness * MILLISECOND)
        tally.ended += 1
        sockets.connects += 3
        gevent.sleep(0.4)
    sockets.open_connections = 4
    watch.stop()
    assert len(kept) >= 2 and [sample.closing for sample in kept] == [False] * (len(kept) - 1) + [True]
    assert all(sample.process == "load-0" for sample in kept)
    for name, total in (("due", 6), ("sent", 3), ("ended", 3), ("connects", 9)):
        assert sum(getattr(sample, name) for sample in kept) == total, name
    assert max(sample.lateness_max_ns for sample in kept) == 900 * MILLISECOND
    assert (kept[-1].in_flight, kept[-1].connections) == (3, 4)
    # Each sample speaks of its own interval only.
    assert kept[-1].at_ns - kept[0].at_ns == sum(sample.interval_ns for sample in kept[1:])
    assert sum(sample.lateness_max_ns == 900 * MILLISECOND for sample in kept) == 1


def test_processor_time_and_collections_are_the_process_s_own() -> None:
    kept = Kept()
    watch = _watch(kept)
    watch.start()
    spent = time.process_time_ns()
    while time.process_time_ns() < spent + 50 * MILLISECOND:
        pass
    gc.collect()
    watch.stop()
    gc.collect()
    (sample,) = kept
    assert sample.cpu_ns >= 50 * MILLISECOND
    assert sample.gc_full == 1 <= sample.gc_pauses
    assert 0 < sample.gc_pause_max_ns <= sample.gc_pause_ns < sample.interval_ns


def test_each_sample_speaks_of_its_own_time() -> None:
    kept = Kept()
    watch = _watch(kept)
    gc.disable()
    try:
        watch.start()
        gc.collect()
        gevent.sleep(1.2)
        watch.stop()
    finally:
        gc.enable()
    assert (kept[0].gc_full, kept[0].gc_pauses) == (1, 1)
    assert sum(sample.gc_pauses + sample.gc_full for sample in kept[1:]) == 0
    points = sum(sample.interval_ns for sample in kept) // TICK_NS
    assert points - 2 <= sum(len(sample.loop_lags_ns) for sample in kept) <= points


def test_stopping_twice_or_before_the_start_writes_nothing_more() -> None:
    kept = Kept()
    watch = _watch(kept)
    watch.stop()
    assert kept == []
    watch.start()
    watch.stop()
    watch.stop()
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("text", "waited"),
    [
        (b"156794 4783608 2\n", 4783608),
        (b"0 0 0\n", None),  # a kernel that keeps no such figures
        (b"", None),
    ],
)
def test_the_wait_for_a_processor_is_the_second_figure(text: bytes, waited: int | None) -> None:
    assert waited_ns(text) == waited


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        (b"cpu  1911654 1171 281420 2367858 21063 0 32588 1880 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n", 1880),
        (b"cpu  1 2 3 4\n", None),
        (b"intr 1 2 3 4 5 6 7 8 9\n", None),
        (b"", None),
    ],
)
def test_stolen_time_is_the_eighth_figure_of_all_processors(text: bytes, ticks: int | None) -> None:
    stolen = stolen_ns(text)
    assert stolen == ticks if ticks is None else stolen == ticks * 1_000_000_000 // 100
