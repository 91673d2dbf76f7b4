"""Load, platform, gateways and their webhooks together, on the cores of this machine, at the peak rate that
Adyen published for Black Friday 2025.

Everything a drill does is done: each payment is planned, sent, stored durably twice, charged at a gateway,
told of by a webhook, written to the journals, and reconciled afterwards. Where the rate does not hold, lower
ones are tried for the highest that does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from benchmarks.process_cpu import ProcessCpu
from benchmarks.row import Row, at_least, below
from journal.reader import Journal

SCENARIO = Path(__file__).with_suffix(".yaml")
PEAK = 3317.0
"""Payments per second: 199,000 transactions a minute (Adyen's press release of 2 December 2025)."""
RAMP_S = 10
PEAK_S = 60
STEP = 0.85
LEAST = 500.0
_MS = 1_000_000
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Played:
    """One drill.

    Attributes:
        held: Every objective passed, and the generator kept its schedule.
        answered: Payments per second that were answered during the peak.
        verdict: As in ``verdict.json``.
        cpu_us: Name of a process -> microseconds of CPU time for each payment that was sent, from the start
            of the load to the last answer: without imports, and without the report.
    """

    held: bool
    answered: float
    verdict: dict[str, Any]
    cpu_us: dict[str, float]


def run(command: str) -> Iterator[Row]:
    played = play(PEAK)
    yield from _rows(played, command)
    rate, highest = PEAK, played
    while not highest.held and rate * STEP >= LEAST:
        rate *= STEP
        highest = play(rate)
    if highest is not played:
        name = f"whole path, highest rate of {PEAK:,.0f}/s x {STEP:g}^n that held for {PEAK_S} s"
        yield Row(name, rate if highest.held else 0.0, "payments/s", "", None, "", None, command)
        total = sum(highest.cpu_us.values())
        yield Row(
            f"whole path at {rate:,.0f}/s, CPU of all", total, "us/payment", "", None, "", None, command
        )


def play(rate: float) -> Played:
    """Play the drill at a rate.

    Raises:
        RuntimeError: It left no verdict.
    """
    with tempfile.TemporaryDirectory(prefix="paydrill-bench-") as folder:
        arguments = ["run", str(SCENARIO), "--quiet", "--out", folder]
        arguments += [
            "--set",
            f"load.arrivals.0.rate=50/s..{rate:g}/s",
            "--set",
            f"load.arrivals.1.rate={rate:g}/s",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "paydrill", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        cpu = ProcessCpu(process.pid)
        _, complaint = process.communicate()
        cpu.stop()
        runs = [path for path in Path(folder).iterdir() if (path / "verdict.json").is_file()]
        if not runs:
            raise RuntimeError(f"the drill left no verdict: {complaint.decode(errors='replace')[-500:]}")
        verdict = json.loads((runs[0] / "verdict.json").read_text())
        began = datetime.fromisoformat(verdict["run"]["started_at"]).timestamp()
        journal = Journal(runs[0] / "journal")
        spent = cpu.between(began, began + _last_answer_s(journal))
        return Played(
            held=process.returncode == 0,
            answered=_answered(journal) / PEAK_S,
            verdict=verdict,
            cpu_us={name: seconds * 1e6 / verdict["generator"]["sent"] for name, seconds in spent.items()},
        )


def _answered(journal: Journal) -> int:
    """How many payments were answered during the peak."""
    done = journal.table("payment").column("done_ns")
    within = pc.and_(pc.greater_equal(done, RAMP_S * _SECOND), pc.less(done, (RAMP_S + PEAK_S) * _SECOND))
    return int(pc.sum(within).as_py() or 0)


def _last_answer_s(journal: Journal) -> float:
    """Seconds from the run's time zero to the last answer."""
    last: int | None = pc.max(journal.table("payment").column("done_ns")).as_py()
    return (last or 0) / _SECOND


def _rows(played: Played, command: str) -> Iterator[Row]:
    what = f"whole path, Poisson {PEAK:,.0f}/s for {PEAK_S} s, webhooks on"
    verdict, generator = played.verdict, played.verdict["generator"]
    measured = {objective["name"]: objective["value"] for objective in verdict["objectives"]}
    goal = "every objective passes"
    yield Row(f"{what}: answered", played.answered, "payments/s", "", None, goal, played.held, command)
    yield at_least(f"{what}: success", (measured["success_rate"] or 0.0) * 100, "%", 99.9, command)
    if measured["latency_p99"] is None:
        # It lies among the payments without an answer: all that is known is that it is beyond any of those.
        yield Row(f"{what}: latency p99, never answered", 0.0, "ms", "", None, "< 250 ms", False, command)
    else:
        yield below(f"{what}: latency p99", measured["latency_p99"] / _MS, "ms", 250, command)
    for name in ("lost_payments", "double_charges"):
        count = measured[name]
        known = "" if count is not None else ", not known"
        title = f"{what}: {name.replace('_', ' ')}{known}"
        yield Row(title, count or 0.0, "", "", None, "= 0", count == 0, command)
    unsent = generator["never_sent"]
    yield Row(f"{what}: never sent", unsent, "payments", "", None, "= 0", unsent == 0, command)
    late = generator["lateness_p99_ns"]
    yield Row(f"{what}: lateness p99", (late or 0) / _MS, "ms", "", None, "", None, command)
    for name, spent in sorted(played.cpu_us.items()):
        yield Row(f"{what}: CPU of {name}", spent, "us/payment", "", None, "", None, command)
    yield Row(f"{what}: CPU of all", sum(played.cpu_us.values()), "us/payment", "", None, "", None, command)
