"""The steps of a search as scenarios, and what cannot be searched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scenarios import checks
from scenarios.arrivals import of_load
from scenarios.peak_search import Limits, Step
from scenarios.peak_step import NoSearchError, limits_of, scenario_of, steady
from scenarios.reading import load_scenario, names
from scenarios.schema import Scenario

S = 1_000_000_000


def scenario(**more: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "shop",
            "gateways": {"stripe": {}},
            "load": {"arrivals": [{"duration": "10s", "rate": "20/s"}, {"duration": "10s", "rate": "80/s"}]},
            "objectives": {"success_rate": ">= 98%", "latency_p99": "< 1s"},
        }
        | more
    )


def limits(of: Scenario | None = None, **more: Any) -> Limits:
    wanted: dict[str, Any] = {
        "start": None,
        "most": 1000.0,
        "precision": 0.05,
        "steps": 14,
        "step_ns": 20 * S,
    }
    return limits_of(of or scenario(), **(wanted | more))


@pytest.mark.parametrize("name", names())
def test_every_scenario_that_comes_with_it_can_be_searched_or_says_why_not(name: str) -> None:
    try:
        calm = steady(load_scenario(name))
    except NoSearchError as error:
        assert "no objective is left to break" in str(error)
        return
    allowed = limits(calm.scenario)
    step = scenario_of(calm.scenario, Step(50, 80 * S, "narrow"), 3, allowed, 20_000)
    assert not step.faults
    assert list(checks.findings(step, frozenset())) == []


def test_a_step_is_a_ramp_and_a_constant_rate_of_other_payments() -> None:
    step = scenario_of(scenario(), Step(300, 20 * S, "raise"), 4, limits(), 20_000)
    ramp, hold = step.load.arrivals
    assert ramp.rate is not None and hold.rate is not None
    assert (ramp.duration, ramp.rate.start, ramp.rate.end) == (2 * S, 0, 300)
    assert (hold.duration, hold.rate.start, hold.rate.end) == (20 * S, 300, 300)
    assert step.seed == scenario().seed + 3
    due = list(of_load(step.load, step.seed))
    held = sum(2 * S <= at < 22 * S for at in due)
    assert held == pytest.approx(6000, rel=0.05) and len(due) - held == pytest.approx(300, rel=0.2)
    again = scenario_of(scenario(), Step(300, 20 * S, "confirm"), 5, limits(), 20_000)
    assert list(of_load(again.load, again.seed)) != due


def test_the_generator_may_hold_as_many_payments_as_can_wait_if_the_machine_carries_them() -> None:
    def held(rate: float, carried: int) -> int:
        return scenario_of(scenario(), Step(rate, 20 * S, "raise"), 1, limits(), carried).load.max_in_flight

    assert held(2_000, 100_000) == 12_600  # 5 s of them, and a quarter more
    assert held(2_000, 9_000) == 9_000
    assert held(10, 100_000) == scenario().load.max_in_flight


def test_faults_maintenance_and_what_only_they_decide_are_left_out_and_named() -> None:
    calm = steady(
        scenario(
            faults=[{"at": "1s", "for": "2s", "on": "stripe", "fault": "outage"}],
            maintenance=[{"at": "1s", "for": "2s"}],
            objectives={
                "success_rate": ">= 98%",
                "recovery_time": "< 5s",
                "monthly_uptime": {"target": ">= 99.9%", "incidents": "1/month"},
            },
        )
    )
    assert calm.faults == ("outage on stripe",)
    assert calm.objectives == ("monthly_uptime", "recovery_time")
    assert (calm.scenario.faults, calm.scenario.maintenance) == ((), ())
    assert calm.scenario.objectives.success_rate is not None
    assert calm.scenario.objectives.recovery_time is None


def test_users_are_left_out_and_counted() -> None:
    both = scenario(
        load={"arrivals": [{"duration": "10s", "rate": "20/s"}], "users": {"count": 7, "for": "20s"}}
    )
    calm = steady(both)
    assert calm.users == 7
    assert calm.scenario.load.users is None
    assert limits(calm.scenario).start == 20


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"load": {"users": {"count": 7, "for": "20s"}}}, "users only, and a search raises an arrival rate"),
        ({"objectives": {}}, "the scenario has none"),
        ({"objectives": {"recovery_time": "< 5s"}}, "recovery_time"),
        ({"gateways": {"stripe": {"sandbox": {}}}}, "a sandbox has a limit of its own"),
    ],
)
def test_what_cannot_be_searched_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(NoSearchError, match=said):
        steady(scenario(**more))


def test_it_starts_at_the_mean_rate_and_stays_where_something_can_be_decided() -> None:
    found = limits()
    assert found.start == 50
    # 299 payments bound a p99; a tenth more, in 80 s.
    assert found.least == 4.2
    assert found.payments == 299
    slow = scenario(load={"arrivals": [{"duration": "300s", "rate": "1/s"}]})
    assert limits(slow).start == 4.2


def test_a_host_that_is_not_this_machine_is_asked_no_more_than_it_allows() -> None:
    theirs = scenario(
        platform={"url": "https://shop.example.test"}, allow_hosts={"shop.example.test": "30/s"}
    )
    assert limits(theirs).most == 30
    assert limits(theirs).start == 30
    with pytest.raises(NoSearchError, match="beyond its limit of 30/s"):
        limits(theirs, start=50.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"start": 2000.0}, "it cannot start at 2000/s, beyond its limit of 1000/s"),
        ({"start": 1.0}, "fewer than the 299 payments .* start at 5/s or above"),
        ({"most": 2.0}, "let steps be longer with --step"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(NoSearchError, match=said):
        limits(**more)


def test_the_time_of_a_search_is_bounded_before_it_begins() -> None:
    found = limits()
    assert found.overhead_ns == (5 + 15 + 15) * S
    assert found.time_ns == 14 * (2 + 20 + 35) * S
    assert replace(found, steps=2).time_ns == 2 * 57 * S
