"""Processes that are killed or restarted in the middle of a drill, and drills that end by their own condition."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.drills.drill import SHORT, Drill, gone, play, start

pytestmark = pytest.mark.slow

MONEY = """\
  orphan_captures: 0
  amount_mismatches: 0
  unresolved_unknowns: 0
  refund_mismatches: 0
"""
TEXT = SHORT.replace("settle: 5s", f"{MONEY}settle: 20s").replace("duration: 6s", "duration: 10s")


def _with(*faults: str, text: str = TEXT) -> str:
    return text + "faults:\n" + "".join(f"  - {{{fault}}}\n" for fault in faults)


def _rows(drill: Drill, identity: str) -> list[dict[str, Any]]:
    rows = [row for row in drill.journal.table("fault").to_pylist() if row["id"] == identity]
    return sorted(rows, key=lambda row: row["at_ns"])


def _after(drill: Drill, phase: str, count: int = 1, timeout: float = 60) -> None:
    """Wait until the conductor has written that so many phases of its faults have begun or ended."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if any(drill.out.glob("*/journal/conductor.fault.arrow")):
            rows = drill.journal.table("fault").to_pylist()
            if sum(row["phase"] == phase for row in rows) >= count:
                return
        assert drill.process.poll() is None, drill.process.communicate()
        time.sleep(0.05)
    raise AssertionError(f"no fault {phase}")


def test_a_gateway_that_is_killed_and_restarted_comes_back_with_its_truth(tmp_path: Path) -> None:
    text = _with("at: 2s, for: 2s, on: stripe, fault: kill", "at: 6s, for: 1s, on: stripe, fault: restart")
    drill, code, output = play(tmp_path, text)
    assert code == 0, output
    for identity, name, length in (("f1", "kill", 2), ("f2", "restart", 1)):
        armed, started, stopped = _rows(drill, identity)
        assert (armed["phase"], started["phase"], stopped["phase"]) == ("armed", "started", "stopped")
        assert {row["name"] for row in (armed, started, stopped)} == {name}
        assert stopped["hits"] == 1
        assert started["at_ns"] >= started["due_ns"]
        assert stopped["at_ns"] - started["at_ns"] >= length * 10**9 - 10**8
    assert {"stripe", "stripe-2", "stripe-3"} <= set(drill.journal.processes())
    assert drill.verdict["damage"] == []
    orders = {row["order_id"] for row in drill.journal.table("movement").to_pylist()}
    paid = {row["id"] for row in drill.journal.table("payment").to_pylist() if row["outcome"] == "succeeded"}
    assert len(paid) > 300 and paid <= orders
    assert not (drill.folder / "state").exists()


def test_a_platform_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    text = _with("at: 3s, for: 1s, on: platform, fault: kill")
    text = text.replace('  success_rate: ">= 98%"\n', "")
    drill, code, output = play(tmp_path, text)
    assert code == 0, output
    outcomes = {row["outcome"] for row in drill.journal.table("payment").to_pylist()}
    assert "unknown" in outcomes or "failed" in outcomes
    assert len(_rows(drill, "f1")) == 3


def test_a_region_goes_dark_at_one_instant_and_a_crash_loop_ends(tmp_path: Path) -> None:
    text = _with(
        "at: 2s, for: 1s, on: eu, fault: outage",
        "at: 5s, for: 4s, on: stripe, fault: kill, flap: {on: 500ms, off: 1500ms}",
    )
    text = text.replace("weight: 60}", "weight: 60, region: eu}").replace(
        "weight: 40}", "weight: 40, region: eu}"
    )
    text = text.replace('  success_rate: ">= 98%"\n', "")
    drill, code, output = play(tmp_path, text)
    assert code == 0, output
    stripe, adyen = _rows(drill, "f1.stripe"), _rows(drill, "f1.adyen")
    assert stripe[1]["due_ns"] == adyen[1]["due_ns"] == 2 * 10**9
    assert all(rows[1]["phase"] == "started" and rows[2]["hits"] > 0 for rows in (stripe, adyen))
    assert [row["phase"] for row in _rows(drill, "f2")] == ["armed", *["started", "stopped"] * 2]


def test_a_drill_ends_by_its_own_condition_with_every_fault_cleared(tmp_path: Path) -> None:
    text = _with(
        "at: 2s, for: 25s, on: stripe, fault: outage", "at: 2s, for: 25s, on: adyen, fault: kill"
    ).replace("duration: 10s", "duration: 30s")
    drill, code, output = play(tmp_path, text + "abort_when: success_rate < 50% for 2s\n")
    assert code == 1, output
    assert drill.verdict["run"]["load_end_ns"] < 20 * 10**9
    assert "its condition success_rate < 50% for 2s was met" in output
    verdict = drill.verdict["verdict"]
    assert (verdict["ended"], verdict["status"]) == ("stopped", "FAIL")
    assert drill.status("success_rate") == "FAIL"
    assert drill.status("lost_payments") == drill.status("unresolved_unknowns") == "PASS"
    for identity in ("f1", "f2"):
        stopped = _rows(drill, identity)[-1]
        assert stopped["phase"] == "stopped" and stopped["at_ns"] < stopped["due_ns"]
    assert "abort_when" in (drill.folder / "scenario.yaml").read_text()
    assert "its condition" in (drill.folder / "report.md").read_text()


def test_a_condition_that_is_not_met_changes_nothing(tmp_path: Path) -> None:
    drill, code, output = play(tmp_path, SHORT + "abort_when: success_rate < 50% for 2s\n")
    assert code == 0, output
    assert drill.verdict["verdict"]["ended"] == "complete"


@pytest.mark.parametrize("on", ["stripe", "platform"])
def test_ctrl_c_brings_back_what_is_down_before_it_settles(tmp_path: Path, on: str) -> None:
    text = _with(f"at: 1s, for: 25s, on: {on}, fault: kill").replace("duration: 10s", "duration: 30s")
    drill = start(tmp_path, text)
    _after(drill, "started")
    drill.process.send_signal(signal.SIGINT)
    code, output = drill.end()
    assert code == 130, output
    assert drill.verdict["verdict"]["ended"] == "interrupted"
    assert drill.status("lost_payments") == "PASS"
    assert _rows(drill, "f1")[-1]["phase"] == "stopped"


def test_no_process_outlives_a_conductor_that_is_killed_while_one_is_down(tmp_path: Path) -> None:
    flap = "flap: {on: 700ms, off: 700ms}"
    text = _with(
        f"at: 1s, for: 25s, on: stripe, fault: kill, {flap}",
        f"at: 1s, for: 25s, on: platform, fault: restart, {flap}",
    ).replace("duration: 10s", "duration: 30s")
    drill = start(tmp_path, text)
    _after(drill, "started", 3)
    # Whatever moment of a restart this is; the children of now may not be those of a moment ago.
    seen = set(drill.children())
    drill.process.send_signal(signal.SIGSTOP)
    seen |= set(drill.children())
    drill.process.kill()
    drill.process.communicate()
    assert gone(sorted(seen))


def test_a_process_that_dies_unasked_still_ends_the_drill(tmp_path: Path) -> None:
    text = _with("at: 1s, for: 1s, on: stripe, fault: kill").replace("duration: 10s", "duration: 30s")
    drill = start(tmp_path, text)
    _after(drill, "stopped")
    os.kill(drill.child("stripe"), signal.SIGKILL)
    code, output = drill.end()
    assert code == 4, output
    assert "stripe was killed (SIGKILL)" in output
