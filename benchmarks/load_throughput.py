"""How many payments one core makes, beside other load generators.

Each generator sends the small POST of a payment over kept-alive connections from one core to a target on the
other. Ours is whole: Locust with its statistics, every payment planned, recorded and held against its plan.
The others send one body again and again as fast as it is answered.

The figure is payments per second of CPU time: a core that other work takes part of does not change it, nor
does a generator that waits for the target. Ours is an open loop: it is offered a rate near the highest that
it keeps, which is searched for first; where it could not keep it, that costs it CPU time, and is in the
figure. How many connections it opens follows from that: as many as payments are in flight at a time. They
take turns; the ratios are of each round by itself, and their medians are told.
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
from benchmarks.row import Row

CONNECTIONS = 64
MOST_IN_FLIGHT = 1000
"""Of ours. It opens a connection only when all that it has are in use."""
ROUNDS = 3
WARM_UP_S = 2.0
STRETCH_S = 4.0
TAIL_S = 1.0
FIRST_RATE = 2000.0
KEPT = 0.97
"""Share of the offered rate that has to be answered."""
NEAR = 0.85
"""Share of the highest rate kept that is offered then, so that the whole core is not needed all the time."""
GOALS = {"fast_http_user": 4.0, "k6": 2.0, "autocannon": None, "wrk": 0.4}


def run(command: str) -> Iterator[Row]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the target, one for the generator")
    names = [OURS, *(name for name in GOALS if installed(name))]
    stretches: dict[str, list[Stretch]] = {name: [] for name in names}
    with serve_target(cores[1]) as target:
        offered = NEAR * _highest_kept(target, cores[0])
        for _ in range(ROUNDS):
            for name in names:
                stretches[name].append(_stretch(name, target, cores[0], offered))
    what = f"payments on one core, small POST, median of {ROUNDS}"
    ours = stretches[OURS]
    told = f"open loop at {offered:,.0f}/s, each recorded and checked"
    for name, goal in GOALS.items():
        if name not in stretches:
            continue
        ratio = statistics.median(
            mine.per_core / theirs.per_core for mine, theirs in zip(ours, stretches[name], strict=True)
        )
        yield Row(
            f"{what}, {told}",
            _median(ours),
            "per s of CPU",
            LABELS[name],
            ratio,
            "" if goal is None else f">= {goal:g}x",
            None if goal is None else ratio >= goal,
            command,
        )
    for name in GOALS:
        if name in stretches:
            yield Row(
                f"{LABELS[name]}, {CONNECTIONS} connections, as fast as answered, one body",
                _median(stretches[name]),
                "per s of CPU",
                "",
                None,
                "",
                None,
                command,
            )
    title = f"highest rate that ours keeps on one core ({KEPT:.0%} of it is answered while it goes on)"
    yield Row(title, offered / NEAR, "payments/s", "", None, "", None, command)
    fastest = max((stretch for each in stretches.values() for stretch in each), key=lambda one: one.rate)
    yield Row(
        "the target on its own core, under the fastest of them",
        fastest.answered / fastest.target_cpu_s,
        "per s of CPU",
        "",
        None,
        "",
        None,
        command,
    )


def _median(stretches: list[Stretch]) -> float:
    return statistics.median(stretch.per_core for stretch in stretches)


def _highest_kept(target: Target, core: int) -> float:
    """The highest rate, per second, that ours keeps in steps of a fifth."""
    kept, rate = 0.0, FIRST_RATE
    while True:
        stretch = _stretch(OURS, target, core, rate)
        if stretch.rate < KEPT * rate:
            return max(kept, stretch.rate)
        # What it could carry by its CPU time, but no more than twice as much at a time.
        kept, rate = rate, min(2 * rate, max(1.2 * rate, stretch.per_core))


def _stretch(name: str, target: Target, core: int, offered: float) -> Stretch:
    with tempfile.TemporaryDirectory() as folder:
        seconds = WARM_UP_S + STRETCH_S + TAIL_S
        connections = MOST_IN_FLIGHT if name == OURS else CONNECTIONS
        task = Task(target.url, connections, seconds, Path(folder), offered=offered)
        before = target.answered()[1]
        stretch = measure(name, task, [target], {core}, warm_up_s=WARM_UP_S, stretch_s=STRETCH_S)
        if name == OURS:
            answered = target.answered()[1] - before
            journal = recorded(task)
            if len(journal.done) != answered or journal.wrong != journal.never_sent:
                raise RuntimeError(
                    f"the target answered {answered} payments; the journal holds {len(journal.done)}, and "
                    f"{journal.wrong - journal.never_sent} did not go as planned"
                )
        return stretch
