"""Punctuality of injection: how far from its schedule does a fault truly start and stop, under load?

One drill at 400 payments/s. Stripe goes dark and comes back every second, Adyen is slow every 1.5 s, and a
share of requests is refused now and then, so that 80 starts and as many stops fall into half a minute. The
journal has, for each, when it was due and when the injecting process truly did it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import python
from benchmarks.row import Row, at_least, below
from journal.reader import Journal

_MS = 1_000_000
_LIMIT_MS = 20
_RATE = 400

_SCENARIO = f"""
name: injection
gateways:
  stripe: {{latency: {{p50: 120ms, p99: 600ms}}, weight: 60}}
  adyen: {{latency: {{p50: 90ms, p99: 400ms}}, weight: 40}}
load:
  arrivals:
    - {{duration: 5s, rate: 50/s..{_RATE}/s}}
    - {{duration: 40s, rate: {_RATE}/s}}
faults:
  - {{at: 8s, for: 30s, on: stripe, fault: outage, flap: {{on: 200ms, off: 800ms}}}}
  - {{at: 8s, for: 30s, on: adyen, fault: latency, flap: {{on: 500ms, off: 1s}}, params: {{add: 100ms}}}}
  - {{at: 8300ms, for: 300ms, on: stripe, fault: http_error, share: 5%, repeat: {{every: 1s, times: 30}}}}
objectives:
  lost_payments: 0
  double_charges: 0
"""


def run(command: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="paydrill-bench-") as folder:
        scenario = Path(folder) / "injection.yaml"
        scenario.write_text(_SCENARIO)
        runs = Path(folder) / "runs"
        usage = python(["-m", "paydrill", "run", str(scenario), "--quiet", "--out", str(runs)])
        (path,) = runs.iterdir()
        generator = json.loads((path / "verdict.json").read_text())["generator"]
        events = Journal(path / "journal").table("fault").to_pylist()
    yield Row("injection, exit code of the drill", usage.code, "", "", None, "= 0", usage.code == 0, command)
    yield at_least(
        "injection, peak achieved in a second", generator["peak_achieved"], "payments/s", _RATE, command
    )
    for phase, least in (("started", 80), ("stopped", 80)):
        late = sorted(abs(row["at_ns"] - row["due_ns"]) / _MS for row in events if row["phase"] == phase)
        yield at_least(f"injection, faults {phase}", len(late), "times", least, command)
        yield below(
            f"injection, {phase} off schedule, median", late[len(late) // 2], "ms", _LIMIT_MS, command
        )
        yield below(f"injection, {phase} off schedule, worst", late[-1], "ms", _LIMIT_MS, command)
