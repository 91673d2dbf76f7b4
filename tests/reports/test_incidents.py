from __future__ import annotations

from typing import Any

import pytest

from reports.findings import Slice
from reports.incidents import budget, incidents
from scenarios.schema import Fault, Scenario
from tests.reports.drill import Drill

S = 1_000_000_000


def _fault(at: int, length: int) -> Fault:
    return Fault.model_validate({"at": f"{at}s", "for": f"{length}s", "on": "stripe", "fault": "outage"})


def _slices(bad: set[int], seconds: int = 60, excluded: int = 0) -> tuple[Slice, ...]:
    return tuple(
        Slice(
            s * S,
            (s + 1) * S,
            50,
            0 if s in bad else 50,
            s not in bad,
            None,
            None,
            excluded if s in bad else 0,
            0,
            True,
        )
        for s in range(seconds)
    )


@pytest.mark.parametrize(
    ("windows", "spans"),
    [
        ([], []),
        ([(10, 5)], [(10, 15, ("f1",))]),
        ([(10, 5), (12, 6)], [(10, 18, ("f1", "f2"))]),
        ([(10, 5), (15, 5)], [(10, 20, ("f1", "f2"))]),
        ([(10, 5), (16, 5)], [(10, 15, ("f1",)), (16, 21, ("f2",))]),
        ([(30, 5), (10, 5)], [(10, 15, ("f2",)), (30, 35, ("f1",))]),
        ([(10, 20), (12, 2)], [(10, 30, ("f1", "f2"))]),
        ([(10, 5), (60, 5)], [(10, 15, ("f1",))]),
    ],
)
def test_faults_that_overlap_or_touch_are_one_incident(
    windows: list[tuple[int, int]], spans: list[tuple[int, int, tuple[str, ...]]]
) -> None:
    faults = [(f"f{i}", _fault(*window)) for i, window in enumerate(windows, 1)]
    found = incidents(faults, _slices(set()), 60 * S, 5 * S)
    assert [(i.start_ns // S, i.stop_ns // S, i.faults) for i in found] == spans


def test_an_incidents_bad_time_begins_one_time_out_before_it() -> None:
    faults = [("f1", _fault(10, 5)), ("f2", _fault(40, 5))]
    found = incidents(faults, _slices({2, 9, 10, 11, 34, 38, 40}), 60 * S, 5 * S)
    # Second 2 is nobody's; 9, 10, 11 and 34 are the first one's; 38 and 40 the second one's.
    assert [i.bad_ns // S for i in found] == [4, 2]


def _scenario(objectives: dict[str, Any]) -> Scenario:
    return Drill(60, objectives=objectives).scenario


@pytest.mark.parametrize(
    ("objectives", "target", "budget_s"), [({}, 0.999, 2592), ({"uptime": ">= 99%"}, 0.99, 25920)]
)
def test_the_budget_is_that_of_the_objective_or_of_three_nines(
    objectives: dict[str, Any], target: float, budget_s: int
) -> None:
    found = incidents([("f1", _fault(10, 5))], _slices(set()), 60 * S, 5 * S)
    spent = budget(_scenario(objectives), found, _slices({10, 11}))
    assert spent is not None
    assert (spent.target, spent.budget_ns) == (target, budget_s * S)
    assert spent.incidents_per_month is None and spent.monthly_uptime is None


def test_monthly_uptime_by_hand() -> None:
    # Two incidents, 6 bad seconds: 3 s each. 10 a month: 30 s of 2,592,000 s. 43.2 min afford 864 of them.
    found = incidents([("f1", _fault(10, 5)), ("f2", _fault(40, 5))], (), 60 * S, 5 * S)
    wanted = {"monthly_uptime": {"target": ">= 99.9%", "incidents": "10/month"}}
    spent = budget(_scenario(wanted), found, _slices({1, 10, 11, 40, 41, 42}))
    assert spent is not None
    assert spent.downtime_per_incident_ns == 3 * S
    assert spent.monthly_uptime == pytest.approx(1 - 30 / 2_592_000)
    assert spent.share_used == pytest.approx(3 / 2592)
    assert spent.affordable == 864


def test_downtime_is_net_of_maintenance() -> None:
    found = incidents([("f1", _fault(10, 5))], (), 60 * S, 5 * S)
    spent = budget(_scenario({}), found, _slices({10, 11}, excluded=S // 4))
    assert spent is not None and spent.downtime_per_incident_ns == 3 * S // 2


def test_without_downtime_a_month_affords_any_number() -> None:
    found = incidents([("f1", _fault(10, 5))], (), 60 * S, 5 * S)
    spent = budget(_scenario({}), found, _slices(set()))
    assert spent is not None and (spent.affordable, spent.share_used) == (None, 0.0)


def test_an_objective_of_100_percent_has_no_budget() -> None:
    found = incidents([("f1", _fault(10, 5))], (), 60 * S, 5 * S)
    spent = budget(_scenario({"uptime": ">= 100%"}), found, _slices({10}))
    assert spent is not None and (spent.budget_ns, spent.share_used, spent.affordable) == (0, None, 0)


def test_without_faults_there_is_no_budget_to_speak_of() -> None:
    assert budget(_scenario({}), (), _slices({3})) is None


def test_each_repetition_is_an_incident_and_all_flaps_are_one() -> None:
    plain = {"at": "10s", "for": "5s", "on": "stripe", "fault": "outage"}
    thrice = Fault.model_validate(plain | {"repeat": {"every": "10s", "times": 3}})
    flaps = Fault.model_validate(plain | {"flap": {"on": "1s", "off": "1s"}})
    cut = _slices({11, 21, 31})
    assert [
        (i.start_ns // S, i.stop_ns // S, i.bad_ns // S) for i in incidents([("f1", thrice)], cut, 60 * S, 0)
    ] == [
        (10, 15, 1),
        (20, 25, 1),
        (30, 35, 1),
    ]
    assert len(incidents([("f1", flaps)], cut, 60 * S, 0)) == 1
