"""Stages of every kind, as they stand in a scenario: what is refused, where, and with which words."""

from collections.abc import Callable

import pytest
import yaml

from paydrill.check import in_words
from scenarios.checkout import PlanSummary
from scenarios.document import ScenarioError
from scenarios.reading import parse
from scenarios.schema import Scenario

HEAD = "name: drill\ngateways: {stripe: {}}\nload:\n  arrivals:\n    - "


def scenario(stage: str) -> Scenario:
    return parse(HEAD + stage, "bad.yaml")


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("{duration: 9s}", "'rate' is missing"),
        ("{rate: 9/s}", "'duration' is missing"),
        ("{duration: 9s, rate: 9/s, sine: {mean: 9/s, amplitude: 1/s, period: 3s}}", "rate and sine do not go together"),
        ("{duration: 9s, stepps: {from: 1/s, to: 9/s, every: 3s}}", "did you mean steps?"),
        ("{duration: 9s, steps: {from: 1/s, to: 9/s, evry: 3s}}", "did you mean every?"),
        ("{duration: 9s, steps: {from: 1/s, to: 9/s, every: 2s}}", "9s is not two or more whole steps of 2s"),
        ("{duration: 9s, steps: {from: 1/s, to: 9/s, every: 9s}}", "two or more"),
        ("{duration: 9s, steps: {from: 1/s, to: 9, every: 3s}}", "write 9/s"),
        ("{duration: 9s, rate: 1/s, spike: {to: 9/s, at: 5s, hold: 5s}}", "the spike ends 10s into the stage, which lasts 9s"),
        ("{duration: 9s, rate: 1/s..2/s, spike: {to: 9/s, hold: 5s}}", "out of a constant rate"),
        ("{duration: 9s, spike: {to: 9/s, hold: 5s}}", "'rate' is missing"),
        ("{duration: 9s, sine: {mean: 9/s, amplitude: 10/s, period: 3s}}", "amplitude is above mean"),
        ("{duration: 9s, sine: {mean: 9/s, amplitude: 1/s, period: 1ms}}", "must be at least 100ms"),
        ("{duration: 9s, rate: 9/s, speed: 2}", "speed goes with a trace only"),
        ("{repeat: 3}", "repeat and arrivals go together"),
        ("{arrivals: [{duration: 9s, rate: 9/s}]}", "repeat and arrivals go together"),
        ("{repeat: 3, duration: 9s, arrivals: [{duration: 9s, rate: 9/s}]}", "duration does not go with repeat"),
        ("{repeat: 0, arrivals: [{duration: 9s, rate: 9/s}]}", "must be at least 1"),
        ("{repeat: 3, arrivals: []}", "must not be empty"),
        ("{repeat: 3, arrivals: [{duration: 9s, rate: 9}]}", "write 9/s"),
        ("{duration: 1d, steps: {from: 1/s, to: 9/s, every: 10ms}}", "8,640,000 steps; 100,000 are the most"),
        ("{duration: 9s, offsets: zzzz}", "no offsets of a trace"),
        ("{duration: 9s, rates: '0s:1/s 9s', offsets: zzzz}", "either offsets or rates"),
        ("{rates: '0s:1/s 9q'}", "not a duration"),
        ("{rates: '0s:1 9s'}", "write 1/s"),
        ("{rates: '3s:1/s 1s'}", "rates must begin at 0s, each later than the one before"),
    ],
)  # fmt: skip
def test_a_stage_that_cannot_be_played_is_refused_at_its_line(stage: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(stage)
    assert str(caught.value).startswith("bad.yaml:5: ")
    assert words in str(caught.value)


def test_more_rounds_than_can_be_counted_are_refused() -> None:
    with pytest.raises(ScenarioError, match="110,000 steps and cycles in all"):
        scenario("{repeat: 10000, arrivals: [{repeat: 11, arrivals: [{duration: 9s, rate: 9/s}]}]}")


GOOD = {
    "steps": "{duration: 60s, steps: {from: 50/s, to: 400/s, every: 10s}}",
    "spike": "{duration: 30s, rate: 65/s, spike: {to: 400/s, at: 10s, rise: 2s, hold: 5s, fall: 3s}}",
    "sine": "{duration: 60s, sine: {mean: 200/s, amplitude: 100/s, period: 30s}}",
    "repeat": "{repeat: 3, name: day, arrivals: [{duration: 9s, rate: 9/s}, {duration: 1s, rate: 0/s}]}",
    "rates": "{trace: stats.csv, speed: 2, rates: '0s:10/s 1s:30/s 3s'}",
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_stage_reads_back_from_its_own_dump(kind: str) -> None:
    read = scenario(GOOD[kind])
    assert parse(yaml.safe_dump(read.to_plain()), "again.yaml") == read


@pytest.mark.parametrize(
    ("kind", "duration_s", "payments", "words"),
    [
        ("steps", 60, 13_500, ["00:00 – 01:00  stage 1: payments arrive at 50/s, then step by step up to 400/s, 10s each", "400/s at the peak"]),
        ("spike", 30, 4462.5, ["but for a spike to 400/s from 10s to 20s of the stage"]),
        ("sine", 60, 12_000, ["at 100/s to 300/s, swinging every 30s", "300/s at the peak"]),
        ("repeat", 30, 243, ["00:00 – 00:30  day: 3 times over", "00:00 – 00:09    stage 1.1: payments arrive at 9/s"]),
        ("rates", 1.5, 70, ["payments arrive at the rates recorded in stats.csv, 2 times as fast", "60/s at the peak"]),
    ],
)  # fmt: skip
def test_what_a_stage_comes_to_is_told(
    kind: str, duration_s: float, payments: float, words: list[str]
) -> None:
    read = scenario(GOOD[kind])
    assert read.duration_ns == duration_s * 1_000_000_000
    assert read.expected_payments() == payments
    told = "\n".join(in_words(read, PlanSummary(7, "digest")))
    for part in words:
        assert part in told


def test_the_peak_of_every_stage_is_held_against_a_sandbox() -> None:
    text = HEAD.replace("{stripe: {}}", "{stripe: {sandbox: {}}}")
    refused: Callable[[str], str] = lambda stage: _refusal(text + stage)  # noqa: E731
    assert "load.arrivals.0: 400/s does not fit" in refused(GOOD["steps"])
    assert "load.arrivals.0: 300/s does not fit" in refused(GOOD["sine"])
    assert "load.arrivals.0.rate: 400/s does not fit" in refused(GOOD["spike"])


def _refusal(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "bad.yaml")
    return str(caught.value)
