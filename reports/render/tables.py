"""The tables of a report as text: made once, set in HTML and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mocks.sandboxes.records import SOURCE
from reports.findings import (
    FaultFindings,
    Figure,
    Findings,
    LatencyRow,
    MoneyCount,
    ObjectiveFinding,
    Percentile,
    Rate,
    SuccessRow,
)
from reports.render import units, wording

PERCENTILES = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p99.9"}


class Cell(NamedTuple):
    """``note`` is set smaller beside ``text``; ``status`` is a verdict that colours the cell."""

    text: str
    note: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` that begin with ``#`` hold numbers and are set to the right; every row has as many cells as
    there are columns, the first of them its head."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell | str]]) -> Table:
    cells = tuple(tuple(Cell(c) if isinstance(c, str) else c for c in row) for row in rows)
    return Table(title, tuple(columns), cells)


def objectives(findings: Findings) -> Table:
    """What was asked for, what was measured, and how sure that is."""
    columns = ("Objective", "#Target", "#Measured", "#95% bound", "#n", "Verdict", "Why")
    rows = []
    for goal in findings.objectives:
        why = wording.sentence(goal.why)
        if goal.enough is not None and "enough" not in why:
            why = f"{why} {units.plural(goal.enough, 'payment')} would be enough.".strip()
        rows.append(
            (
                Cell(wording.capital(wording.words(goal.name)), f"fault {goal.fault}" if goal.fault else ""),
                wording.target(goal),
                measured_text(goal),
                bound_text(goal),
                units.count(goal.n),
                Cell(goal.status, status=goal.status),
                why,
            )
        )
    return _table("Objectives", columns, rows)


def value_text(value: float | None, goal: ObjectiveFinding) -> str:
    """A value in the objective's own unit, never rounded onto its target."""
    if value is None:
        return "-"
    if goal.unit == "share":
        return units.share(value, goal.target)
    return units.duration(value) if goal.unit == "ns" else units.count(value)


def measured_text(goal: ObjectiveFinding) -> str:
    return value_text(goal.value, goal) if goal.state == "measured" else goal.state


def bound_text(goal: ObjectiveFinding) -> str:
    """The side of the interval that gates; nothing for what was counted."""
    if goal.unit == "count" or goal.name == "uptime":
        return "counted" if goal.state == "measured" else "-"
    if goal.unit == "share":
        return "-" if goal.low is None else f"≥ {value_text(goal.low, goal)}"
    return "-" if goal.high is None else f"≤ {value_text(goal.high, goal)}"


def fault_figures(fault: FaultFindings) -> Table:
    """Detection, failover, recovery, failback: measured from outside, and true by the records."""
    columns = ("Figure", "#Measured", "#True", "#Error", "#Resolution", "Note")
    rows = [
        _figure_row(
            "Detection", fault.detection, f"first seen by {fault.detected_by}" if fault.detected_by else ""
        ),
        _figure_row("Failover", fault.failover),
        _figure_row("Recovery", fault.recovery),
        _figure_row("Failback", fault.failback),
    ]
    return _table(f"Times of fault {fault.id}", columns, rows)


def _figure_row(name: str, figure: Figure, extra: str = "") -> tuple[Cell | str, ...]:
    note = "; ".join(part.rstrip(".") for part in (extra, figure.why) if part)
    return (
        name,
        wording.figure_text(figure),
        wording.true_figure_text(figure),
        units.signed(figure.error_ns),
        units.duration(figure.resolution_ns),
        wording.capital(note),
    )


def uptime(findings: Findings) -> Table:
    """Availability by slices, probes and requests."""
    columns = ("How it was taken", "#Uptime", "#95% interval", "#Bad time", "#Observed")
    seen = findings.availability
    rows: list[tuple[Cell | str, ...]] = []
    for name, note, part in (
        ("Slices of 1 s, client", "as the load client saw it", seen.measured),
        ("Slices of 1 s, truth", "by the gateways' records", seen.true),
    ):
        if part is not None:
            observed = units.duration(part.net_good_ns + part.net_bad_ns)
            rows.append(
                (
                    Cell(name, note),
                    units.share(part.net),
                    "counted",
                    units.duration(part.net_bad_ns),
                    observed,
                )
            )
            if part.excluded_ns:
                gross = units.duration(part.good_ns + part.bad_ns)
                head = Cell(name, "gross: maintenance counted too")
                rows.append((head, units.share(part.gross), "counted", units.duration(part.bad_ns), gross))
    for probe in seen.probes:
        bracket = "-" if probe.low is None else interval(probe.low, probe.high)
        down = sum(outage.figure_ns for outage in probe.outages)
        observed = units.plural(probe.n, "probe")
        head = Cell(
            f"Probe {probe.probe} on {probe.target}",
            f"{probe.ok} ok, {probe.failed} failed, {probe.unknown} unknown",
        )
        rows.append((head, units.share(probe.uptime), bracket, units.duration(down), observed))
    total = seen.requests
    rows.append(
        (
            Cell("Requests", "successes / payments sent"),
            units.share(total.value),
            interval(total.low, total.high),
            "-",
            units.plural(total.n, "payment"),
        )
    )
    return _table("Availability, three ways", columns, rows)


def probe_outages(findings: Findings) -> Table:
    """Every outage that a probe saw, with its bracket."""
    columns = ("Probe", "#From", "#To", "#Down", "#At least", "#At most", "#Probes", "What it saw")
    rows = []
    for probe in findings.availability.probes:
        for outage in probe.outages:
            what = ": ".join(part for part in (outage.phase, outage.detail) if part)
            rows.append(
                (
                    f"{probe.probe} on {probe.target}",
                    ("before " if outage.open_start else "") + units.moment(outage.start_ns),
                    units.moment(outage.stop_ns) if outage.stop_ns is not None else "not up again",
                    units.duration(outage.figure_ns),
                    units.duration(outage.low_ns),
                    units.duration(outage.high_ns),
                    units.count(outage.probes),
                    what,
                )
            )
    return _table("Outages as probes saw them", columns, rows)


def interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{units.share(low)} to {units.share(high)}"


def money_counts(findings: Findings) -> Table:
    """Orders that break a rule of the money."""
    found = findings.money
    columns = ("Rule", "#Orders", "What it means", "Order ids")
    counts = (
        found.lost_payments,
        found.double_charges,
        found.orphan_captures,
        found.told_failed_but_charged,
        found.amount_mismatches,
        found.unresolved_unknowns,
        found.refund_mismatches,
        found.dispute_mismatches,
        found.fee_mismatches,
        found.payout_mismatches,
    )
    return _table("Money", columns, [_money_row(findings, count) for count in counts])


def _money_row(findings: Findings, count: MoneyCount) -> tuple[Cell | str, ...]:
    name = wording.capital(wording.words(count.name))
    within = "among the orphan captures" if count.name == "told_failed_but_charged" else ""
    if count.name == "double_charges" and findings.money.refunded_doubles:
        within = f"{units.count(findings.money.refunded_doubles)} of them given back later"
    number = units.count(count.count) if count.complete else f"at least {units.count(count.count)}"
    status = "" if not count.count else "FAIL" if count.name != "unresolved_unknowns" else "INCONCLUSIVE"
    rest = count.count - len(count.examples)
    ids = ", ".join(count.examples) + (
        f" and {units.count(rest)} more" if count.examples and rest > 0 else ""
    )
    what = count.what if count.complete else f"{count.what} (incomplete evidence: {count.why})"
    return (Cell(name, within), Cell(number, status=status), wording.capital(what), ids or "-")


def money_views(findings: Findings) -> Table:
    """How many orders each view knows."""
    rows = [
        (
            Cell(wording.proper(view.name)),
            units.count(view.orders),
            f"complete{_source(findings, view.name)}" if view.complete else f"incomplete: {view.why}",
        )
        for view in findings.money.views
    ]
    return _table("The views that were compared", ("View", "#Orders it knows", "Evidence"), rows)


def _source(findings: Findings, view: str) -> str:
    """Where the records of a sandbox come from, and what they can't show; empty for a mock."""
    for mark in findings.marks:
        if mark.source == view and mark.text.startswith(SOURCE):
            return f": {mark.text}"
    return ""


def money_totals(findings: Findings) -> Table:
    """Sums per currency in every view."""
    columns = ("Currency", "#Client was told", "#Platform ledger", "#Gateways captured", "#Gateways refunded")
    rows = [
        (
            total.currency,
            units.money(total.told_minor, total.currency),
            units.money(total.ledger_minor, total.currency),
            units.money(total.captured_minor, total.currency),
            units.money(total.refunded_minor, total.currency),
        )
        for total in findings.money.totals
    ]
    return _table("Sums", columns, rows)


def agreements(findings: Findings) -> Table:
    """Orders per combination of views."""
    said = {"agree": "agree", "resolved": "ledger and gateways agree", "disagree": "do not agree"}
    rows = []
    for row in findings.money.agreements:
        concord = wording.concord(row)
        status = {"agree": "PASS", "resolved": "INCONCLUSIVE", "disagree": "FAIL"}[concord]
        cells = (row.client, row.platform, units.count(row.captures), units.count(row.orders))
        rows.append((*cells, Cell(said[concord], status=status)))
    columns = ("Client was told", "Platform ledger says", "#Captures", "#Orders", "The views")
    return _table("Where the views agree", columns, rows)


def success(findings: Findings) -> Table:
    """Success and approval of the whole, and by phase, gateway and method."""
    columns = ("Payments", "#n", "#Success rate", "#Truly", "#Approval rate", "#Burstiness")
    return _table("Success", columns, [_success_row(row) for row in findings.success])


def _success_row(row: SuccessRow) -> tuple[Cell | str, ...]:
    truly = units.share(row.true_success.value) if row.true_success else "-"
    bursts = f"{row.success.dispersion:.1f}" if row.success.n else "-"
    return (
        part_name(row.scope, row.name),
        units.count(row.success.n),
        _rate(row.success),
        truly,
        _rate(row.approval),
        bursts,
    )


def _rate(rate: Rate) -> Cell:
    return Cell(units.share(rate.value), interval(rate.low, rate.high) if rate.n else "")


def part_name(scope: str, name: str) -> Cell:
    """``All``, ``Before the fault``, ``Gateway stripe``."""
    if scope == "all":
        return Cell("All")
    if scope == "phase":
        return Cell(f"{wording.capital(name)} the fault")
    return Cell(f"{wording.capital(scope)} {name if name != '(none)' else 'not named'}")


def latency(findings: Findings) -> Table:
    """Percentiles of the whole, and by phase, gateway and method."""
    columns = ("Payments", "#n", "#No answer", *(f"#{name}" for name in PERCENTILES.values()))
    return _table("Latency, from the due time", columns, [_latency_row(row) for row in findings.latency])


def _latency_row(row: LatencyRow) -> tuple[Cell | str, ...]:
    by_q = {round(found.q, 6): found for found in row.percentiles}
    cells = [_percentile(by_q.get(q)) for q in PERCENTILES]
    return (part_name(row.scope, row.name), units.count(row.n), units.count(row.unanswered), *cells)


def _percentile(found: Percentile | None) -> Cell:
    if found is None or found.state == "not measurable":
        return Cell("-")
    value = "no answer" if found.state == "never" else units.duration(found.value_ns)
    if found.low_ns is None and found.high_ns is None:
        return Cell(value, "no interval")
    if found.high_ns is None:
        return Cell(value, f"≥ {units.duration(found.low_ns)}")
    if found.low_ns is None:
        return Cell(value, f"≤ {units.duration(found.high_ns)}")
    return Cell(value, f"{units.duration(found.low_ns)} to {units.duration(found.high_ns)}")
