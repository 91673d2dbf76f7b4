"""All figures of a report, from one judged run."""

from __future__ import annotations

from collections.abc import Sequence

from reports.closed_loop import timed
from reports.findings import Findings
from reports.judge import Judgement
from reports.latency import QUANTILES
from reports.load_processes import load_processes
from reports.observed import unobserved
from reports.payments import Payments
from reports.phases import parts
from reports.plots.lateness import lateness
from reports.plots.money import money
from reports.plots.percentiles import percentiles
from reports.plots.story import Story
from reports.plots.style import Plot
from reports.plots.timeline import timeline
from reports.render import units, wording
from reports.series import SECOND, series_from
from reports.tail import Tail, tail_of
from scenarios.schema import GOOD_SHARE, Scenario


def story_of(judgement: Judgement) -> Story:
    """What the timeline tells of this run."""
    scenario = judgement.run.scenario
    success = scenario.objectives.success_rate
    return Story(
        findings=judgement.findings,
        series=series_from(judgement.payments, judgement.findings.run.load_end_ns, scenario.load.timeout),
        gateways=tuple(scenario.gateways),
        success_target=success.value if success else GOOD_SHARE,
        latency_target=strictest_latency(scenario),
        timeout=scenario.load.timeout / SECOND,
    )


def gallery(judgement: Judgement, story: Story, shapes: Sequence[bool] = (False, True)) -> dict[str, Plot]:
    """Figures by name; those whose shape is ``True`` are for a phone and named ``NAME-narrow``."""
    findings = judgement.findings
    tails = tails_of(findings, judgement.payments, judgement.run.scenario)
    processes = load_processes(judgement.run.table("generator"), findings.run.load_end_ns)
    plots = []
    for narrow in shapes:
        plots += [
            timeline(story, narrow),
            percentiles(tails, story.latency_target, narrow),
            lateness(findings.generator, story.series, processes, narrow),
            money(findings.money, narrow),
        ]
    return {plot.name: plot for plot in plots}


def strictest_latency(scenario: Scenario) -> tuple[str, float] | None:
    """The latency objective with the least time: (``p95 < 800 ms``, 0.8)."""
    bounds = [(getattr(scenario.objectives, f"latency_{name}"), name) for name in QUANTILES]
    asked = [(bound.value, name, bound.text) for bound, name in bounds if bound is not None]
    if not asked:
        return None
    value, name, text = min(asked)
    percentile = wording.words(f"latency_{name}").removeprefix("latency ")
    return f"{percentile} {units.spaced(text)}", value / SECOND


def tails_of(findings: Findings, payments: Payments, scenario: Scenario) -> list[Tail]:
    """The distributions before, during and after the faults, or the whole where there was no fault."""
    end, timeout_ns = findings.run.load_end_ns, scenario.load.timeout
    counted = timed(payments.where(~unobserved(payments, timeout_ns) & (payments.due_ns < end)), scenario)
    windows = [
        (
            fault.planned_start_ns if fault.true_start_ns is None else fault.true_start_ns,
            fault.planned_stop_ns if fault.true_stop_ns is None else fault.true_stop_ns,
        )
        for fault in findings.faults
    ]
    wanted = "phase" if windows else "all"
    return [
        tail_of(name if windows else "all payments", counted.latency_ns[mask])
        for scope, name, mask in parts(counted, windows)
        if scope == wanted
    ]
