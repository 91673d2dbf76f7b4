"""Loads of every kind, played whole: recorded arrivals, repeated stages, and users beside them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios.arrivals import of_load
from scenarios.reading import load_scenario
from tests.drills.drill import Drill, play

pytestmark = pytest.mark.slow

LOAD = """\
name: mixed
gateways:
  stripe: {latency: {p50: 20ms, p99: 80ms}}
load:
  arrivals:
    - {duration: 2s, steps: {from: 20/s, to: 40/s, every: 1s}}
    - {repeat: 2, arrivals: [{trace: TRACE}, {duration: 1s, sine: {mean: 20/s, amplitude: 20/s, period: 1s}}]}
  users: {count: 7, ramp: 1s, think_time: 50ms..150ms, tasks: {pay: 4, look_up: 2, refund: 1}}
objectives: {success_rate: ">= 95%", lost_payments: 0, refund_mismatches: 0}
settle: 5s
"""


def payments(drill: Drill, loop: str) -> dict[str, tuple[Any, ...]]:
    """What was planned of each payment, by its order id without the run's."""
    return {
        row["id"].partition("-")[2]: (row["amount_minor"], row["currency"], row["instrument"])
        for row in drill.journal.table("payment").to_pylist()
        if row["loop"] == loop
    }


def test_one_worker_and_two_play_the_same_arrivals_and_the_same_users(tmp_path: Path) -> None:
    trace = tmp_path / "checkout.csv"
    trace.write_text("".join(f"{1764000000 + n / 50:.3f}\n" for n in range(60)))
    played = []
    for processes in ("1", "2"):
        out = tmp_path / processes
        out.mkdir()
        drill, code, output = play(out, LOAD.replace("TRACE", str(trace)), ["--processes", processes])
        assert code == 0, output
        played.append(drill)
    one, two = played
    trace.unlink()  # the run's folder holds what was in it
    resolved = load_scenario(str(one.folder / "scenario.yaml"))
    due = sorted(row["due_ns"] for row in one.journal.table("payment").to_pylist() if row["loop"] == "open")
    assert due == list(of_load(resolved.load, resolved.seed))
    assert payments(one, "open") == payments(two, "open")
    users = [payments(drill, "closed") for drill in played]
    common = users[0].keys() & users[1].keys()
    assert {order.partition("-")[0] for order in common} == {f"u{number:05d}" for number in range(7)}
    assert {order: users[0][order] for order in common} == {order: users[1][order] for order in common}
    for drill in played:
        tasks = drill.journal.table("user_task").to_pylist()
        assert {row["outcome"] for row in tasks} == {"ok"}
        assert drill.verdict["closed_loop"]["payments"] == len(payments(drill, "closed"))
        assert yaml.safe_load((drill.folder / "scenario.yaml").read_text())["run"]["payments_planned"] == len(
            due
        )
