"""How long, and with how much memory, the reports of a run of 200,000 payments are built."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import python
from benchmarks.row import Row, below
from benchmarks.synthetic_run import write_run

PAYMENTS = 200_000
RUNS = 3


def run(command: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="paydrill-bench-") as folder:
        path = Path(folder) / "run"
        write_run(path, payments=PAYMENTS, seed=1)
        usages = [python(["-m", "paydrill", "report", str(path), "--quiet"]) for _ in range(RUNS)]
    if any(usage.code not in (0, 1, 3) for usage in usages):
        raise RuntimeError(f"the report ended with {[usage.code for usage in usages]}")
    name = f"report of {PAYMENTS:,} payments"
    yield below(
        f"{name}, wall clock, median of {RUNS}", statistics.median(u.wall_s for u in usages), "s", 20, command
    )
    yield below(f"{name}, peak memory", max(u.peak_mib for u in usages), "MiB", 1024, command)
