"""What a scenario says of a fault's scope and timing: how it reaches the gateway, and how errors are told."""

from __future__ import annotations

from typing import Any

import pytest

from mocks.faults import FaultPlan
from mocks.faults.timing import Flap, Repeat
from paydrill import plans
from scenarios.document import ScenarioError
from scenarios.reading import parse
from scenarios.schema import Scenario

SCENARIO = """\
name: drill
gateways:
  stripe: {region: eu}
  adyen: {}
load:
  arrivals:
    - {duration: 100s, rate: 50/s}
faults:
  - at: 5s
    for: 10s
    on: stripe
    fault: outage
"""


def scenario(*lines: str, fault: str = "outage") -> Scenario:
    text = SCENARIO.replace("fault: outage", f"fault: {fault}")
    return parse(text + "".join(f"    {line}\n" for line in lines), "drill.yaml")


def planned(*lines: str) -> FaultPlan:
    (message,) = plans.gateway(scenario(*lines), "stripe", None)["faults"]
    return FaultPlan.from_message(message)


def test_scope_and_timing_reach_the_gateway() -> None:
    plan = planned(
        "match: {currency: [eur, USD], card: 4000 00, payment_method: card, region: eu}",
        "flap: {on: 2s, off: 500ms}",
        "ramp: 4s",
        "repeat: {every: 30s, times: 3}",
    )
    assert plan.match == {
        "currency": ("EUR", "USD"),
        "card": ("400000",),
        "payment_method": ("card",),
        "region": ("eu",),
    }
    assert (plan.flap, plan.ramp_ns) == (Flap(2 * 10**9, 5 * 10**8), 4 * 10**9)
    assert plan.repeat == Repeat(30 * 10**9, 3) and plan.timing.end_ns == 75 * 10**9
    assert plans.gateway(scenario(), "stripe", None)["region"] == "eu"


def test_without_them_a_fault_is_as_it_was() -> None:
    plan = planned()
    assert plan.whole and (plan.match, plan.flap, plan.ramp_ns, plan.repeat) == ({}, None, 0, None)


def test_a_bare_number_is_how_a_card_begins() -> None:
    assert planned("match: {card: 4000}").match == {"card": ("4000",)}


def test_the_end_of_a_fault_is_that_of_its_last_window() -> None:
    (fault,) = scenario("repeat: {every: 20s, times: 4}").faults
    assert fault.end == fault.timing.end_ns == 75 * 10**9


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (("match: {curency: EUR}",), 13, "did you mean currency?"),
        (("match: {currency: euro}",), 13, "a currency has three letters"),
        (("match: {card: 4242 4242 4242 4242}",), 13, "first 1 to 8 digits"),
        (("match: {payment_method: cash}",), 13, "no payment method 'cash'"),
        (("match: {endpoint: payment_intent.create}",), 13, "did you mean payment_intents.create?"),
        (("match: {region: us}",), 13, "no gateway is in a region 'us'"),
        (("match: {currency: [EUR, 7x]}",), 13, "three letters"),
        (("match: {currency: {a: b}}",), 13, "must be a text"),
        (("match: EUR",), 13, "match"),
        (("share: 10%", "ramp: 11s"), 14, "never come to its full strength"),
        (("flap: {on: 10s, off: 1s}",), 13, "would never go off"),
        (("flap: {on: 1s}",), 13, "'off' is missing"),
        (("flap: {on: 1ms, off: 1s}",), 13, "10ms"),
        (("repeat: {every: 10s, times: 2}",), 13, "would be on all the time"),
        (("repeat: {every: 30s, times: 1}",), 13, "2"),
        (("repeat: {every: 60s, times: 3}",), 10, "after the load"),
    ],
)
def test_errors_have_their_line(lines: tuple[str, ...], line: int, words: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        scenario(*lines)
    told = [str(problem) for problem in refused.value.problems]
    assert any(words in text and text.startswith(f"drill.yaml:{line}:") for text in told), told


@pytest.mark.parametrize(("key", "value"), [("share", "10%"), ("match", "{currency: EUR}"), ("ramp", "1s")])
def test_what_acts_on_no_requests_has_none_to_choose_from(key: str, value: str) -> None:
    with pytest.raises(ScenarioError, match=f"leave {key} out"):
        scenario(f"{key}: {value}", fault="fee_drift")
    assert scenario(fault="fee_drift").faults[0].fault == "fee_drift"


def test_what_goes_on_inside_a_gateway_cannot_outlive_its_process() -> None:
    kill: Any = "\n  - {at: 50s, for: 5s, on: stripe, fault: kill}\n"
    with pytest.raises(ScenarioError, match="stripe is killed or restarted in this drill"):
        parse(SCENARIO.replace("fault: outage", "fault: keys_lost") + kill, "drill.yaml")
    assert len(parse(SCENARIO + kill, "drill.yaml").faults) == 2
    other = SCENARIO.replace("on: stripe", "on: adyen").replace("fault: outage", "fault: keys_lost")
    assert len(parse(other + kill, "drill.yaml").faults) == 2


def test_two_faults_of_one_kind_may_be_on_different_cards() -> None:
    second = "  - {at: 5s, for: 10s, on: stripe, fault: outage, match: {card: 5}}\n"
    first = SCENARIO + "    match: {card: 4}\n"
    assert len(parse(first + second, "drill.yaml").faults) == 2
    with pytest.raises(ScenarioError, match="already then"):
        parse(first + second.replace("card: 5", "card: 4"), "drill.yaml")
