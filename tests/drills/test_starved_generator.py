"""A load generator that is held up on purpose: the drill is inconclusive, and the report names what did it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.drills.drill import SHORT, Drill, start

pytestmark = pytest.mark.slow

WANTED = """\
  uptime: ">= 99%"
  latency_p95: "< 800ms"
"""


def _scenario(rate: int, seconds: int = 10) -> str:
    text = SHORT.replace("rate: 50/s", f"rate: {rate}/s").replace("duration: 6s", f"duration: {seconds}s")
    return text.replace("objectives:\n", f"objectives:\n{WANTED}")


def _inconclusive(drill: Drill) -> str:
    """The reason of the verdict, once everything that rests on the load was found to be undecided."""
    code, output = drill.end()
    assert code == 3, output
    verdict = drill.verdict
    assert verdict["verdict"]["status"] == "INCONCLUSIVE"
    assert not verdict["generator"]["sound"]
    for name in ("uptime", "latency_p95", "success_rate"):
        assert drill.status(name) == "INCONCLUSIVE", name
    for name in ("lost_payments", "double_charges"):
        assert drill.status(name) == "PASS", name
    return str(verdict["verdict"]["reasons"][0])


def test_a_load_process_that_is_stopped_for_a_while_is_named_and_its_seconds_are_not_observed(
    tmp_path: Path,
) -> None:
    drill = start(tmp_path, _scenario(60))
    drill.wait_for_payments()
    load = drill.child("load")
    os.kill(load, signal.SIGSTOP)
    try:
        # However long it truly took: the drill says how long it was.
        stopped = time.monotonic()
        time.sleep(2.5)
    finally:
        os.kill(load, signal.SIGCONT)
    held_ns = (time.monotonic() - stopped) * 1e9
    reason = _inconclusive(drill)
    assert "load process load-0 did not run for" in reason
    assert "neither computed nor waited for a CPU" in reason
    made, seen = drill.verdict["generator"], drill.verdict["availability"]
    assert made["loop_lag_max_ns"] > 0.8 * held_ns
    assert made["worst"][0]["on_time"] < made["worst"][0]["due"] / 2
    # The platform was up all the time, and nothing says otherwise.
    assert seen["unobserved_slices"] and not seen["bad_slices"]
    assert drill.verdict["success"][0]["success"]["value"] == 1.0


_BUSY = """
import os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
until = time.monotonic() + 4
while time.monotonic() < until:
    pass
"""


def test_a_load_process_whose_core_others_use_is_told_from_one_that_is_slow(tmp_path: Path) -> None:
    drill = start(tmp_path, _scenario(100))
    drill.wait_for_payments()
    load = drill.child("load")
    core = min(os.sched_getaffinity(load))
    os.sched_setaffinity(load, {core})
    # It gets what others leave: on its core, next to nothing for four seconds. Where every session is a group
    # for the scheduler (sched(7), autogroup), it is the group that has to stand back.
    os.sched_setscheduler(load, os.SCHED_IDLE, os.sched_param(0))
    group = Path(f"/proc/{load}/autogroup")
    if group.exists():
        group.write_text("19")
    other = subprocess.Popen([sys.executable, "-c", _BUSY, str(core)])
    try:
        reason = _inconclusive(drill)
    finally:
        other.kill()
        other.wait()
    assert "the host of load process load-0: it waited" in reason, reason
    assert "use a quieter machine" in reason
