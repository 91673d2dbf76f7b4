"""Who would not play the same plan is told apart, with both named."""

from scenarios.distributed.handshake import another_plan, clock_id, disagreement, fingerprint, planned
from scenarios.reading import load_scenario


def test_the_same_code_agrees_and_another_version_does_not() -> None:
    ours = fingerprint("1.2.3")
    assert disagreement(ours, fingerprint("1.2.3")) == ""
    assert disagreement(fingerprint("1.2.2"), ours) == (
        "the worker has paydrill 1.2.2, the master paydrill 1.2.3"
    )
    assert "Locust 2.0" in disagreement(ours._replace(locust="2.0"), ours)
    assert "other columns (abc)" in disagreement(ours._replace(tables="abc"), ours)


def test_another_seed_plan_or_faker_is_another_plan() -> None:
    ours = planned(load_scenario("steady_state", []))
    assert another_plan(planned(load_scenario("steady_state", [])), ours) == ""
    for change in ("seed=99", "load.declines=9%", "load.arrivals=[{duration: 30s, rate: 61/s}]"):
        why = another_plan(planned(load_scenario("steady_state", [change])), ours)
        assert ours.digest in why, change
        assert "Faker" in why
    assert another_plan(ours._replace(faker="1.0"), ours) == ""


def test_the_clock_of_this_process_has_a_name() -> None:
    assert clock_id() == clock_id() != ""
