"""``latency: {from: ...}`` in a scenario, from the file to the gateway's plan."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mocks.latency import MeasuredLatency, from_message
from paydrill import plans
from scenarios.document import ScenarioError
from scenarios.reading import load_scenario, parse

MS = 1_000_000
TEXT = """\
name: measured
gateways:
  stripe:
    latency: {from: samples.csv}
load:
  arrivals:
    - {duration: 10s, rate: 20/s}
"""


def scenario_file(folder: Path, text: str = TEXT) -> Path:
    path = folder / "measured.yaml"
    path.write_text(text)
    return path


def test_the_path_counts_from_the_scenarios_folder_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    path = scenario_file(tmp_path)
    (elsewhere / "samples.csv").write_text("duration_ms\n1\n")
    assert load_scenario(str(path)).gateways["stripe"].latency.quantiles == (MS,)
    (tmp_path / "samples.csv").write_text("duration_ms\n3\n2\n")
    assert load_scenario(str(path)).gateways["stripe"].latency.quantiles == (2 * MS, 3 * MS)


def test_a_run_can_be_played_again_without_the_file(tmp_path: Path) -> None:
    samples = tmp_path / "samples.csv"
    samples.write_text("duration_ns\n" + "".join(f"{n * n * 997}\n" for n in range(1, 5001)))
    scenario = load_scenario(str(scenario_file(tmp_path)))
    resolved = yaml.safe_dump(scenario.to_plain())
    samples.unlink()
    again = parse(resolved, "scenario.yaml")
    assert again == scenario
    plan = plans.gateway(again, "stripe", None)["latency"]
    assert list(plan) == ["quantiles_ns"] and len(plan["quantiles_ns"]) == 1001
    latency = from_message(plan)
    assert isinstance(latency, MeasuredLatency)
    assert latency.quantile(0.5) == pytest.approx(2500.5**2 * 997, rel=1e-6)


def test_percentiles_are_handed_on_as_before() -> None:
    scenario = parse(TEXT.replace("from: samples.csv", "p50: 5ms, p99: 9ms"), "x.yaml")
    assert plans.gateway(scenario, "stripe", None)["latency"] == {"p50_ns": 5 * MS, "p99_ns": 9 * MS}


def test_a_setting_can_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("7ms\n")
    scenario = load_scenario("gateway_failover", ["gateways.stripe.latency={from: mine.csv}"])
    assert scenario.gateways["stripe"].latency.quantiles == (7 * MS,)
    assert scenario.gateways["adyen"].latency.quantiles is None


@pytest.mark.parametrize(
    ("latency", "samples", "message"),
    [
        ("from: samples.csv", None, "samples.csv: cannot be read: No such file"),
        ("from: samples.csv", "5\n", "samples.csv:1: 5 has no unit"),
        ("from: samples.csv", "duration_ms\n", "there is no duration in it"),
        ("from: samples.csv, p50: 5ms", "5ms\n", "say either p50 and p99, or from: FILE, or quantiles"),
        ("from: samples.csv, quantiles: [5ms]", "5ms\n", "say either p50 and p99"),
        ("quantiles: [5ms, 4ms]", None, "quantiles must not fall"),
        ("quantiles: [5]", None, "5 has no unit"),
        ("quantiles: []", None, "must not be empty"),
        ("p50: 5ms", None, "p99 is missing; p50 and p99 go together"),
        ("from: 5", None, "must be a text"),
    ],
)
def test_errors_name_the_line_of_the_scenario(
    tmp_path: Path, latency: str, samples: str | None, message: str
) -> None:
    if samples is not None:
        (tmp_path / "samples.csv").write_text(samples)
    # A second error shows that the rest is still checked.
    path = scenario_file(tmp_path, TEXT.replace("from: samples.csv", latency) + "settle: 5\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(str(path))
    first, second = caught.value.problems
    assert (first.line, second.line) == (4, 8)
    assert message in first.message
    assert first.path[:3] == ("gateways", "stripe", "latency")
