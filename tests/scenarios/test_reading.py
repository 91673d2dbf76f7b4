"""Bad scenarios: one case per error, each told with its place and what to do, and all of them at once."""

import pytest

from scenarios.document import ScenarioError
from scenarios.quantities import RateRange
from scenarios.reading import load_scenario, names, parse

GOOD = """\
name: drill
gateways:
  stripe: {latency: {p50: 120ms, p99: 600ms}, weight: 60}
  adyen: {}
load:
  arrivals:
    - {duration: 10s, rate: 50/s}
    - {duration: 20s, rate: 50/s..400/s}
faults:
  - {at: 5s, for: 5s, on: stripe, fault: outage}
probes:
  - {probe: payment, every: 1s}
objectives:
  success_rate: ">= 98%"
  recovery_time: "< 5s"
  lost_payments: 0
"""


def problems(text: str, *settings: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "bad.yaml", settings)
    return [str(problem) for problem in caught.value.problems]


def test_the_good_one_is_good_and_reads_back_from_its_own_dump() -> None:
    import yaml

    scenario = parse(GOOD, "good.yaml")
    again = parse(yaml.safe_dump({**scenario.to_plain(), "run": {"id": "x"}}), "again.yaml")
    assert again == scenario
    assert scenario.load.arrivals[1].rate == RateRange(50, 400)
    assert scenario.faults[0].end == 10_000_000_000


@pytest.mark.parametrize("name", names())
def test_the_scenarios_that_come_with_it_are_sound(name: str) -> None:
    assert load_scenario(name).name == name.replace("_", "-")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("name: drill", "name: Black Friday!", 1, "a-z, 0-9"),
        ("name: drill\n", "", 1, "'name' is missing"),
        ("rate: 50/s}", "rate: 50}", 7, "50 has no unit; write 50/s"),
        ("rate: 50/s}", "rate: -50/s}", 7, "not a rate"),
        ("duration: 10s", "duration: 10", 7, "write 10s or 10ms"),
        ("duration: 10s", "duration: 0s", 7, "must be above 0s"),
        ("duration: 10s", "durration: 10s", 7, "did you mean duration?"),
        ("stripe: {latency", "strpe: {latency", 3, "did you mean stripe?"),
        ("p99: 600ms", "p99: 60ms", 3, "p99 is below p50"),
        ("weight: 60", "weight: -1", 3, "at least 0"),
        ("on: stripe", "on: paypal", 10, "this scenario has no gateway 'paypal'"),
        ("fault: outage", "fault: outtage", 10, "did you mean outage?"),
        ("fault: outage", "fault: outage, params: {depth: 3}", 10, "unknown parameter 'depth'"),
        ("fault: outage", "fault: http_error, params: {status: 200}", 10, "400 to 599"),
        ("fault: outage", "fault: http_error, share: 0%", 10, "above 0"),
        ("fault: outage", "fault: http_error, endpoint: payment_intent.create", 10, "did you mean payment_intents.create"),
        ("at: 5s", "at: 40s", 10, "after the load has ended"),
        ("for: 5s", "for: 50s", 10, "after the load"),
        ("probe: payment", "probe: paymnt", 12, "did you mean payment?"),
        ("every: 1s}", "every: 1s, on: stripe}", 12, "on: platform"),
        ("every: 1s}", "every: 1s, params: {amount_minor: 0}}", 12, "at least 1"),
        ("every: 1s}", "every: 1ms}", 12, "at least 50ms"),
        ('">= 98%"', '"<= 98%"', 14, "cannot be meant"),
        ('">= 98%"', '"98%"', 14, "how to compare is not said"),
        ('">= 98%"', '">= 100%"', 14, "can never be decided"),
        ('">= 98%"', '">= 99.99%"', 14, "29,956 are the fewest"),
        ("success_rate", "sucess_rate", 14, "did you mean success_rate?"),
        ("lost_payments: 0", "lost_payments: none", 16, "not a count"),
        ("lost_payments: 0", "approval_rate: '>= 97%'", 16, "cannot be held"),
        ("lost_payments: 0", "latency_p95: '< 9s'", 16, "give up after 5s"),
        ("load:\n", "load:\n  mix: {card: 60%}\n", 6, "add up to 60%"),
        ("load:\n", "load:\n  mix: {crypto: 100%}\n", 6, "no payment method 'crypto'"),
        ("load:\n", "load:\n  currencies: {EURO: 100%}\n", 6, "did you mean EUR?"),
        ("load:\n", "load:\n  spacing: evn\n", 6, "did you mean even?"),
        ("weight: 60", "weight: 60, clock_speed: 0", 3, "above 0"),
        ("weight: 60", "weight: 60, webhooks: {doubled: 120%}", 3, "100%"),
        ("name: drill", "name: drill\nplatform: {url: 'http://pay.example.test'}", 2, "allow_hosts"),
        ("name: drill", "name: drill\nplatform: {url: 'ftp://x'}", 2, "must be an http"),
        ("name: drill", "name: drill\nplatform: {url: 'http://127.0.0.1', reference: {}}", 2, "not both"),
        ("name: drill", "name: drill\nplatform: {url: 'https://api-m.paypal.com'}", 2, "a live host"),
        ("name: drill", "name: drill\nabout: sk_live_4eC39HqLyjWDarjtT1", 2, "a live key"),
        ("name: drill", "name: drill\nmaintenance: [{at: 25s, for: 10s}]", 2, "ends after the load"),
        ("name: drill", "name: drill\nname: drill", 2, "stands here twice"),
        ("name: drill", "name: [drill", 2, "not YAML"),
        ("name: drill", "name: drill\nseed: 1.5", 2, "whole number"),
        ("probes:\n  - {probe: payment, every: 1s}", "probes: 3", 11, "must be a list"),
        ("name: drill", "name: drill\nload: 3", 6, "stands here twice"),
    ],
)  # fmt: skip
def test_each_error_has_its_line_and_says_what_to_do(
    old: str, new: str, line: int | None, words: str
) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    place = f"bad.yaml:{line}:" if line else "bad.yaml:"
    assert any(text.startswith(place) and words in text for text in found), found


def test_a_live_payment_api_is_refused_even_when_it_is_allowed() -> None:
    text = GOOD.replace(
        "name: drill",
        "name: drill\nplatform: {url: 'https://api.stripe.com'}\nallow_hosts: {api.stripe.com: 1/s}",
    )
    (found,) = problems(text)
    assert "live payment API" in found


def test_a_live_key_is_never_repeated() -> None:
    (text,) = problems(GOOD.replace("name: drill", "name: drill\nabout: sk_live_4eC39HqLyjWDarjtT1"))
    assert "4eC39" not in text


def test_all_errors_show_at_once_each_at_its_own_line() -> None:
    bad = (
        GOOD.replace("rate: 50/s}", "rate: 50}")
        .replace("fault: outage", "fault: outtage")
        .replace("on: stripe", "on: strip")
        .replace("probe: payment", "probe: paymnt")
        .replace('">= 98%"', '"98"')
        + "  colour: red\nfoo: 1\n"
    )
    found = problems(bad)
    lines = [int(text.split(":")[1]) for text in found]
    assert lines == sorted(lines)
    assert set(lines) == {7, 10, 12, 14, 17, 18}
    assert len(found) == 7


def test_a_broken_item_does_not_shift_the_lines_of_the_others() -> None:
    bad = GOOD.replace(
        "  - {at: 5s, for: 5s, on: stripe, fault: outage}\n",
        "  - {at: 5s, on: stripe, fault: outage}\n"
        "  - {at: 6s, for: 1s, on: adyen, fault: outage}\n"
        "  - {at: 7s, for: 1s, on: nobody, fault: outage}\n",
    )
    found = problems(bad)
    assert [text.partition(": faults")[0] for text in found] == ["bad.yaml:10", "bad.yaml:12"]
    assert "faults.2.on" in found[1]


@pytest.mark.parametrize(
    "text", ["", "3", "- a\n- b\n", "name: x", "!!python/object:os.system {}", "\t: x", "a: &a [*a]"]
)
def test_what_is_no_scenario_at_all_is_refused_without_a_traceback(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    "name", ["monthly_uptime", "detection_time", "failover_time", "recovery_time", "failback_time"]
)
def test_objectives_about_faults_need_a_fault(name: str) -> None:
    value = "{target: '>= 99.9%', incidents: 10/month}" if name == "monthly_uptime" else '"< 5s"'
    text = GOOD.replace("faults:\n  - {at: 5s, for: 5s, on: stripe, fault: outage}\n", "")
    text = text.replace('  recovery_time: "< 5s"\n', f"  {name}: {value}\n")
    (found,) = problems(text)
    assert "can never be decided: this scenario has no fault" in found


def test_money_cannot_be_judged_without_gateways() -> None:
    text = GOOD.replace("name: drill", "name: drill\nplatform: {url: 'http://127.0.0.1:1'}")
    text = text.replace("faults:\n  - {at: 5s, for: 5s, on: stripe, fault: outage}\n", "")
    text = text.replace('  recovery_time: "< 5s"\n', "")
    (found,) = problems(text, "gateways={}")
    assert "lost_payments: can never be decided: no gateway" in found
    assert parse(text.replace("  lost_payments: 0\n", ""), "good.yaml", ["gateways={}"]).gateways == {}


def test_settings_override_any_key() -> None:
    scenario = parse(
        GOOD, "good.yaml", ["load.arrivals.1.rate=800/s", "seed=9", "gateways.adyen.weight=3", "settle=1s"]
    )
    assert scenario.load.arrivals[1].rate == RateRange(800, 800)
    assert (scenario.seed, scenario.gateways["adyen"].weight, scenario.settle) == (9, 3.0, 1_000_000_000)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("load.arrivals.9.rate=1/s", "has 2 items, counted from 0"),
        ("name.first=x", "is a single value"),
        ("seed", "write KEY=VALUE"),
        ("load.arrivals.1.rate=800", "800 has no unit"),
        ("load.arivals.1.rate=8/s", "did you mean arrivals?"),
        ("name=[", "not YAML"),
    ],
)
def test_a_wrong_setting_is_told_as_such(setting: str, words: str) -> None:
    found = problems(GOOD, setting)
    assert any(text.startswith(f"--set {setting}") and words in text for text in found), found


def test_names_and_paths() -> None:
    with pytest.raises(ScenarioError, match="did you mean gateway_failover"):
        load_scenario("gateway_failovr")
    with pytest.raises(ScenarioError, match="no such file"):
        load_scenario("nowhere/x.yaml")
    assert load_scenario("gateway-failover") == load_scenario("scenarios/gateway_failover.yaml")
