"""The judge: from the folder of a run to its findings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from journal.records import TABLES
from reports import findings as f
from reports.availability import as_if, slices
from reports.cases import Case, Cases
from reports.closed_loop import closed_loop, timed
from reports.entries import differences
from reports.generator import generator
from reports.latency import latency_rows
from reports.load_processes import load_processes
from reports.money import money
from reports.objectives import Judged, judge_objectives
from reports.observed import best_case, doubtful, unobserved, worst_case
from reports.orders import join_orders
from reports.payments import Payments, payments_from
from reports.run_folder import RunFolder, open_run
from reports.verdict import verdict
from reports.views import views_of
from reports.worker_clocks import worker_clocks


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings, and what they were made from.

    ``orders`` is the joined table of ``reports.orders``; ``payments`` are all payments of the run, the never
    sent ones included.
    """

    findings: f.Findings
    orders: pa.Table
    payments: Payments
    run: RunFolder


def judge(folder: Path) -> f.Findings:
    """The findings of a run: a pure function of what its folder holds.

    Raises:
        NotARunError: The folder is not a run folder, or cannot be read.
    """
    return judge_run(open_run(folder)).findings


def judge_run(run: RunFolder) -> Judgement:
    """The findings of an opened run, with the tables beneath them."""
    scenario, end = run.scenario, run.load_end_ns
    for table in TABLES:
        run.table(table)
    orders = join_orders(run)
    payments = payments_from(orders, scenario.load.timeout)
    truth = bool(scenario.gateways) and bool(len(run.table("movement")) + len(run.table("gateway_request")))
    asked = payments.where(payments.due_ns < end)
    unseen = unobserved(asked, scenario.load.timeout)
    counted = asked.where(~unseen)
    maintenance = tuple((window.at, window.end) for window in scenario.maintenance)
    cut = slices(asked, scenario.load.timeout, end, maintenance, truth)
    made = generator(
        payments,
        run.block.payments_planned,
        run.ended == "complete",
        end,
        load_processes(run.table("generator"), end),
        stored=len(run.table("payment")),
        clocks=worker_clocks(run.rows("worker_clock")),
    )
    cases = Cases(run, truth)
    measured = cases.of(counted, cut)
    reconciled = money(orders, views_of(run), differences(run))

    def judged(case: Case, payments: Payments) -> Judged:
        return Judged(
            objectives=scenario.objectives,
            ended=run.ended,
            ended_why=run.ended_why,
            generator=made,
            success=case.success[0] if len(payments) else None,
            latencies_ns=case.latencies_ns,
            availability=case.availability,
            budget=case.budget,
            faults=case.faults,
            money=reconciled,
        )

    def at_best() -> Judged:
        best = best_case(asked, doubtful(asked, scenario.load.timeout))
        return judged(cases.of(best, as_if(cut, good=True)), best)

    def at_worst() -> Judged:
        worst = worst_case(asked, unseen)
        return judged(cases.of(worst, as_if(cut, good=False)), worst)

    all_seen = not unseen.any() and all(part.observed for part in cut)
    objectives = judge_objectives(judged(measured, counted), at_best, None if all_seen else at_worst)
    damage = _damage(run)
    result = f.Findings(
        run=_run(run),
        verdict=verdict(objectives, measured.faults, made, damage, run.ended, run.ended_why),
        objectives=objectives,
        faults=measured.faults,
        incidents=measured.incidents,
        budget=measured.budget,
        availability=measured.availability,
        success=measured.success,
        latency=latency_rows(timed(counted, scenario), measured.windows),
        generator=made,
        money=reconciled,
        maintenance=maintenance,
        marks=tuple(
            f.Mark(row["at_ns"], row["kind"], row["source"], row["text"]) for row in run.rows("mark")
        ),
        damage=damage,
        closed_loop=closed_loop(scenario, counted, run.rows("user_task")),
    )
    return Judgement(result, orders, payments, run)


def _damage(run: RunFolder) -> tuple[f.Damage, ...]:
    """Probes matter only to an objective on the detection time; everything else always does."""
    detecting = run.scenario.objectives.detection_time is not None
    return tuple(
        f.Damage(one.file, one.reason, one.file.split(".")[-2] != "probe" or detecting)
        for one in run.damage()
    )


def _run(run: RunFolder) -> f.Run:
    return f.Run(
        id=run.block.id,
        scenario=run.scenario.name,
        about=run.scenario.about,
        seed=run.scenario.seed,
        started_at=run.block.started_at,
        command=run.block.command,
        plan_digest=run.block.plan_digest,
        processes=run.block.processes,
        versions=tuple(sorted(run.block.versions.items())),
        machine=tuple(sorted((name, str(value)) for name, value in run.block.machine.items())),
        ended=run.ended,
        ended_why=run.ended_why,
        planned_duration_ns=run.scenario.duration_ns,
        load_end_ns=run.load_end_ns,
    )
