"""What a stall of the target looks like to each load generator, beside what is true.

The target answers after 100 ms, but it stands still for 1 s in every 10 s: what is due t seconds into a stall
is answered after (1 - t) s + 100 ms. Of arrivals that are spread evenly over time, a share (1 s - x) / 10 s
waits longer than x besides the 100 ms; so the q-quantile of latency is

    100 ms + max(0, 1 s - (1 - q) * 10 s),

here computed from the very schedule that the target keeps. Who waits for an answer before sending the next
payment sends fewest when it is slowest, and leaves the slow ones out: coordinated omission.

All are asked for 500 payments/s over some stalls, one after the other, in turns. Ours is read from the
journal, the others by what they print: Locust's CSV, k6's summary (with more users than it can need),
autocannon's JSON (it knows no p95, and adds samples of its own for what it left out).
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.load_generators import OURS, Task, installed
from benchmarks.load_measure import play
from benchmarks.load_recorded import recorded
from benchmarks.load_target import Stalls, serve_target
from benchmarks.row import Row

RATE = 500
SECONDS = 30.0
ROUNDS = 3
BASE_S = 0.1
STALLS = Stalls(every=10.0, length=1.0)
QUANTILES = (0.5, 0.95, 0.99, 0.999)
CLOSE = 0.03


@dataclass(frozen=True, slots=True)
class _Asked:
    """A generator, how it is called in the table, and how many payments it may have open."""

    name: str
    label: str
    connections: int
    spacing: str = "even"


ASKED = (
    _Asked(OURS, "paydrill, even arrivals", 1000),
    _Asked(OURS, "paydrill, Poisson arrivals", 1000, "poisson"),
    _Asked("fast_http_user", "Locust FastHttpUser, 100 users, constant_throughput", 100),
    _Asked("k6", "k6, constant-arrival-rate, 1000 users", 1000),
    _Asked("autocannon", "autocannon -R, 100 connections, its own correction", 100),
)


def run(command: str) -> Iterator[Row]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the target, one for the generator")
    asked = [each for each in ASKED if installed(each.name)]
    seen: dict[str, list[tuple[float | None, ...]]] = {each.label: [] for each in asked}
    with serve_target(cores[1], base=BASE_S, stalls=STALLS) as target:
        for _ in range(ROUNDS):
            for each in asked:
                seen[each.label].append(_percentiles_ms(each, target.url, cores[0]))
    for place, (quantile, truth) in enumerate(zip(QUANTILES, truth_ms(), strict=True)):
        percentile = f"p{100 * quantile:g}"
        yield Row(
            f"true {percentile}, {STALLS.length:g} s stalls in every {STALLS.every:g} s at {RATE}/s",
            truth,
            "ms",
            "",
            None,
            "",
            None,
            command,
        )
        for each in asked:
            told = [figure for figures in seen[each.label] if (figure := figures[place]) is not None]
            if not told:
                continue
            value = statistics.median(told)
            ratio = value / truth
            ours = each.name == OURS
            yield Row(
                f"{percentile}, {each.label}, median of {ROUNDS}",
                value,
                "ms",
                "truth",
                ratio,
                f"within {CLOSE:.0%}" if ours else "",
                abs(ratio - 1) <= CLOSE if ours else None,
                command,
            )


def truth_ms() -> tuple[float, ...]:
    """The quantiles of latency over arrivals at every moment of a whole number of stalls."""
    moments = (np.arange(1_000_000) + 0.5) * STALLS.every / 1_000_000
    latency = np.array([STALLS.resumes(at) - at + BASE_S for at in moments.tolist()])
    return tuple(float(value) * 1e3 for value in np.quantile(latency, QUANTILES))


def _percentiles_ms(asked: _Asked, url: str, core: int) -> tuple[float | None, ...]:
    with tempfile.TemporaryDirectory() as folder:
        task = Task(url, asked.connections, SECONDS, Path(folder), rate=RATE, spacing=asked.spacing)
        printed = play(asked.name, task, {core})
        if asked.name == OURS:
            journal = recorded(task)
            if journal.wrong:
                raise RuntimeError(f"{journal.wrong} payments of ours did not go as planned")
            return tuple(journal.latency_ms(quantile) for quantile in QUANTILES)
        if asked.name == "fast_http_user":
            with (task.folder / "locust_stats.csv").open(newline="") as file:
                total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
            return tuple(float(total[f"{100 * quantile:g}%"]) for quantile in QUANTILES)
        if asked.name == "k6":
            metrics = json.loads((task.folder / "k6.json").read_text())["metrics"]
            taken = metrics["http_req_duration"]
            return tuple(float(taken[f"p({100 * quantile:g})"]) for quantile in QUANTILES)
        latency = json.loads(printed[printed.index("{") :])["latency"]
        return float(latency["p50"]), None, float(latency["p99"]), float(latency["p99_9"])
