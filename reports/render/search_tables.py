"""The tables of a search for the peak, as text: set in HTML and in Markdown."""

from __future__ import annotations

from reports import peak_wording
from reports.findings import Percentile
from reports.peak_findings import PeakFindings, StepFindings
from reports.render import tables, units, wording
from reports.render.facts import Facts
from reports.render.tables import Cell, Table
from scenarios.peak_search import Outcome

_STATUS: dict[Outcome, str] = {
    "held": "PASS",
    "broke": "FAIL",
    "undecided": "INCONCLUSIVE",
    "unsound": "INCONCLUSIVE",
    "blind": "INCONCLUSIVE",
}


def steps(found: PeakFindings) -> Table:
    """All steps by their rate; below each figure its 95% interval."""
    columns = (
        "Step", "Came to", "#Asked", "#Achieved", "#Succeeded", "#Success rate", "#p95", "#p99", "#Late, p99",
    )  # fmt: skip
    return Table("Steps, by rate", columns, tuple(_step(step) for step in by_rate(found)))


def by_rate(found: PeakFindings) -> list[StepFindings]:
    """The steps from the lowest rate to the highest."""
    return sorted(found.steps, key=lambda step: (step.rate, step.number))


def _step(step: StepFindings) -> tuple[Cell, ...]:
    success = step.success
    bounds = ""
    if success.value is not None:
        bounds = peak_wording.between(units.share(success.low), units.share(success.high))
    return (
        Cell(f"{step.number}", peak_wording.WHYS[step.why]),
        Cell(peak_wording.OUTCOMES[step.outcome], peak_wording.detail(step), _STATUS[step.outcome]),
        Cell(peak_wording.rate(step.rate), f"for {units.duration(step.hold_ns)}"),
        Cell(peak_wording.rate(step.achieved)),
        Cell(peak_wording.rate(step.succeeded)),
        Cell(units.share(success.value), bounds),
        Cell(peak_wording.percentile(step.p95), _between(step.p95)),
        Cell(peak_wording.percentile(step.p99), _between(step.p99)),
        Cell(units.duration(step.lateness_p99_ns)),
    )


def _between(found: Percentile) -> str:
    if found.low_ns is None and found.high_ns is None:
        return ""
    high = "no bound" if found.high_ns is None else units.duration(found.high_ns)
    return peak_wording.between(units.duration(found.low_ns), high)


def ends(found: PeakFindings) -> Table:
    """Every objective as it was judged at the two ends of the interval, in the last step at each."""
    at = {}
    for name, edge in (("held", found.low), ("broke", found.high)):
        if edge is not None:
            at[name] = next(step for step in reversed(found.steps) if step.number in edge.steps)
    columns = ["Objective", "#Target"]
    for step in at.values():
        columns += [f"#At {peak_wording.rate(step.achieved)}", f"Verdict in step {step.number}"]
    rows = []
    first = next(iter(at.values()), None)
    for number, goal in enumerate(first.objectives if first is not None else ()):
        row = [Cell(wording.capital(wording.words(goal.name))), Cell(wording.target(goal))]
        for step in at.values():
            judged = step.objectives[number]
            row += [
                Cell(tables.measured_text(judged), tables.bound_text(judged)),
                Cell(judged.status, status=judged.status),
            ]
        rows.append(tuple(row))
    return Table("Objectives at the ends of the interval", tuple(columns), tuple(rows))


def provenance(found: PeakFindings) -> Facts:
    """Everything that is needed to search again."""
    limits = found.limits
    named = [
        ("Scenario", found.scenario + (f": {found.about}" if found.about else "")),
        ("Platform", found.platform),
        ("Seed", f"{found.seed} in the first step, one more in each further step"),
        ("Started", found.started_at),
        ("Ended", found.ended + (f": {found.ended_why}" if found.ended_why else "")),
        (
            "Asked for",
            f"{peak_wording.rate(limits.least)} to {peak_wording.rate(limits.most)}, from "
            f"{peak_wording.rate(limits.start)}, to within {units.target_share(limits.precision)}, in at "
            f"most {units.plural(limits.steps, 'step')}",
        ),
        (
            "Each step",
            f"a ramp of {units.duration(limits.ramp_ns)}, then {units.duration(limits.step_ns)} or, for too "
            f"few payments, up to {units.duration(limits.longest_ns)}; processes of its own",
        ),
        ("Took", units.duration(sum(step.took_ns for step in found.steps))),
        ("Played without faults", ", ".join(found.without_faults) or "the scenario has none"),
        (
            "Played without users",
            units.plural(found.without_users, "user") if found.without_users else "the scenario has none",
        ),
        (
            "Objectives left out",
            ", ".join(wording.words(name) for name in found.without_objectives) or "none",
        ),
        ("Command", found.command or "-"),
        ("Load processes", str(found.processes)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in found.versions) or "-"),
        ("Machine", ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.machine) or "-"),
    ]
    return tuple(named)
