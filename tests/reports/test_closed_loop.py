"""What payments of users do to a verdict: they count for rates and money, and not for latencies where there are
arrivals."""

from pathlib import Path
from typing import Any

import pytest

from journal.records import UserTask
from reports.findings import Findings, LatencyRow, ObjectiveFinding
from reports.judge import judge, judge_run
from reports.plots.gallery import gallery, story_of
from reports.render.html import html_of
from reports.render.markdown import markdown_of
from reports.run_folder import open_run
from reports.series import series_from
from tests.reports.drill import MS, Drill, S

USERS = {"count": 5, "for": "30s"}
ARRIVALS = [{"duration": "30s", "rate": "40/s"}]


def drill(load: dict[str, Any], objectives: dict[str, Any] | None = None) -> Drill:
    return Drill(30, objectives=objectives or {}, load=load)


def both(objectives: dict[str, Any] | None = None) -> Drill:
    """Fast arrivals, and users who are answered slowly, one of them wrongly."""
    made = drill({"arrivals": ARRIVALS, "users": USERS}, objectives)
    for number in range(400):
        made.pay(number * 75 * MS, latency_ns=100 * MS)
    for number in range(100):
        wrong = {"outcome": "failed", "error": "failed, expected succeeded"} if number == 7 else {}
        made.pay(number * 300 * MS, order=f"run-u00001-{number:05d}", latency_ns=900 * MS, loop="closed", **wrong)  # type: ignore[arg-type]  # fmt: skip
    made.planned = 400
    return made


def whole(findings: Findings) -> LatencyRow:
    return next(row for row in findings.latency if row.scope == "all")


def objective(findings: Findings, name: str) -> ObjectiveFinding:
    return next(one for one in findings.objectives if one.name == name)


def test_latencies_are_those_of_the_arrivals_where_there_are_any(tmp_path: Path) -> None:
    asked = {"latency_p99": "< 500ms", "success_rate": ">= 99%"}
    findings = judge(both(asked).write(tmp_path / "run"))
    assert (whole(findings).n, whole(findings).percentiles[-1].value_ns) == (400, 100 * MS)
    assert (objective(findings, "latency_p99").status, objective(findings, "latency_p99").n) == ("PASS", 400)
    success = findings.success[0].success
    assert (success.successes, success.n) == (499, 500)
    assert findings.closed_loop is not None
    assert (findings.closed_loop.users, findings.closed_loop.payments, findings.closed_loop.timed) == (
        5,
        100,
        False,
    )
    assert findings.money.lost_payments.complete
    assert findings.availability.requests.n == 500


def test_latencies_are_those_of_the_users_where_there_is_nobody_else(tmp_path: Path) -> None:
    made = drill({"users": USERS}, {"latency_p50": "< 500ms"})
    for number in range(100):
        made.pay(number * 300 * MS, latency_ns=900 * MS, loop="closed")
    made.planned = 0
    findings = judge(made.write(tmp_path / "run"))
    assert (whole(findings).n, whole(findings).percentiles[0].value_ns) == (100, 900 * MS)
    assert objective(findings, "latency_p50").status == "FAIL"
    assert findings.closed_loop is not None
    assert findings.closed_loop.timed
    assert (findings.generator.planned, findings.generator.due, findings.generator.never_sent) == (0, 100, 0)


def test_payments_of_users_do_not_stand_in_for_arrivals_that_were_never_sent(tmp_path: Path) -> None:
    made = both()
    made.planned = 500  # a hundred of them are in nobody's journal
    generator = judge(made.write(tmp_path / "run")).generator
    assert (generator.due, generator.sent, generator.never_sent) == (600, 500, 100)
    assert not generator.sound


def test_a_user_whose_process_was_killed_is_still_one(tmp_path: Path) -> None:
    made = both()
    made.pay(29 * S, order="run-u00002-00000", loop="closed", recorded=False)
    made.pay(29 * S, order="run-9999999", recorded=False)
    made.planned = 401
    judgement = judge_run(open_run(made.write(tmp_path / "run")))
    assert int(judgement.payments.open_loop.sum()) == 401
    assert len(judgement.payments) == judgement.findings.generator.due == 502


def test_the_line_of_latencies_is_the_arrivals(tmp_path: Path) -> None:
    judgement = judge_run(open_run(both().write(tmp_path / "run")))
    series = series_from(judgement.payments, 30 * S, 5 * S)
    assert series.p99.max() == 0.1
    assert series.due.sum() == 500


def test_what_users_did_besides_paying_is_told(tmp_path: Path) -> None:
    made = both()
    tasks = [UserTask(1, "look_up", "run-u00001-00000", n * S, n * S, n * S + MS, "ok", "") for n in range(3)]
    made.add("load-0", *tasks)
    made.add(
        "load-0", UserTask(1, "look_up", "o", 5 * S, 5 * S, 6 * S, "failed", "look-up answered HTTP 404")
    )
    made.add("load-0", UserTask(2, "refund", "o", 5 * S, 5 * S, None, "unknown", "time-out after 5 s"))
    judgement = judge_run(open_run(made.write(tmp_path / "run")))
    findings = judgement.findings
    assert findings.closed_loop is not None
    look_up, refund = findings.closed_loop.tasks
    assert (look_up.task, look_up.done, look_up.ok, look_up.failed, look_up.unknown) == (
        "look_up",
        4,
        3,
        1,
        0,
    )
    assert look_up.why == "look-up answered HTTP 404"
    assert (refund.done, refund.unknown, refund.why) == (1, 1, "time-out after 5 s")
    told_in(markdown_of(findings, ""))


@pytest.mark.slow
def test_the_page_tells_of_users_too(tmp_path: Path) -> None:
    made = both()
    made.add(
        "load-0", UserTask(1, "look_up", "o", 5 * S, 5 * S, 6 * S, "failed", "look-up answered HTTP 404")
    )
    judgement = judge_run(open_run(made.write(tmp_path / "run")))
    story = story_of(judgement)
    told_in(html_of(judgement.findings, gallery(judgement, story), story.refuge))


def told_in(text: str) -> None:
    assert "5 users made 100 payments in a closed loop" in text
    assert "coordinated omission" in text
    assert "look-up answered HTTP 404" in text


def test_without_users_nothing_is_said_of_them(tmp_path: Path) -> None:
    made = Drill(30)
    made.pay(S)
    findings = judge(made.write(tmp_path / "run"))
    assert findings.closed_loop is None
    assert "closed loop" not in markdown_of(findings, "")
