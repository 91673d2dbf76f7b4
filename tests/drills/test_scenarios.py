"""The scenarios that come with it end as their headers promise."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

MS = 1_000_000


def play(name: str, tmp_path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "paydrill", "run", name, "--out", str(tmp_path), "--quiet", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    (folder,) = tmp_path.glob("*Z-*")
    return done.returncode, json.loads((folder / "verdict.json").read_text())


def objective(verdict: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in verdict["objectives"] if o["name"] == name)
    return found


def test_steady_state_passes(tmp_path: Path) -> None:
    code, verdict = play("steady_state", tmp_path)
    assert (code, verdict["verdict"]["status"]) == (0, "PASS"), verdict["verdict"]


def test_gateway_failover_passes_and_its_figures_are_true(tmp_path: Path) -> None:
    code, verdict = play("gateway_failover", tmp_path)
    assert (code, verdict["verdict"]["status"]) == (0, "PASS"), verdict["verdict"]
    (fault,) = verdict["faults"]
    for name in ("detection", "failover", "recovery", "failback"):
        figure = fault[name]
        assert figure["state"] == figure["true_state"] == "measured"
    for name in ("failover", "recovery"):
        assert abs(fault[name]["measured_ns"] - fault[name]["true_ns"]) < 250 * MS
    assert fault["in_flight"]["unknown"] > 0


def test_gateway_outage_fails_on_uptime_with_its_recovery_time_and_all_money_safe(tmp_path: Path) -> None:
    code, verdict = play("gateway_outage", tmp_path)
    assert (code, verdict["verdict"]["status"]) == (1, "FAIL")
    assert objective(verdict, "uptime")["status"] == "FAIL"
    recovery = objective(verdict, "recovery_time")
    assert recovery["status"] == "PASS"
    assert recovery["value"] > 9_500 * MS
    assert objective(verdict, "lost_payments")["value"] == 0
    assert objective(verdict, "double_charges")["value"] == 0


def test_payment_methods_passes_and_settles_its_debits(tmp_path: Path) -> None:
    code, verdict = play("payment_methods", tmp_path)
    assert code == 0, verdict["verdict"]["reasons"]
    settlement = verdict["money"]["settlement"]
    assert settlement["accepted"] > 100 and settlement["open"] == 0
    assert settlement["settled"] > settlement["refused"] > 0
    by_method = {row["name"]: row for row in verdict["success"] if row["scope"] == "method"}
    assert set(by_method) == {"card", "apple_pay", "google_pay", "paypal", "bank"}


def test_peak_load_passes(tmp_path: Path) -> None:
    code, verdict = play("peak_load", tmp_path)
    assert (code, verdict["verdict"]["status"]) == (0, "PASS"), verdict["verdict"]


def test_the_number_of_workers_does_not_change_the_plan(tmp_path: Path) -> None:
    settings = ("--set", "load.arrivals.0.duration=8s", "--set", "load.arrivals.0.rate=80/s")
    _, one = play("steady_state", tmp_path / "one", *settings)
    _, two = play("steady_state", tmp_path / "two", *settings, "--processes", "2")
    assert one["run"]["plan_digest"] == two["run"]["plan_digest"]
    from journal.reader import Journal

    def dues(folder: Path) -> list[tuple[str, int, int, str]]:
        (run,) = folder.glob("*Z-*")
        rows = Journal(run / "journal").table("payment").to_pylist()
        return sorted((r["id"].split("-")[1], r["due_ns"], r["amount_minor"], r["instrument"]) for r in rows)

    assert dues(tmp_path / "one") == dues(tmp_path / "two") != []
