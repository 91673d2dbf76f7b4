"""Faults on webhooks in a scenario: what `paydrill check` says of those that could touch nothing."""

from __future__ import annotations

import pytest

from paydrill import plans
from scenarios.reading import parse
from tests.scenarios.test_reading import GOOD, problems

FAULT = "{at: 5s, for: 5s, on: stripe, fault: outage}"


def with_fault(words: str) -> str:
    assert FAULT in GOOD
    return GOOD.replace(FAULT, f"{{at: 5s, for: 5s, {words}}}")


@pytest.mark.parametrize(
    ("words", "params", "match"),
    [
        ("on: stripe, fault: webhook_delayed, params: {by: 5s}", {"by": 5 * 10**9}, {}),
        ("on: adyen, fault: webhook_forged, params: {signature: none}", {"signature": "none"}, {}),
        (
            "on: stripe, fault: webhook_lost, share: 30%, match: {event: payment_intent.succeeded}",
            {},
            {"event": ["payment_intent.succeeded"]},
        ),
        ("on: stripe, fault: webhook_lost, match: {event: ['charge.*', 'payout.paid']}", {}, None),
        ("on: stripe, fault: webhook_early, endpoint: refunds.create, match: {currency: EUR}", {}, None),
        ("on: stripe, fault: webhook_old_timestamp, params: {by: 10m}", {"by": 600 * 10**9}, {}),
    ],
)
def test_they_are_faults_like_others(
    words: str, params: dict[str, object], match: dict[str, list[str]] | None
) -> None:
    scenario = parse(with_fault(words), "good.yaml")
    name = scenario.faults[0].on
    (fault,) = plans.gateway(scenario, name, None)["faults"]
    assert fault["params"] == params
    if match is not None:
        assert fault["match"] == match


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("on: adyen, fault: webhook_old_timestamp", "adyen signs no time"),
        ("on: stripe, fault: webhook_lost, endpoint: refunds.create", "which have no endpoint"),
        ("on: stripe, fault: webhook_burst, match: {currency: EUR}", "which have no currency"),
        ("on: stripe, fault: webhook_lost, match: {event: payment_intent.succeded}", "delivers no"),
        ("on: adyen, fault: webhook_lost, match: {event: 'payment_intent.*'}", "delivers no"),
        ("on: stripe, fault: webhook_delayed, params: {by: 0s}", "longer than 0"),
        ("on: stripe, fault: webhook_forged, params: {signature: right}", "wrong"),
    ],
)
def test_what_could_touch_nothing_is_said_before_anything_starts(words: str, said: str) -> None:
    (problem,) = problems(with_fault(words))
    assert "bad.yaml:" in problem and said in problem


def test_a_platform_that_runs_already_gets_no_webhooks() -> None:
    text = with_fault("on: stripe, fault: webhook_lost") + 'platform: {url: "http://127.0.0.1:9"}\n'
    assert any("no webhooks are delivered" in problem for problem in problems(text))
