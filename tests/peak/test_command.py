"""``paydrill run --find-peak`` from outside: what is refused, what is announced, what is reported anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paydrill.__main__ import app
from paydrill.find_peak import announced
from reports.peak import judge_search
from reports.render.search_json import search_json
from reports.search_folder import RECORD
from scenarios.peak_step import limits_of, steady
from scenarios.reading import load_scenario
from tests.peak.searches import LIMITS, Made, search


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "50/s"], "--from: only with --find-peak"),
        (["--find-peak", "--from", "50"], "--from: 50 has no unit; write 50/s"),
        (["--find-peak", "--to", "fast"], "--to: 'fast' is not a rate"),
        (["--find-peak", "--to", "0/s"], "--to: a rate above 0"),
        (["--find-peak", "--step", "20"], "--step: 20 has no unit; write 20s or 20ms"),
        (["--find-peak", "--step", "1s"], "--step: a step lasts at least 2.00 s"),
        (["--find-peak", "--precision", "5"], "--precision: 5 has no unit; write 5%"),
        (["--find-peak", "--precision", "80%"], "--precision: say 0.5% to 50%"),
        (["--find-peak", "--from", "20000/s"], "it cannot start at 20000/s"),
        (["--find-peak", "--set", "objectives={}"], "no objective is left to break"),
    ],
)
def test_what_is_refused_starts_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["run", "steady_state", "--out", str(tmp_path / "runs"), *arguments])
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "runs").exists()


def test_what_will_be_played_and_for_how_long_is_said_before() -> None:
    calm = steady(load_scenario("gateway_failover"))
    limits = limits_of(calm.scenario, start=None, most=1e4, precision=0.05, steps=14, step_ns=20 * 10**9)
    text = "\n".join(announced(calm, limits))
    assert "to within 5%" in text
    assert "at most 14 steps of 20.0 s and a ramp of 2.00 s, in at most 13 min" in text
    assert "played without the scenario's faults: outage on stripe" in text
    assert "left out, since only faults decide them: monthly_uptime" in text


def test_the_report_is_rebuilt_from_the_folder_and_its_exit_code_is_the_findings(tmp_path: Path) -> None:
    folder = search(tmp_path / "20260102T030405Z-by-hand-peak", [Made(30, latency_ms=900)], LIMITS)
    done = CliRunner().invoke(app, ["report", "--latest", "--out", str(tmp_path)])
    assert done.exit_code == 3, done.output
    assert "The search stayed undecided; so far 30/s broke" in done.output
    written = json.loads((folder / "search.json").read_bytes())
    assert written == json.loads(search_json(judge_search(folder)))


def test_a_step_that_is_gone_is_said(tmp_path: Path) -> None:
    folder = search(tmp_path / "x", [])
    text = (folder / RECORD).read_text()
    step = "  steps:\n  - {folder: 01-30-per-s, rate: 30.0, hold_ns: 1, why: start, took_ns: 1}\n"
    (folder / RECORD).write_text(text.replace("  steps: []\n", step))
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 2
    assert "01-30-per-s is not a folder" in done.output
