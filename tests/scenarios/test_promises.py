"""Every scenario that comes with it says in one line what it teaches, and promises its verdict.

Whether the promises are kept is for ``tests/drills/test_scenarios.py``, which plays them.
"""

from __future__ import annotations

import pytest

from scenarios.reading import load_scenario, names
from tests.drills.promise import promise_of


@pytest.mark.parametrize("name", names())
def test_its_header_promises_a_verdict_that_its_objectives_can_give(name: str) -> None:
    status, broken = promise_of(name)
    objectives = load_scenario(name).objectives
    assert (status == "FAIL") == bool(broken)
    assert all(getattr(objectives, wanted) is not None for wanted in broken)
    for money in ("lost_payments", "double_charges", "orphan_captures", "unresolved_unknowns"):
        bound = getattr(objectives, money)
        assert (bound.comparison, bound.value) == ("<=", 0) and money not in broken


@pytest.mark.parametrize("name", names())
def test_one_line_says_what_it_teaches_and_names_a_failure_that_is_wanted(name: str) -> None:
    about = load_scenario(name).about
    assert 30 <= len(about) <= 100 and about.endswith(".")
    assert ("must FAIL on" in about) == (promise_of(name).status == "FAIL")


@pytest.mark.parametrize("name", names())
def test_it_is_short_and_its_faults_end_before_it_does(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.duration_ns <= 120 * 10**9
    for fault in scenario.faults:
        # Recovery, and what failback shows, need payments after the fault.
        assert fault.end + 10 * 10**9 <= scenario.duration_ns
