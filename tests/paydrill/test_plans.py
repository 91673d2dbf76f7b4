"""What the children are told of webhooks and clocks."""

from __future__ import annotations

import pytest

from mocks.platform.webhooks import EVENTS, READERS
from paydrill import plans
from scenarios.document import ScenarioError
from scenarios.reading import parse

TEXT = """\
name: plans
gateways:
  stripe: {webhooks: {jitter: 2s, doubled: 20%}, clock_speed: 60, capacity: 40}
  gocardless: {settlement: timed}
load:
  mix: {card: 50%, bank: 50%}
  currencies: {EUR: 100%}
  arrivals: [{duration: 5s, rate: 1/s}]
"""


def test_gateways_are_told_where_and_how_to_deliver_and_how_time_runs() -> None:
    scenario = parse(TEXT, "plans.yaml")
    hooks = plans.webhooks(scenario, "stripe", "http://127.0.0.1:9")
    assert hooks["urls"] == ["http://127.0.0.1:9/webhooks/stripe"]
    assert (hooks["jitter_s"], hooks["doubled"]) == (2.0, 0.2)
    assert "payment_intent.created" not in hooks["events"]
    stripe, gocardless = (plans.gateway(scenario, name, None) for name in ("stripe", "gocardless"))
    assert (stripe["clock_speed"], stripe["settlement"]) == (60, None)
    assert (gocardless["clock_speed"], gocardless["settlement"]) == (1, "timed")
    assert (stripe["capacity"], gocardless["capacity"]) == (40, None)
    calm = plans.webhooks(scenario, "gocardless", "http://127.0.0.1:9")
    assert (calm["jitter_s"], calm["doubled"]) == (0, 0)


def test_every_gateway_whose_webhooks_are_read_is_asked_for_some_events() -> None:
    assert EVENTS.keys() == READERS.keys()
    assert all(EVENTS.values())


@pytest.mark.parametrize(("currency", "taken"), [("EUR", True), ("GBP", True), ("JPY", False)])
def test_a_method_that_nobody_takes_in_a_currency_is_refused_before_the_drill(
    currency: str, taken: bool
) -> None:
    text = TEXT.replace("EUR: 100%", f"{currency}: 100%")
    if taken:
        parse(text, "plans.yaml")
        return
    with pytest.raises(ScenarioError) as caught:
        parse(text, "plans.yaml")
    (problem,) = caught.value.problems
    assert "takes 'bank' in JPY" in str(problem) and "EUR, GBP, USD" in str(problem)
