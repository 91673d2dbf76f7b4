"""What the generator's failures do to a verdict: they never pass a platform, and never fail one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.findings import Findings
from reports.judge import judge
from reports.observed import best_case, doubtful, late, unobserved, worst_case
from reports.payments import NEVER
from tests.reports.drill import Drill
from tests.reports.frames import payments

S = 1_000_000_000
MS = 1_000_000
TIMEOUT = 5 * S
LOST = "generator: worker load-1 was lost before it said whether this was sent"


def test_what_is_no_evidence_about_the_platform() -> None:
    #        sent, never, lost, late and failed, late and timed out, late and answered too late, late and fine,
    due = [0] * 7
    frame = payments(
        due,
        [True, False, False, False, False, False, True],
        sent_ns=[0, NEVER, 0, 2 * S, 2 * S, 2 * S, 2 * S],
        latency_ns=[0, NEVER, NEVER, 3 * S, NEVER, 6 * S, 3 * S],
        lost=[i == 2 for i in range(7)],
    )
    assert list(unobserved(frame, TIMEOUT)) == [False, True, True, False, True, True, False]
    assert list(late(frame)) == [False, False, False, True, True, True, True]


def test_a_time_out_of_a_payment_that_was_sent_in_time_is_the_platforms() -> None:
    frame = payments([0, 0], [False, False], sent_ns=[100 * MS, 100 * MS + 1], latency_ns=[NEVER, NEVER])
    assert list(unobserved(frame, TIMEOUT)) == [False, True]


def test_doubt_lasts_until_twice_the_time_by_which_the_generator_was_behind() -> None:
    due = [0, 1 * S, 2 * S, 2999 * MS, 3 * S, 4 * S]
    # Due at 1 s, sent at 2 s: what is due until 3 s may have met what had piled up.
    frame = payments(due, sent_ns=[0, 2 * S, 2 * S, 2999 * MS, 3 * S, 4 * S])
    assert list(doubtful(frame, TIMEOUT)) == [False, True, True, True, False, False]


def test_the_best_and_the_worst_that_can_be() -> None:
    frame = payments(
        [0, 0, 0],
        [True, False, False],
        sent_ns=[40 * MS, 0, NEVER],
        latency_ns=[100 * MS, 200 * MS, NEVER],
    )
    doubts = np.array([False, False, True])
    best, worst = best_case(frame, doubts), worst_case(frame, doubts)
    assert (list(best.success), list(best.latency_ns)) == ([True, False, True], [60 * MS, 200 * MS, 0])
    assert (list(worst.success), list(worst.latency_ns)) == (
        [True, False, False],
        [100 * MS, 200 * MS, NEVER],
    )
    assert best.sent.all() and worst.sent.all()


def _judge(drill: Drill, folder: Path) -> Findings:
    return judge(drill.write(folder / "run"))


def _status(found: Findings) -> dict[str, str]:
    return {objective.name: objective.status for objective in found.objectives}


EVERYTHING: dict[str, Any] = {
    "uptime": ">= 99%",
    "success_rate": ">= 98%",
    "latency_p95": "< 800ms",
    "lost_payments": 0,
}


def test_a_stall_of_the_generator_is_no_outage_of_the_platform(tmp_path: Path) -> None:
    drill = Drill(30, objectives=EVERYTHING)
    drill.steady(0, 10 * S)
    for due in range(10 * S, 12 * S, S // 40):  # all of them sent at 13 s
        drill.pay(due, late_ns=13 * S - due, latency_ns=13 * S - due + 100 * MS)
    drill.steady(12 * S, 30 * S)
    found = _judge(drill, tmp_path)
    seen = found.availability.measured
    assert [(part.start_ns // S, part.unseen) for part in found.availability.slices if not part.observed] == [
        (10, 40),
        (11, 40),
    ]
    assert (seen.good_ns, seen.bad_ns, seen.unobserved_ns, seen.net) == (28 * S, 0, 2 * S, 1.0)
    assert found.availability.true is not None and found.availability.true.unobserved_ns == 2 * S
    assert found.verdict.status == "INCONCLUSIVE"
    assert _status(found) == {
        "uptime": "INCONCLUSIVE",
        "success_rate": "INCONCLUSIVE",
        "latency_p95": "INCONCLUSIVE",
        "lost_payments": "PASS",
    }


@pytest.mark.parametrize("error", ["generator: 500 payments in flight already", LOST])
def test_what_was_not_sent_is_in_no_rate_and_in_no_slice(tmp_path: Path, error: str) -> None:
    drill = Drill(30, objectives=EVERYTHING)
    drill.steady(0, 10 * S)
    drill.steady(10 * S, 12 * S, sent=False, outcome="unknown", error=error)
    drill.steady(12 * S, 30 * S)
    found = _judge(drill, tmp_path)
    assert (found.success[0].success.n, found.success[0].success.value) == (28 * 40, 1.0)
    assert (found.availability.measured.net, found.availability.measured.unobserved_ns) == (1.0, 2 * S)
    assert found.verdict.status == "INCONCLUSIVE"
    assert found.generator.sound is False and "generator" in found.verdict.reasons[0]
    assert (found.generator.lost, found.generator.never_sent) == ((80, 0) if error == LOST else (0, 80))


def test_a_failure_of_what_was_sent_in_time_stays_one_beside_a_generator_that_failed_too(
    tmp_path: Path,
) -> None:
    drill = Drill(30, objectives=EVERYTHING)
    drill.steady(0, 10 * S)
    drill.steady(10 * S, 20 * S, outcome="failed", captures=0, error="HTTP 500")
    drill.steady(
        20 * S, 22 * S, sent=False, outcome="failed", error="generator: 500 payments in flight already"
    )
    drill.steady(22 * S, 30 * S)
    found = _judge(drill, tmp_path)
    assert (found.verdict.status, found.verdict.exit_code) == ("FAIL", 1)
    assert _status(found) == {
        "uptime": "FAIL",
        "success_rate": "FAIL",
        "latency_p95": "INCONCLUSIVE",
        "lost_payments": "PASS",
    }
    # Ten seconds were bad, and the two that nobody saw are none of them.
    assert found.availability.measured.bad_ns == 10 * S
    assert any("never sent 80 of 1,200" in reason for reason in found.verdict.reasons)


def test_a_failure_that_the_generator_may_have_caused_is_none(tmp_path: Path) -> None:
    """What fails was sent late, or met the burst of what was overdue."""
    drill = Drill(30, objectives=EVERYTHING)
    drill.steady(0, 10 * S)
    for due in range(10 * S, 12 * S, S // 40):
        drill.pay(due, late_ns=12 * S - due, latency_ns=None, outcome="unknown", error="time-out", captures=0)
    drill.steady(12 * S, 13 * S, outcome="failed", captures=0, error="HTTP 503")
    drill.steady(13 * S, 30 * S)
    found = _judge(drill, tmp_path)
    assert found.verdict.status == "INCONCLUSIVE", found.verdict.reasons
    assert "FAIL" not in _status(found).values()
    # The time-outs are the generator's, but for the four that were sent within 100 ms; what failed in the
    # burst is shown, and fails nothing.
    assert (found.success[0].success.n, found.success[0].success.successes) == (28 * 40 + 4, 27 * 40)


def test_a_sound_generator_fails_no_percentile_by_its_own_lateness(tmp_path: Path) -> None:
    """60 ms late throughout is within the limit, and more than the objective leaves."""
    wanted = {"latency_p50": "< 150ms", "latency_p95": "< 90ms"}
    drill = Drill(30, objectives=wanted)
    drill.steady(0, 30 * S, late_ns=60 * MS, latency_ns=160 * MS)
    found = _judge(drill, tmp_path)
    assert found.generator.sound
    assert _status(found) == {"latency_p50": "INCONCLUSIVE", "latency_p95": "FAIL"}
    assert "had the load generator sent every payment when it was due" in found.objectives[0].why


def test_a_few_unseen_payments_keep_an_objective_from_passing_that_they_could_break(tmp_path: Path) -> None:
    drill = Drill(100, objectives={"success_rate": ">= 99.9%", "latency_p95": "< 800ms", "uptime": ">= 99%"})
    drill.steady(0, 100 * S)
    drill.records = [
        (process, row) for process, row in drill.records if getattr(row, "id", "") != "run-0002000"
    ]
    drill.steady(50 * S, 50 * S + 1, sent=False, outcome="failed", error="generator: no port")
    found = _judge(drill, tmp_path)
    assert found.generator.sound and found.generator.never_sent == 1
    assert _status(found) == {"success_rate": "INCONCLUSIVE", "latency_p95": "PASS", "uptime": "PASS"}
    (rate,) = (objective for objective in found.objectives if objective.name == "success_rate")
    assert "it might not hold, had the load generator sent every payment" in rate.why
    # One of 40 could decide a slice, and that second is not counted as good; 99% leave room for it.
    assert found.availability.measured.unobserved_ns == S


def test_uptime_does_not_pass_by_a_slice_that_was_only_seen_later(tmp_path: Path) -> None:
    """What was due in one second was sent, and served, after the next: whether it was up then is not known."""
    drill = Drill(120, objectives={"uptime": ">= 99.9%", "success_rate": ">= 98%"})
    drill.steady(0, 50 * S)
    for due in range(50 * S, 51 * S, S // 40):
        drill.pay(due, late_ns=52_100 * MS - due, latency_ns=52_200 * MS - due)
    drill.steady(51 * S, 120 * S)
    found = _judge(drill, tmp_path)
    assert found.generator.sound
    assert found.availability.measured.net == 1.0
    assert _status(found) == {"uptime": "INCONCLUSIVE", "success_rate": "PASS"}


def test_a_killed_process_does_not_make_the_platform_fail_what_it_had_in_flight(tmp_path: Path) -> None:
    drill = Drill(30, objectives=EVERYTHING)
    drill.steady(0, 20 * S)
    drill.steady(20 * S, 21 * S, recorded=False)
    drill.steady(21 * S, 30 * S)
    found = _judge(drill, tmp_path)
    assert (found.success[0].success.n, found.success[0].success.value) == (29 * 40, 1.0)
    assert (found.generator.lost, found.generator.sound) == (40, False)
    assert found.availability.measured.unobserved_ns == S
    assert found.verdict.status == "INCONCLUSIVE"


def test_payments_without_any_record_take_every_judgement_of_the_load_back(tmp_path: Path) -> None:
    drill = Drill(30, objectives=EVERYTHING)
    drill.steady(0, 20 * S, outcome="failed", captures=0, error="HTTP 500")
    drill.planned = 1200
    found = _judge(drill, tmp_path)
    assert (found.generator.missing, found.generator.never_sent) == (400, 400)
    assert found.verdict.status == "INCONCLUSIVE"


def test_an_error_of_the_generator_is_its_own_even_where_the_intent_was_written(tmp_path: Path) -> None:
    drill = Drill(30, objectives=EVERYTHING)
    drill.steady(0, 20 * S)
    drill.steady(
        20 * S, 21 * S, outcome="failed", captures=0, error="generator: no file descriptor left (EMFILE)"
    )
    drill.steady(21 * S, 30 * S)
    found = _judge(drill, tmp_path)
    assert found.success[0].success.value == 1.0
    assert found.generator.never_sent == 40 and "EMFILE" in found.generator.bottleneck
    assert found.verdict.status == "INCONCLUSIVE"


def test_times_of_a_fault_fail_only_where_they_would_without_the_generators_failures(tmp_path: Path) -> None:
    faults = [{"at": "10s", "for": "5s", "on": "stripe", "fault": "outage"}]

    def played(stalled: bool) -> Findings:
        drill = Drill(40, faults=faults, objectives={"recovery_time": "< 3s"})
        drill.fault_ran(start_ns=10 * S, stop_ns=15 * S)
        drill.steady(0, 10 * S)
        for due in range(10 * S, 16 * S, S // 40):
            lateness = 16 * S - due if stalled else 0
            drill.pay(
                due, late_ns=lateness, outcome="failed", captures=0, error="HTTP 503", latency_ns=lateness
            )
        drill.steady(16 * S, 40 * S)
        return _judge(drill, tmp_path / str(stalled))

    assert _status(played(stalled=False)) == {"recovery_time": "FAIL"}
    assert _status(played(stalled=True)) == {"recovery_time": "INCONCLUSIVE"}
