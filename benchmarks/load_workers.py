"""How many payments two workers make on two cores, beside one worker on one core.

A target costs CPU time, too. So that it is no matter of which core it takes it from, there is one target for
each core, on that core, and both share a port: one core has a worker and a target (and Locust's master), two
cores have two workers and two targets (and the master).

First the highest rate is searched for that one worker keeps; then the largest multiple of it that two keep.
A rate is kept when 97% of what is offered is answered in the middle of a run.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load_generators import OURS, Task
from benchmarks.load_measure import measure
from benchmarks.load_target import Target, serve_target
from benchmarks.row import Row

CONNECTIONS = 64
"""For each worker."""
ROUNDS = 3
WARM_UP_S = 2.0
STRETCH_S = 3.0
TAIL_S = 0.5
FIRST_RATE = 1000.0
STEP = 1.1
KEPT = 0.97
MULTIPLES = (2.0, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0)
LEAST = 1.7


def run(command: str) -> Iterator[Row]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed")
    one_each: list[float] = []
    factors: list[float] = []
    rate = FIRST_RATE
    for _ in range(ROUNDS):
        with _targets(cores[:1]) as targets:
            rate = _highest_kept(targets, set(cores[:1]), rate)
        with _targets(cores[:2]) as targets:
            factors.append(
                next((m for m in MULTIPLES if _kept(targets, set(cores[:2]), 2, m * rate) >= KEPT), 0.0)
            )
        one_each.append(rate)
        rate *= 0.7
    one, factor = statistics.median(one_each), statistics.median(factors)
    yield Row(
        f"payments/s that 2 workers keep on 2 cores with their targets, median of {ROUNDS}",
        one * factor,
        "payments/s",
        "1 worker on 1 core with its target",
        factor,
        f">= {LEAST:g}x",
        factor >= LEAST,
        command,
    )
    yield Row("1 worker on 1 core with its target", one, "payments/s", "", None, "", None, command)


@contextlib.contextmanager
def _targets(cores: list[int]) -> Iterator[list[Target]]:
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(serve_target(cores[0]))]
        for core in cores[1:]:
            targets.append(stack.enter_context(serve_target(core, port=targets[0].port)))
        yield targets


def _highest_kept(targets: list[Target], cores: set[int], rate: float) -> float:
    """The highest rate that one worker keeps, by doubling and then in steps of a tenth; the first one
    is tried at least."""
    while _kept(targets, cores, 1, 2 * rate) >= KEPT:
        rate *= 2
    while _kept(targets, cores, 1, rate) < KEPT:
        rate /= STEP
    while _kept(targets, cores, 1, rate * STEP) >= KEPT:
        rate *= STEP
    return rate


def _kept(targets: list[Target], cores: set[int], workers: int, rate: float) -> float:
    """The share of the offered payments that was answered."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = WARM_UP_S + STRETCH_S + TAIL_S
        connections = workers * CONNECTIONS
        task = Task(targets[0].url, connections, seconds, Path(folder), offered=rate, workers=workers)
        stretch = measure(OURS, task, targets, cores, warm_up_s=WARM_UP_S, stretch_s=STRETCH_S)
        return stretch.rate / rate
