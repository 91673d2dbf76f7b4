"""Scenarios with sandboxes: refused when their rate does not fit, with the rate that would, which is true."""

from __future__ import annotations

import re

import pytest
import yaml

from scenarios.document import ScenarioError
from scenarios.reading import parse
from scenarios.sandboxes import PLANNED_SHARE, request_limit, request_rate

TEXT = """\
name: box
gateways:
  stripe: {sandbox: {}}
load:
  currencies: {EUR: 100%}
  arrivals:
    - {duration: 5s, rate: 1/s}
    - {duration: 5s, rate: 1/s..RATE}
"""


def complaints(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "box.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_a_rate_that_fits_is_taken() -> None:
    scenario = parse(TEXT.replace("RATE", "15/s"), "box.yaml")
    assert scenario.gateways["stripe"].sandbox is not None
    assert request_rate(scenario, "stripe") == (1.0, 0.0)
    assert request_limit(scenario.gateways["stripe"], "stripe") == 24


@pytest.mark.parametrize(
    ("gateways", "mix", "rest", "most"),
    [
        ("stripe: {sandbox: {}}", "card: 100%", "", "19/s"),
        ("stripe: {sandbox:}", "card: 100%", "", "19/s"),
        ("stripe: {sandbox: {rate: 10/s}}", "card: 100%", "", "7.6/s"),
        ("stripe: {sandbox: {}, weight: 1}\n  adyen: {weight: 3}", "card: 100%", "", "76/s"),
        ("stripe: {sandbox: {}}\n  gocardless: {}", "card: 20%, bank: 80%", "", "96/s"),
        ("gocardless: {sandbox: {}}", "bank: 100%", "", "3.1/s"),
        ("gocardless: {sandbox: {}}\n  adyen: {}", "card: 50%, bank: 50%", "", "6.3/s"),
        ("adyen: {sandbox: {}}", "card: 100%", "", "15/s"),
        ("stripe: {sandbox: {}}", "card: 100%", "probes: [{probe: payment, every: 1s}]", "17/s"),
        ("gocardless: {sandbox: {}}\n  adyen: {}", "bank: 100%", "probes: [{probe: payment}]", "3.1/s"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_rate_that_would(
    gateways: str, mix: str, rest: str, most: str
) -> None:
    text = TEXT.replace("stripe: {sandbox: {}}", gateways).replace("load:", f"load:\n  mix: {{{mix}}}") + rest
    (complaint,) = complaints(text.replace("RATE", "200/s"))
    line = next(n for n, line in enumerate(text.splitlines(), start=1) if "RATE" in line)
    assert complaint.startswith(f"box.yaml:{line}: load.arrivals.1.rate: 200/s does not fit")
    fits = re.search(r"hint: (\S+) would fit", complaint)
    assert fits is not None and fits[1] == most
    parse(text.replace("RATE", fits[1]), "box.yaml")
    beyond = f"{float(fits[1].removesuffix('/s')) * 1.1 + 1}/s"
    assert len(complaints(text.replace("RATE", beyond))) == 1


def test_probes_that_alone_are_too_many_are_refused() -> None:
    text = TEXT.replace("RATE", "6/s") + "probes: [{probe: payment, every: 100ms}]"
    (complaint,) = complaints(text)
    assert "probes: the payment probes alone" in complaint and f"{24 * PLANNED_SHARE:.3g}/s" in complaint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("stripe: {sandbox: {rate: 26/s}}", "gateways.stripe.sandbox.rate: is above"),
        ("stripe: {sandbox: {}, clock_speed: 60}", "gateways.stripe.clock_speed: is a mock's"),
        ("stripe: {sandbox: {}, latency: {p50: 1ms, p99: 2ms}}", "gateways.stripe.latency: is a mock's"),
        ("stripe: {sandbox: {address: '10.0.0.1:443'}}", "gateways.stripe.sandbox.address"),
        ("stripe: {sandbox: {key: sk_test_1}}", "unknown key 'key'"),
        (
            "stripe: {sandbox: {}}\nfaults: [{at: 1s, for: 1s, on: stripe, fault: keys_lost}]",
            "inside a gateway",
        ),
        ("stripe: {sandbox: {}}\nfaults: [{at: 1s, for: 1s, on: stripe, fault: kill}]", "inside a gateway"),
        ("stripe: {sandbox: {}}\n  paypal: {sandbox: {}}", "a person approves each order"),
    ],
)
def test_what_has_no_meaning_with_a_sandbox_is_refused(change: str, says: str) -> None:
    text = TEXT.replace("RATE", "6/s").replace("stripe: {sandbox: {}}", change)
    assert any(says in complaint for complaint in complaints(text))


def test_objectives_that_only_events_could_decide_are_refused() -> None:
    text = TEXT.replace("RATE", "6/s") + "objectives: {payout_mismatches: 0, lost_payments: 0}"
    (complaint,) = complaints(text)
    assert "objectives.payout_mismatches: can never be decided" in complaint


def test_a_platform_of_ones_own_may_use_paypals_sandbox() -> None:
    text = TEXT.replace("RATE", "3/s").replace("stripe", "paypal")
    text = text.replace("load:", "load:\n  mix: {paypal: 100%}") + "platform: {url: 'http://127.0.0.1:9'}"
    (complaint,) = complaints(text)
    assert "2.4/s would fit" in complaint
    parse(text.replace("3/s", "2.4/s"), "box.yaml")


@pytest.mark.parametrize(
    "secret",
    ["sk_live_51Habc", "rk_live_51Habc", "live_abcdefghij0123456789abcd", "https://api.gocardless.com/"],
)
def test_live_keys_and_hosts_are_refused_wherever_they_stand(secret: str) -> None:
    found = complaints(TEXT.replace("RATE", "6/s") + f"about: 'see {secret}'")
    assert any("is refused, always" in complaint for complaint in found)
    assert not any("51Habc" in complaint or "abcdefghij" in complaint for complaint in found)


def test_words_and_sandbox_hosts_are_no_live_keys() -> None:
    parse(TEXT.replace("RATE", "6/s") + "about: a live_drill at api-sandbox.gocardless.com", "box.yaml")


def test_the_resolved_scenario_reads_back_the_same() -> None:
    scenario = parse(TEXT.replace("RATE", "6/s"), "box.yaml")
    assert parse(yaml.safe_dump(scenario.to_plain()), "run.yaml") == scenario
