"""The failover drill as it comes: does the generator keep its schedule, and how exact are the figures?"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import python
from benchmarks.row import Row, at_least, below

_MS = 1_000_000


def run(command: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="paydrill-bench-") as folder:
        usage = python(["-m", "paydrill", "run", "gateway_failover", "--quiet", "--out", folder])
        (path,) = Path(folder).iterdir()
        verdict = json.loads((path / "verdict.json").read_text())
    generator, (fault,) = verdict["generator"], verdict["faults"]
    yield Row("failover drill, exit code", usage.code, "", "", None, "= 0", usage.code == 0, command)
    yield at_least(
        "failover drill, peak achieved in a second", generator["peak_achieved"], "payments/s", 400, command
    )
    yield below("failover drill, lateness p99", generator["lateness_p99_ns"] / _MS, "ms", 20, command)
    for phase in ("start", "stop"):
        late = abs(fault[f"true_{phase}_ns"] - fault[f"planned_{phase}_ns"]) / _MS
        yield below(f"failover drill, fault {phase} off its schedule by", late, "ms", 20, command)
    for name in ("detection", "failover", "recovery", "failback"):
        error = abs(fault[name]["measured_ns"] - fault[name]["true_ns"]) / _MS
        yield below(f"failover drill, error of {name} time", error, "ms", 250, command)
    yield Row("failover drill, CPU of all processes", usage.cpu_s, "s", "", None, "", None, command)
