"""What a payment costs a load generator at a fixed rate, and how late ours sends at that rate.

Each generator is asked for the same rate from one core to a target on the other. The figure is user and
system time of all its processes for each payment answered. Where a generator does not keep the rate, the rate
that it kept is told with it. autocannon keeps it by the second only: each connection sends its share of a
second as fast as it is answered, and rests until the next one (``reqsMadeThisSecond`` in its
``lib/httpClient.js``), so that it pays for few wake-ups. wrk keeps no rate (wrk2 does, and is in no Debian
package), so it is not here.

Lateness is ours alone: from a payment's due time to its sending, as the journal has it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load_generators import LABELS, OURS, Task, installed
from benchmarks.load_measure import Stretch, measure
from benchmarks.load_recorded import recorded
from benchmarks.load_target import Target, serve_target
from benchmarks.row import Row, below

CONNECTIONS = {OURS: 64, "fast_http_user": 200, "k6": 64, "autocannon": 64}
"""Locust's users lose what they wake too late: with few users it stays far below the rate."""
RATE = 2000
ROUNDS = 3
WARM_UP_S = 2.0
STRETCH_S = 8.0
TAIL_S = 1.0
MOST_LATE_MS = 5.0


def run(command: str) -> Iterator[Row]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the target, one for the generator")
    names = [name for name in CONNECTIONS if installed(name)]
    stretches: dict[str, list[Stretch]] = {name: [] for name in names}
    late: list[float] = []
    with serve_target(cores[1]) as target:
        for _ in range(ROUNDS):
            for name in names:
                stretches[name].append(_stretch(name, target, cores[0], late))
    costs = {name: [1e6 / stretch.per_core for stretch in each] for name, each in stretches.items()}
    ours = statistics.median(costs[OURS])
    for name in names:
        if name == OURS:
            continue
        ratio = statistics.median(
            mine / theirs for mine, theirs in zip(costs[OURS], costs[name], strict=True)
        )
        title = f"CPU time of a payment at {RATE:,}/s, recorded, median of {ROUNDS}"
        yield Row(title, ours, "us", LABELS[name], ratio, "< 1x", ratio < 1, command)
    for name in names:
        rate = statistics.median(stretch.rate for stretch in stretches[name])
        cost = statistics.median(costs[name])
        yield Row(f"{LABELS[name]}, {rate:,.0f}/s kept", cost, "us", "", None, "", None, command)
    title = f"lateness p99 at {RATE:,}/s, one core, median of {ROUNDS}"
    yield below(title, statistics.median(late), "ms", MOST_LATE_MS, command)


def _stretch(name: str, target: Target, core: int, late: list[float]) -> Stretch:
    with tempfile.TemporaryDirectory() as folder:
        seconds = WARM_UP_S + STRETCH_S + TAIL_S
        task = Task(target.url, CONNECTIONS[name], seconds, Path(folder), rate=RATE, spacing="poisson")
        stretch = measure(name, task, [target], {core}, warm_up_s=WARM_UP_S, stretch_s=STRETCH_S)
        if name == OURS:
            late.append(recorded(task).lateness_ms(0.99))
        return stretch
