"""``paydrill plan`` from outside."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from paydrill.__main__ import app
from paydrill.calibrate import MeasurementFailedError
from paydrill.calibration import Calibration, keep
from paydrill.machine import describe
from tests.capacity.test_calibration import CALIBRATION

MEASURED = CALIBRATION.model_copy(update={"machine": describe()})


@pytest.fixture
def calibrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    file = tmp_path / "paydrill" / "calibration.json"
    keep(MEASURED, file)
    return file


def plan(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["plan", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_without_a_calibration_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code, out, err = plan("--peak", "544000/s")
    assert (code, out) == (2, "")
    assert "paydrill plan --calibrate" in err and str(tmp_path) in err


@pytest.mark.usefixtures("calibrated")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say --peak RATE or --scenario"),
        (["--peak", "400"], "--peak: 400 has no unit; write 400/s"),
        (["--peak", "0/s"], "must be above 0/s"),
        (["--peak", "4/s", "--p99", "5"], "--p99: 5 has no unit"),
        (["--peak", "4/s", "--p99", "0s"], "--p99: must be above 0s"),
        (["--peak", "4/s", "--p99", "6s"], "above the time-out (5s)"),
        (["--peak", "4/s", "--headroom", "half"], "--headroom"),
        (["--peak", "4/s", "--scenario", "peak_load"], "either --peak or --scenario"),
        (["--scenario", "peak_lod"], "did you mean peak_load"),
        (["--peak", "4/s", "--addresses", "0"], "addresses"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], words: str) -> None:
    code, out, err = plan(*arguments)
    assert (code, out) == (2, "")
    assert words in err and "Traceback" not in err


def test_a_peak_as_json_has_the_figures_it_rests_on(calibrated: Path) -> None:
    code, out, _ = plan("--peak", "544000/s", "--p99", "250ms", "--headroom", "100%", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["calibration"] == json.loads(calibrated.read_text())
    assert said["demand"]["peak"] == 544_000 and said["demand"]["latency_ns"] == 250_000_000
    assert said["capacity"]["workers"] == 272  # 544,000 x 2 / 4,000
    assert {need["name"]: need["value"] for need in said["capacity"]["needs"]}[
        "payments in flight"
    ] == 136_000


@pytest.mark.usefixtures("calibrated")
def test_a_scenario_has_its_own_peak_length_timeout_and_p99() -> None:
    _, out, _ = plan("--scenario", "peak_load", "--set", "load.timeout=3s", "--json")
    demand = json.loads(out)["demand"]
    assert demand["peak"] == pytest.approx(397.15)
    assert demand["timeout_ns"] == 3_000_000_000
    assert demand["latency_ns"] == 1_500_000_000  # its latency_p99 objective


def test_a_measurement_that_fails_leaves_the_last_one(
    calibrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now: datetime.datetime, tell: Callable[[str], None]) -> Calibration:
        raise MeasurementFailedError("it was late")

    kept = calibrated.read_bytes()
    monkeypatch.setattr("paydrill.plan.calibrate", fail)
    code, out, err = plan("--calibrate", "--peak", "4/s")
    assert (code, out) == (4, "") and "the measurement failed: it was late" in err
    assert calibrated.read_bytes() == kept


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "paydrill").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("paydrill.plan.calibrate", lambda now, tell: MEASURED)
    code, out, err = plan("--calibrate")
    assert (code, out) == (4, "") and "cannot be written" in err


@pytest.mark.usefixtures("calibrated")
def test_users_of_a_closed_loop_are_said_to_be_left_out() -> None:
    given = ["--scenario", "steady_state", "--set", "objectives={}", "--set", "probes=[]"]
    code, out, _ = plan(*given, "--set", "load.users={count: 30}")
    assert code == 0 and "30 users come on top" in out
    code, _, err = plan(*given, "--set", "load.users={count: 30, for: 1min}", "--set", "load.arrivals=[]")
    assert code == 2 and "steady_state plans no arrivals, so it has no peak of its own; say --peak" in err


@pytest.mark.usefixtures("calibrated")
@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paydrill.plan.open_console", lambda: Console(width=width))
    code, out, _ = plan("--peak", "544000/s")
    assert code == 0
    lines = out.splitlines()
    assert max(len(line) for line in lines if "measured figures:" not in line) <= width
    assert "…" not in out
    for words in ("217,600", "204", "lateness p99", "400ms is assumed", "2026-01-02T03:04:05Z"):
        assert words in out


def test_a_measurement_of_another_version_or_of_a_busy_machine_is_said(calibrated: Path) -> None:
    _, out, _ = plan("--peak", "4/s")
    assert "measure again" not in out and "other processes" not in out
    keep(MEASURED.model_copy(update={"paydrill": "0.0.1", "others": 1.2, "apart": False}), calibrated)
    _, out, _ = plan("--peak", "4/s")
    assert "measured again" not in out and "measure again with --calibrate" in out
    assert "other processes used 1.2 cores meanwhile" in out and "shared the only core" in out
