"""Regions, and faults that end a process: what a scenario may say of them."""

from __future__ import annotations

import pytest

from paydrill.check import in_words
from scenarios.checkout import plan, summarise
from scenarios.document import ScenarioError
from scenarios.reading import parse

S = 1_000_000_000
TEXT = """\
name: ended
gateways:
  stripe: {region: eu}
  adyen: {region: eu}
  paypal: {region: us}
load:
  mix: {card: 90%, paypal: 10%}
  arrivals: [{duration: 60s, rate: 5/s}]
faults:
  - FAULT
objectives:
  success_rate: ">= 90%"
"""


def _said(fault: str, more: str = "") -> str:
    with pytest.raises(ScenarioError) as caught:
        parse(TEXT.replace("FAULT", fault) + more, "ended.yaml")
    return str(caught.value)


def test_a_fault_on_a_region_is_one_on_each_of_its_gateways() -> None:
    scenario = parse(TEXT.replace("FAULT", "{at: 5s, for: 9s, on: eu, fault: outage}"), "ended.yaml")
    found = scenario.identified_faults()
    assert [(identity, fault.on, fault.at, fault.end) for identity, fault in found] == [
        ("f1.stripe", "stripe", 5 * S, 14 * S),
        ("f1.adyen", "adyen", 5 * S, 14 * S),
    ]
    assert scenario.ended_processes() == frozenset()
    assert any("eu (stripe, adyen): outage" in line for line in in_words(scenario, summarise(plan(scenario))))


def test_processes_of_a_region_and_the_platform_can_be_ended() -> None:
    text = TEXT.replace(
        "FAULT", "{at: 5s, for: 9s, on: us, fault: kill}\n  - {at: 5s, for: 2s, on: platform, fault: restart}"
    )
    scenario = parse(text, "ended.yaml")
    assert [identity for identity, _ in scenario.identified_faults()] == ["f1.paypal", "f2"]
    assert scenario.ended_processes() == {"paypal", "platform"}
    assert (
        parse(text, "ended.yaml").to_plain() == type(scenario).model_validate(scenario.to_plain()).to_plain()
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("{at: 5s, for: 9s, on: asia, fault: kill}", "no gateway 'asia', and no such region"),
        ("{at: 5s, for: 9s, on: asia, fault: kill}", "stripe, adyen, paypal, eu, us, platform"),
        ("{at: 5s, for: 9s, on: platform, fault: outage}", "the platform can have: kill, restart"),
        ("{at: 5s, for: 9s, on: stripe, fault: kil}", "did you mean kill?"),
        ("{at: 5s, for: 9s, on: stripe, fault: kill, params: {hard: 1}}", "unknown parameter 'hard'"),
        ("{at: 5s, for: 9s, on: stripe, fault: kill, share: 10%}", "leave share out"),
        ("{at: 5s, for: 9s, on: stripe, fault: restart, match: {currency: EUR}}", "leave match out"),
    ],
)
def test_what_makes_no_sense_is_said(fault: str, said: str) -> None:
    assert said in _said(fault)


def test_a_platform_that_is_not_ours_cannot_be_killed() -> None:
    said = _said("{at: 5s, for: 9s, on: platform, fault: kill}", 'platform: {url: "http://127.0.0.1:9"}\n')
    assert "is not started by the drill" in said


def test_a_region_has_a_name_of_its_own() -> None:
    text = TEXT.replace("FAULT", "{at: 5s, for: 9s, on: stripe, fault: outage}").replace("us", "adyen")
    with pytest.raises(ScenarioError, match="give the region a name of its own"):
        parse(text, "ended.yaml")


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        ("{at: 1s, for: 4s, on: stripe, fault: outage}", True),
        ("{at: 14s, for: 4s, on: stripe, fault: kill}", True),
        ("{at: 8s, for: 1s, on: paypal, fault: outage}", True),
        ("{at: 8s, for: 1s, on: stripe, fault: latency, params: {add: 1s}}", False),
        ("{at: 1s, for: 5s, on: eu, fault: outage}", False),
        ("{at: 8s, for: 1s, on: stripe, fault: restart}", False),
        ("{at: 1s, for: 1s, on: stripe, fault: outage, repeat: {every: 6s, times: 2}}", False),
    ],
)
def test_what_is_down_has_no_other_fault(other: str, fits: bool) -> None:
    both = f"{{at: 5s, for: 9s, on: stripe, fault: kill}}\n  - {other}"
    if fits:
        parse(TEXT.replace("FAULT", both), "ended.yaml")
    else:
        assert "let the one be over before the other starts" in _said(both)
