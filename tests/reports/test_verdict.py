from __future__ import annotations

from dataclasses import replace

import pytest

from reports.findings import Damage, Ended, ObjectiveFinding, Status
from reports.generator import generator
from reports.verdict import verdict
from tests.reports.frames import payments
from tests.reports.test_objectives import FAULT

SOUND = generator(payments(range(0, 2_000_000_000, 10_000_000)), 200, True, 2_000_000_000)


def _objective(status: Status, why: str = "because") -> ObjectiveFinding:
    return ObjectiveFinding(
        "uptime", ">= 99%", 0.99, "share", status, "measured", 1.0, None, None, 1, None, "", why
    )


@pytest.mark.parametrize(
    ("statuses", "ended", "status", "code"),
    [
        (["PASS"], "complete", "PASS", 0),
        (["PASS", "FAIL", "INCONCLUSIVE"], "complete", "FAIL", 1),
        (["PASS", "INCONCLUSIVE"], "complete", "INCONCLUSIVE", 3),
        ([], "complete", "INCONCLUSIVE", 3),
        (["PASS"], "aborted", "INCONCLUSIVE", 4),
        (["FAIL"], "aborted", "FAIL", 4),
        (["PASS"], "stopped", "INCONCLUSIVE", 3),
        (["PASS", "FAIL"], "stopped", "FAIL", 1),
        (["PASS"], "interrupted", "INCONCLUSIVE", 130),
        (["FAIL"], "interrupted", "FAIL", 130),
    ],
)
def test_what_objectives_and_the_end_add_up_to(
    statuses: list[Status], ended: Ended, status: Status, code: int
) -> None:
    found = verdict([_objective(s) for s in statuses], (FAULT,), SOUND, (), ended, "why")
    assert (found.status, found.exit_code, found.ended) == (status, code, ended)
    assert found.reasons


@pytest.mark.parametrize("what", ["generator", "fault", "damage"])
def test_a_drill_that_is_no_evidence_is_inconclusive(what: str) -> None:
    made = replace(SOUND, sound=False, why="it fell behind") if what == "generator" else SOUND
    fault = replace(FAULT, hits=0) if what == "fault" else FAULT
    damage = (Damage("a.payment.arrow", "ends in the middle of a batch", True),) if what == "damage" else ()
    found = verdict([_objective("PASS")], (fault,), made, damage, "complete", "")
    said = {"generator": "it fell behind", "fault": "it tested nothing", "damage": "a.payment.arrow ends"}[
        what
    ]
    assert (found.status, found.exit_code) == ("INCONCLUSIVE", 3)
    assert len(found.reasons) == 1 and said in found.reasons[0]


def test_damage_that_does_not_matter_does_not_matter() -> None:
    damage = (Damage("a.probe.arrow", "is empty", False),)
    assert verdict([_objective("PASS")], (), SOUND, damage, "complete", "").status == "PASS"


def test_reasons_name_failures_first_and_say_nothing_twice() -> None:
    objectives = [
        _objective("INCONCLUSIVE", "it fell behind"),
        _objective("INCONCLUSIVE", "other"),
        _objective("FAIL", "bad"),
    ]
    late = replace(SOUND, sound=False, why="it fell behind")
    found = verdict(objectives, (), late, (), "complete", "")
    assert found.reasons == ("uptime >= 99%: bad", "it fell behind", "uptime >= 99%: other")
