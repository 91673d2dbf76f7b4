"""The judge: from the folder of a run to its findings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from journal.records import TABLES
from reports import findings as f
from reports.availability import slices, uptime
from reports.entries import differences
from reports.faults import Evidence, fault_findings, gateway_answers, identified
from reports.generator import generator
from reports.incidents import budget, incidents
from reports.latency import latency_rows
from reports.money import money
from reports.objectives import Judged, judge_objectives
from reports.orders import join_orders
from reports.payments import Payments, payments_from
from reports.probe_uptime import probe_uptimes
from reports.proportion import rate
from reports.run_folder import RunFolder, open_run
from reports.success import success_rows
from reports.verdict import verdict
from reports.views import views_of


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
    counted = payments.where(payments.sent & (payments.due_ns < end))
    maintenance = tuple((window.at, window.end) for window in scenario.maintenance)

    cut = slices(counted, end, maintenance, truth)
    measured = uptime(cut)
    true = uptime(cut, true=True) if truth and cut else None
    availability = f.Availability(
        slices=cut,
        measured=measured,
        true=true,
        error=None if true is None or measured.net is None or true.net is None else measured.net - true.net,
        probes=probe_uptimes(run.rows("probe")),
        requests=rate(counted.due_ns, counted.success),
    )
    faults = identified(scenario)
    found = incidents(faults, cut, end, scenario.load.timeout)
    evidence = Evidence(
        scenario=scenario,
        payments=counted,
        answers=gateway_answers(run.table("gateway_request")),
        truth=truth,
        probes=run.rows("probe"),
        events=run.rows("fault"),
        load_end_ns=end,
    )
    judged_faults = tuple(fault_findings(evidence, name, fault, found) for name, fault in faults)
    windows = [
        (
            fault.planned_start_ns if fault.true_start_ns is None else fault.true_start_ns,
            fault.planned_stop_ns if fault.true_stop_ns is None else fault.true_stop_ns,
        )
        for fault in judged_faults
    ]
    success = success_rows(counted, windows, truth)
    made = generator(payments, run.block.payments_planned, run.ended == "complete", end)
    spent = budget(scenario, found, cut)
    reconciled = money(orders, views_of(run), differences(run))
    objectives = judge_objectives(
        Judged(
            objectives=scenario.objectives,
            ended=run.ended,
            ended_why=run.ended_why,
            generator=made,
            success=success[0] if len(counted) else None,
            latencies_ns=np.sort(counted.latency_ns),
            availability=availability,
            budget=spent,
            faults=judged_faults,
            money=reconciled,
        )
    )
    damage = _damage(run)
    result = f.Findings(
        run=_run(run),
        verdict=verdict(objectives, judged_faults, made, damage, run.ended, run.ended_why),
        objectives=objectives,
        faults=judged_faults,
        incidents=found,
        budget=spent,
        availability=availability,
        success=success,
        latency=latency_rows(counted, windows),
        generator=made,
        money=reconciled,
        maintenance=maintenance,
        marks=tuple(
            f.Mark(row["at_ns"], row["kind"], row["source"], row["text"]) for row in run.rows("mark")
        ),
        damage=damage,
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
