"""Whole runs: every planted defect is named, and the findings depend on what happened alone."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.synthetic_run import Defect, write_run
from journal.reader import Journal
from journal.records import TABLES, GatewayRequest, schema
from reports.findings import Findings
from reports.judge import judge, judge_run
from reports.render.verdict_json import verdict_json
from reports.run_folder import open_run
from tests.reports.drill import MS, Drill, S

GATED = {
    "success_rate": ">= 90%",
    "lost_payments": 0,
    "double_charges": 0,
    "orphan_captures": 0,
    "amount_mismatches": 0,
    "unresolved_unknowns": 0,
}


def _synthetic(folder: Path, *plant: Defect) -> Findings:
    return judge(write_run(folder / "run", payments=3000, plant=plant, objectives=GATED))


def test_a_healthy_failover_passes(tmp_path: Path) -> None:
    found = _synthetic(tmp_path)
    assert found.verdict.status == "PASS", found.verdict
    (fault,) = found.faults
    for figure in (fault.failover, fault.recovery, fault.failback):
        assert figure.error_ns is not None and abs(figure.error_ns) < 250 * MS
    (outage,) = next(p.outages for p in found.availability.probes if p.target == "stripe")
    assert outage.low_ns < 20 * S + 300_000 < outage.high_ns


@pytest.mark.parametrize(
    ("defect", "objective"),
    [
        ("double_charge", "double_charges"),
        ("refunded_double", "double_charges"),
        ("lost_payment", "lost_payments"),
        ("not_in_ledger", "lost_payments"),
        ("orphan", "orphan_captures"),
        ("told_failed_but_charged", "orphan_captures"),
        ("wrong_reference", "orphan_captures"),
        ("amount_mismatch", "amount_mismatches"),
        ("refund_too_large", "amount_mismatches"),
        ("unresolved", "unresolved_unknowns"),
    ],
)
def test_wrong_money_fails_the_drill_and_is_named(tmp_path: Path, defect: Defect, objective: str) -> None:
    found = _synthetic(tmp_path, defect)
    assert (found.verdict.status, found.verdict.exit_code) == ("FAIL", 1)
    assert any(reason.startswith(objective) for reason in found.verdict.reasons)
    count = getattr(found.money, objective)
    assert count.count == len(count.examples) == 1


@pytest.mark.parametrize(
    ("defect", "said", "code"),
    [
        ("late_generator", "the load generator fell behind its schedule", 3),
        ("never_sent", "the load generator never sent", 3),
        ("no_hits", "it tested nothing", 3),
        ("no_ledger", "the platform's ledger was not exported", 3),
        ("damaged", "the journal file stripe.movement.arrow", 3),
        ("aborted", "the drill was aborted: the gateway adyen died", 4),
        ("interrupted", "the drill was interrupted: Ctrl-C", 130),
    ],
)
def test_a_drill_that_is_no_evidence_is_inconclusive_and_says_why(
    tmp_path: Path, defect: Defect, said: str, code: int
) -> None:
    found = _synthetic(tmp_path, defect)
    assert (found.verdict.status, found.verdict.exit_code) == ("INCONCLUSIVE", code)
    assert any(said in reason for reason in found.verdict.reasons), found.verdict.reasons


def test_a_killed_load_leaves_payments_whose_end_is_unknown(tmp_path: Path) -> None:
    whole, killed = _synthetic(tmp_path / "whole"), _synthetic(tmp_path / "killed", "killed_load")
    assert killed.generator.sent == whole.generator.sent
    assert killed.success[0].success.successes < whole.success[0].success.successes
    assert killed.money.unresolved_unknowns.count == 0


def test_an_outage_of_everything_fails_its_uptime_and_gives_the_recovery_time(tmp_path: Path) -> None:
    wanted = {"uptime": ">= 99.9%", "recovery_time": "< 25s", "lost_payments": 0, "double_charges": 0}
    found = judge(write_run(tmp_path / "run", rate=100, kind="outage", objectives=wanted))
    assert {o.name: o.status for o in found.objectives} == {
        "uptime": "FAIL",
        "recovery_time": "PASS",
        "lost_payments": "PASS",
        "double_charges": "PASS",
    }
    assert len(found.incidents) == 1
    for fault in found.faults:
        assert fault.failover.state == "never"
        assert fault.recovery.measured_ns == pytest.approx(20 * S, abs=100 * MS)


def _shuffle(folder: Path, seed: int) -> None:
    """Rewrite every table: rows in another order, dealt out to other processes, in other batches."""
    dice = random.Random(seed)
    journal = folder / "journal"
    tables = {name: Journal(journal).table(name) for name in TABLES}
    for path in journal.iterdir():
        path.unlink()
    for name, table in tables.items():
        rows = list(range(len(table)))
        dice.shuffle(rows)
        for part in range(3):
            with pa.ipc.new_stream(
                journal / f"{dice.randrange(10**6)}-{part}.{name}.arrow", schema(name)
            ) as stream:
                stream.write_table(
                    table.take(pa.array(rows[part::3], pa.int64())), max_chunksize=dice.randrange(50, 900)
                )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_in_the_journal_changes_nothing(tmp_path: Path, seed: int) -> None:
    folder = write_run(tmp_path / "run", payments=2000, plant=("double_charge", "orphan"))
    before = verdict_json(judge(folder))
    _shuffle(folder, seed)
    assert verdict_json(judge(folder)) == before


@pytest.mark.parametrize("seed", [1, 2])
def test_payments_due_at_one_time_stand_in_the_order_of_their_ids(tmp_path: Path, seed: int) -> None:
    drill = Drill(10)
    for number in range(200):
        drill.pay(number // 20 * S, order=f"run-{number:03d}")
    folder = drill.write(tmp_path / "run")
    _shuffle(folder, seed)
    assert judge_run(open_run(folder)).orders["order_id"].to_pylist() == [f"run-{n:03d}" for n in range(200)]


def test_phases_begin_and_end_with_their_fault(tmp_path: Path) -> None:
    drill = Drill(20, faults=[{"at": "5s", "for": "5s", "on": "stripe", "fault": "outage"}])
    drill.fault_ran(start_ns=5 * S, stop_ns=10 * S)
    for due in (5 * S - 1, 5 * S, 10 * S - 1, 10 * S, 11 * S, 12 * S):
        drill.pay(due)
    rows = judge(drill.write(tmp_path / "run")).success
    phases = {row.name: row.success.n for row in rows if row.scope == "phase"}
    assert phases == {"before": 1, "during": 2, "after": 3}


def test_of_a_drill_cut_short_only_what_was_due_before_the_end_is_measured(tmp_path: Path) -> None:
    drill = Drill(20)
    drill.steady(0, 5 * S)
    drill.steady(5 * S, 6 * S, outcome="unknown", latency_ns=None, captures=0)
    drill.mark(5 * S, "interrupted", "Ctrl-C")
    found = judge(drill.write(tmp_path / "run"))
    assert (found.success[0].success.successes, found.success[0].success.n) == (200, 200)
    assert sum(part.due for part in found.availability.slices) == 200
    assert found.money.orders == 240


def test_phases_gateways_and_methods_add_up(tmp_path: Path) -> None:
    found = _synthetic(tmp_path)
    for rows in (found.success, found.latency):
        total = next(row for row in rows if row.scope == "all")
        for scope in ("phase", "gateway", "method"):
            parts = [row for row in rows if row.scope == scope]
            assert sum(_n(row) for row in parts) == _n(total)
            assert [row.name for row in parts] == (
                ["before", "during", "after"] if scope == "phase" else sorted(row.name for row in parts)
            )


def _n(row: object) -> int:
    n: int = row.n if hasattr(row, "n") else row.success.n  # type: ignore[attr-defined]
    return n


def test_client_success_by_hand(tmp_path: Path) -> None:
    """The definition, clause by clause; the client's time-out is 5 s."""
    drill = Drill(10)
    drill.pay(1 * S)  # a success, approved
    drill.pay(2 * S, expected="declined")  # a success, not approved
    drill.pay(3 * S, expected="declined", outcome="succeeded", captures=1)  # approved what must decline
    drill.pay(4 * S, outcome="declined", captures=0)  # declined what must be approved
    drill.pay(5 * S, error="amount differs")  # as expected, but wrong
    drill.pay(6 * S, latency_ns=5 * S)  # in time
    drill.pay(7 * S, latency_ns=5 * S + 1)  # too late
    drill.pay(8 * S, latency_ns=None, outcome="unknown")  # no answer
    drill.pay(9 * S, sent=False, outcome="unknown")  # the generator's
    row = judge(drill.write(tmp_path / "run")).success[0]
    assert (row.success.successes, row.success.n) == (3, 8)
    assert (row.approval.successes, row.approval.n) == (5, 8)


def test_true_success_by_hand(tmp_path: Path) -> None:
    drill = Drill(10)
    drill.pay(1 * S, outcome="unknown")  # truly a success
    drill.pay(2 * S, captures=2)  # captured twice
    drill.pay(3 * S, captures=0)  # not captured
    drill.pay(3 * S, captures=0, order="v")
    drill.capture("v", "stripe", "r1", 400, at_ns=3 * S)  # captured in two parts: two charges on a statement
    drill.capture("v", "adyen", "r2", 600, at_ns=3 * S)
    drill.pay(4 * S, captured_after_ns=5 * S)  # in time
    drill.pay(5 * S, captured_after_ns=5 * S + 1)  # too late
    drill.pay(6 * S, captures=0, order="x")
    drill.capture("x", "stripe", "r", 1001, at_ns=6 * S)  # another amount
    drill.pay(7 * S, captures=0, order="y")
    drill.capture("y", "stripe", "r", 1000, "USD", at_ns=7 * S)  # another currency
    drill.pay(8 * S, expected="declined", outcome="failed")  # truly declined
    drill.pay(9 * S, expected="declined", requested=False)  # no gateway was asked
    for status in (
        200,
        422,
        503,
    ):  # an acquirer's error is a decision; a refused request or a failure is none
        drill.pay(9 * S, expected="declined", requested=False, order=f"error-{status}")
        drill.add(
            "adyen",
            GatewayRequest(
                "adyen", "payments", 9 * S, 9 * S + MS, status, "error", "", "", f"error-{status}", False
            ),
        )
    drill.pay(9 * S, expected="declined", order="z")  # declined, but captured elsewhere
    drill.capture("z", "adyen", "r", at_ns=9 * S)
    row = judge(drill.write(tmp_path / "run")).success[0]
    assert row.true_success is not None
    assert (row.true_success.successes, row.true_success.n) == (4, 14)


def test_a_run_of_nothing_is_judged_too(tmp_path: Path) -> None:
    drill = Drill(10, objectives={"success_rate": ">= 98%", "uptime": ">= 99%", "latency_p95": "< 1s"})
    drill.planned = 400
    drill.mark(0, "aborted", "port 12110 is in use")
    found = judge(drill.write(tmp_path / "run"))
    assert (found.verdict.status, found.verdict.exit_code) == ("INCONCLUSIVE", 4)
    assert found.verdict.reasons == ("the drill was aborted: port 12110 is in use",)


def test_an_empty_journal_is_judged_too(tmp_path: Path) -> None:
    drill = Drill(10, faults=[{"at": "1s", "for": "1s", "on": "stripe", "fault": "outage"}])
    drill.planned = 400
    found = judge(drill.write(tmp_path / "run"))
    assert found.verdict.status == "INCONCLUSIVE"
    assert found.generator.never_sent == 400


_MEASURE = """
import resource, sys
from pathlib import Path
from reports.judge import judge
judge(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_200_000_payments_are_judged_within_700_mb_and_8_s(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", payments=200_000)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    started = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder)], check=True, capture_output=True, text=True
    )
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert int(said.stdout) / 1024 < 700
    # CPU time, not the clock on the wall: other work on the machine must not decide.
    assert spent < 8, f"{spent:.1f} s of CPU, {time.monotonic() - started:.1f} s in all"
