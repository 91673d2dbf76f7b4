from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reports.availability import slices, uptime
from reports.findings import (
    Availability,
    Budget,
    FaultFindings,
    Figure,
    InFlight,
    Money,
    MoneyCount,
    ObjectiveFinding,
    Settlement,
    WithinFault,
)
from reports.generator import generator
from reports.objectives import Judged, judge_objectives
from reports.payments import NEVER, Payments
from reports.proportion import rate
from reports.success import success_rows
from scenarios.schema import Objectives
from tests.reports.frames import payments

S = 1_000_000_000
MS = 1_000_000
FINE = Figure("measured", 1 * S, "measured", 1 * S, 5 * MS, "")
NONE = MoneyCount("", "wrong", 0, (), True, "")
MONEY = Money(100, 5, (), NONE, NONE, 0, *(NONE,) * 8, Settlement(0, 0, 0, 0), (), ())
FAULT = FaultFindings(
    "f1", "outage", "stripe", 10 * S, 20 * S, 10 * S, 20 * S, 7, FINE, "http on stripe", FINE, FINE, FINE,
    InFlight(0, 0, 0, 0, 0, 0), WithinFault(0, 0, 0, 0, 0, S), 0, (),
)  # fmt: skip


def _judge(
    wanted: Mapping[str, Any], frame: Payments | None = None, planned: int | None = None, **changed: Any
) -> dict[str, ObjectiveFinding]:
    frame = payments([i * S // 100 for i in range(400)]) if frame is None else frame
    end = (int(frame.due_ns[-1]) // S + 1) * S if len(frame) else S
    cut = slices(frame, 5 * S, end, (), True)
    judged = Judged(
        objectives=Objectives.model_validate(dict(wanted)),
        ended="complete",
        ended_why="",
        generator=generator(frame, len(frame) if planned is None else planned, True, end),
        success=success_rows(frame, (), True)[0],
        latencies_ns=np.sort(frame.latency_ns),
        availability=Availability(cut, uptime(cut), None, None, (), rate(frame.due_ns, frame.success)),
        budget=None,
        faults=(FAULT,),
        money=MONEY,
    )
    return {finding.name: finding for finding in judge_objectives(replace(judged, **changed))}


def _payments(n: int, failed: set[int] | range = range(0), per_second: int = 100) -> Payments:
    return payments([i * S // per_second for i in range(n)], [i not in failed for i in range(n)])


@pytest.mark.parametrize(
    ("n", "failures", "target", "status", "enough"),
    [
        (149, 0, "98%", "PASS", None),
        (148, 0, "98%", "INCONCLUSIVE", 149),
        (2995, 0, "99.9%", "PASS", None),
        (2994, 0, "99.9%", "INCONCLUSIVE", 2995),
        (236, 1, "98%", "PASS", None),
        (235, 1, "98%", "INCONCLUSIVE", 236),
        (1000, 20, "98%", "INCONCLUSIVE", None),
        (1000, 28, "98%", "INCONCLUSIVE", None),
        (1000, 29, "98%", "FAIL", None),
        (1000, 1000, "98%", "FAIL", None),
        (1000, 0, "100%", "INCONCLUSIVE", None),
    ],
)
def test_success_rate_is_gated_on_its_exact_bound(
    n: int, failures: int, target: str, status: str, enough: int | None
) -> None:
    # Failures spread evenly, so that they are not dispersed.
    failed = {(2 * i + 1) * n // (2 * failures) for i in range(failures)}
    found = _judge({"success_rate": f">= {target}"}, _payments(n, failed))["success_rate"]
    assert (found.status, found.n, found.value) == (status, n, 1 - failures / n)
    if enough and failures == 0:
        assert found.enough == enough
    elif enough:
        assert found.enough is not None and found.enough > n
    else:
        assert found.enough is None
    if found.enough is not None:
        assert f"{found.enough:,} payments" in found.why


def test_a_burst_makes_a_pass_inconclusive() -> None:
    even = _judge({"success_rate": ">= 99.9%"}, _payments(30000, set(range(0, 30000, 1500))))["success_rate"]
    burst = _judge({"success_rate": ">= 99.9%"}, _payments(30000, range(5000, 5020)))["success_rate"]
    assert even.value == burst.value
    assert even.status == "PASS"
    assert burst.status == "INCONCLUSIVE"
    assert "bursts" in burst.why
    assert burst.enough is not None and burst.enough > 30000


def test_a_burst_does_not_excuse_a_failure() -> None:
    assert (
        _judge({"success_rate": ">= 98%"}, _payments(10000, range(5000, 6000)))["success_rate"].status
        == "FAIL"
    )


@pytest.mark.parametrize(
    ("slow", "n", "status", "state", "enough"),
    [
        (0, 59, "PASS", "measured", None),
        (0, 58, "INCONCLUSIVE", "measured", 59),
        (5, 100, "INCONCLUSIVE", "measured", None),
        (20, 100, "FAIL", "measured", None),
    ],
)
def test_latency_is_gated_on_its_order_statistic_bound(
    slow: int, n: int, status: str, state: str, enough: int | None
) -> None:
    frame = payments(
        [i * S // 100 for i in range(n)], latency_ns=[900 * MS if i < slow else 100 * MS for i in range(n)]
    )
    found = _judge({"latency_p95": "< 800ms"}, frame)["latency_p95"]
    assert (found.status, found.state, found.enough) == (status, state, enough)


def test_a_percentile_without_an_answer_is_never_and_fails() -> None:
    frame = payments(
        [i * S // 100 for i in range(200)], latency_ns=[NEVER if i < 30 else 100 * MS for i in range(200)]
    )
    found = _judge({"latency_p95": "< 800ms"}, frame)["latency_p95"]
    assert (found.status, found.state, found.value) == ("FAIL", "never", None)


def test_without_payments_nothing_is_decided() -> None:
    wanted = {"success_rate": ">= 98%", "latency_p50": "< 1s", "uptime": ">= 99%"}
    found = _judge(wanted, payments([]), success=None)
    assert {finding.status for finding in found.values()} == {"INCONCLUSIVE"}
    assert {finding.state for finding in found.values()} == {"not measurable"}


@pytest.mark.parametrize(
    ("figure", "status", "said"),
    [
        (FINE, "PASS", "1.00 s"),
        (replace(FINE, measured_ns=2 * S), "FAIL", "2.00 s"),
        (replace(FINE, measured_ns=2 * S - 6 * MS), "PASS", "1.99 s"),
        (replace(FINE, measured_ns=2 * S - 5 * MS), "INCONCLUSIVE", "only to within 5 ms"),
        (Figure("never", None, "never", None, None, "it did not"), "FAIL", "never: it did not"),
        (Figure("not measurable", None, "never", None, None, "too short"), "INCONCLUSIVE", "too short"),
    ],
)
def test_a_time_is_compared_with_its_bound(figure: Figure, status: str, said: str) -> None:
    found = _judge({"recovery_time": "< 2s"}, faults=(replace(FAULT, recovery=figure),))["recovery_time"]
    assert found.status == status
    assert said.replace("5 ms", "5.0 ms") in found.why


@pytest.mark.parametrize(
    ("figures", "decides"),
    [
        ((FINE, replace(FINE, measured_ns=S + 1)), "f2"),
        ((replace(FINE, measured_ns=3 * S), FINE), "f1"),
        ((replace(FINE, measured_ns=3 * S), replace(FINE, state="never", measured_ns=None)), "f2"),
        ((replace(FINE, state="not measurable", measured_ns=None), FINE), "f1"),
        ((replace(FINE, state="not measurable", measured_ns=None), replace(FINE, measured_ns=3 * S)), "f2"),
    ],
)
def test_of_several_faults_the_worst_decides(figures: tuple[Figure, Figure], decides: str) -> None:
    faults = tuple(replace(FAULT, id=f"f{i}", failover=figure) for i, figure in enumerate(figures, 1))
    found = _judge({"failover_time": "< 2s"}, faults=faults)["failover_time"]
    assert (found.fault, found.n) == (decides, 2)


def test_a_time_without_a_fault_cannot_be_decided() -> None:
    assert _judge({"failback_time": "< 2s"}, faults=())["failback_time"].status == "INCONCLUSIVE"


def test_uptime_is_judged_as_counted() -> None:
    wanted = {"uptime": ">= 99%"}
    assert _judge(wanted, _payments(1000))["uptime"].status == "PASS"
    failed = _judge(wanted, _payments(1000, range(100, 110)))["uptime"]
    assert (failed.status, failed.value, failed.why) == ("FAIL", 0.9, "1.00 s of 10.0 s were bad")


@pytest.mark.parametrize(("monthly", "status"), [(0.9995, "PASS"), (0.9985, "FAIL")])
def test_monthly_uptime_is_judged_as_computed(monthly: float, status: str) -> None:
    budget = Budget(0.999, 2592 * S, 130 * S, 0.05, 19, 10.0, monthly)
    wanted = {"monthly_uptime": {"target": ">= 99.9%", "incidents": "10/month"}}
    found = _judge(wanted, budget=budget)["monthly_uptime"]
    assert (found.status, found.value) == (status, monthly)
    assert _judge(wanted, budget=None)["monthly_uptime"].status == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("counted", "bound", "status"),
    [
        (NONE, 0, "PASS"),
        (replace(NONE, count=1), 0, "FAIL"),
        (replace(NONE, count=3), "<= 3", "PASS"),
        (replace(NONE, complete=False, why="the journal of stripe is damaged"), 0, "INCONCLUSIVE"),
        (replace(NONE, count=1, complete=False, why="no ledger"), 0, "FAIL"),
    ],
)
def test_counts_are_judged_as_counted(counted: MoneyCount, bound: object, status: str) -> None:
    found = _judge({"lost_payments": bound}, money=replace(MONEY, lost_payments=counted))["lost_payments"]
    assert found.status == status
    assert counted.complete or counted.count or counted.why in found.why


EVERYTHING = {
    "uptime": ">= 99%",
    "success_rate": ">= 98%",
    "latency_p95": "< 800ms",
    "detection_time": "< 2s",
    "recovery_time": "< 2s",
    "lost_payments": 0,
    "orphan_captures": 0,
    "unresolved_unknowns": 0,
}


def _undecided(found: Mapping[str, ObjectiveFinding]) -> set[str]:
    return {name for name, finding in found.items() if finding.status == "INCONCLUSIVE"}


def test_everything_passes_to_begin_with() -> None:
    assert {finding.status for finding in _judge(EVERYTHING).values()} == {"PASS"}


def test_a_starved_generator_leaves_only_probes_and_money_judged() -> None:
    frame = _payments(1000, range(500, 800))
    found = _judge(EVERYTHING, frame, planned=1100)
    assert _undecided(found) == {"uptime", "success_rate", "latency_p95", "recovery_time"}
    assert all("never sent 100 of 1,100" in found[name].why for name in _undecided(found))


@pytest.mark.parametrize("ended", ["aborted", "interrupted"])
def test_a_drill_cut_short_leaves_only_settled_money_judged(ended: str) -> None:
    found = _judge(EVERYTHING, _payments(1000, range(500, 800)), ended=ended, ended_why="Ctrl-C")
    assert set(found) - _undecided(found) == {"lost_payments"}
    lost = replace(MONEY, lost_payments=replace(NONE, count=1), orphan_captures=replace(NONE, count=1))
    found = _judge(EVERYTHING, ended=ended, ended_why="Ctrl-C", money=lost)
    assert found["lost_payments"].status == "FAIL"
    assert found["orphan_captures"].status == "INCONCLUSIVE"


def test_a_drill_that_was_stopped_keeps_what_was_broken_by_then() -> None:
    bad = _payments(1000, range(100, 800))
    assert _judge(EVERYTHING, bad)["recovery_time"].status == "PASS"
    money = replace(MONEY, orphan_captures=replace(NONE, count=1))
    found = _judge(EVERYTHING, bad, ended="stopped", ended_why="it was bad", money=money)
    assert {name for name, finding in found.items() if finding.status == "FAIL"} == {
        "uptime",
        "success_rate",
        "orphan_captures",
    }
    assert {name for name, finding in found.items() if finding.status == "PASS"} == {
        "lost_payments",
        "unresolved_unknowns",
    }
    assert found["recovery_time"].why == "the drill was stopped: it was bad"
    never = replace(FAULT, recovery=replace(FAULT.recovery, state="never", measured_ns=None))
    found = _judge(EVERYTHING, faults=(never,), ended="stopped", ended_why="it was bad")
    assert found["recovery_time"].status == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (replace(FAULT, hits=0), "outage on stripe hit nothing: it tested nothing"),
        (replace(FAULT, hits=0, true_start_ns=None), "outage on stripe never started: it tested nothing"),
    ],
)
def test_a_fault_without_hits_has_no_times(fault: FaultFindings, said: str) -> None:
    found = _judge(EVERYTHING, faults=(fault,))
    assert _undecided(found) == {"detection_time", "recovery_time"}
    assert found["recovery_time"].why == said


def test_objectives_come_in_the_order_of_the_schema() -> None:
    assert list(_judge(dict(reversed(EVERYTHING.items())))) == list(EVERYTHING)
