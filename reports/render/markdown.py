"""report.md: the report in short, for a pull request or the summary of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.findings import Findings
from reports.render import closed_loop, facts, generator, tables, wording
from reports.render.tables import Cell, Table

MOST_BYTES = 1024 * 1024
"""GitHub refuses a step summary beyond this (1,024 KiB)."""

MOST_CHARACTERS = 600
"""Of one text of a run; a longer one is cut."""

MARKS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "❔"}
_SPECIAL = re.compile(r"([\\`*\[\]<>|~])")


def markdown_of(findings: Findings, refuge: str) -> str:
    """The whole file, verdict first.

    Args:
        findings: What the drill found.
        refuge: The gateway that took the traffic of the first fault, for the headline.
    """
    text = "\n".join(_lines(findings, refuge)) + "\n"
    # Tables have a row per objective, fault, gateway and method: this is far from the limit, or a bug.
    assert len(text.encode()) < MOST_BYTES, "report.md is larger than a step summary may be"
    return text


def _lines(findings: Findings, refuge: str) -> Iterator[str]:
    run, verdict = findings.run, findings.verdict
    ended = "" if run.ended == "complete" else f" ({run.ended})"
    yield f"# {MARKS[verdict.status]} {verdict.status}: {escaped(run.scenario)}{ended}"
    yield ""
    yield f"**{escaped(wording.headline(findings, refuge))}.**"
    yield ""
    for reason in verdict.reasons:
        yield f"- {escaped(wording.reason(reason, findings))}"
    yield ""
    yield "## Objectives"
    yield ""
    if findings.objectives:
        yield from table_of(tables.objectives(findings))
    else:
        yield "The scenario gates nothing."
    yield ""
    for fault in findings.faults:
        yield f"## {escaped(facts.fault_title(fault, run.load_end_ns))}"
        yield ""
        yield escaped(facts.fault_window(fault))
        yield ""
        yield from table_of(tables.fault_figures(fault))
        yield ""
        yield from pairs_of(facts.fault_payments(fault) + facts.fault_downtime(findings, fault))
        yield ""
    yield "## Availability"
    yield ""
    yield escaped(facts.availability_text(findings))
    yield ""
    yield from table_of(tables.uptime(findings))
    yield ""
    yield "## Money"
    yield ""
    yield escaped(facts.money_text(findings))
    yield ""
    yield from table_of(tables.money_counts(findings))
    yield ""
    yield "## Success and latency"
    yield ""
    yield from table_of(tables.success(findings))
    yield ""
    yield from table_of(tables.latency(findings))
    yield ""
    if text := closed_loop.latency_text(findings):
        yield escaped(text)
        yield ""
    if (done := closed_loop.tasks(findings)).rows:
        yield from table_of(done)
        yield ""
    if error := generator.latency_error(findings):
        yield escaped(error)
        yield ""
    yield "## Load generator"
    yield ""
    yield from pairs_of(generator.generator(findings))
    yield ""
    for table in (generator.load_processes(findings), generator.worst_seconds(findings)):
        if table.rows:
            yield from table_of(table)
            yield ""
    yield "<details><summary>Provenance</summary>"
    yield ""
    yield from pairs_of(facts.provenance(findings))
    yield ""
    yield "</details>"
    yield ""
    yield "The whole report is `report.html`; the timeline for a chat is `plots/timeline.png`."


def escaped(text: str) -> str:
    """Text of a run as text: nothing in it is Markdown or HTML, and it stays on one line."""
    plain = " ".join(text.split())
    plain = plain if len(plain) <= MOST_CHARACTERS else plain[:MOST_CHARACTERS] + " ..."
    return _SPECIAL.sub(r"\\\1", plain.replace("&", "&amp;"))


def table_of(table: Table) -> Iterator[str]:
    """A table, line by line."""
    yield _row([escaped(name.lstrip("#")) for name in table.columns])
    yield _row(["---:" if name.startswith("#") else "---" for name in table.columns])
    for row in table.rows:
        yield _row([_cell(cell, head=at == 0) for at, cell in enumerate(row)])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, head: bool) -> str:
    text = escaped(cell.text)
    if cell.status and cell.status in MARKS:
        text = f"{MARKS[cell.status]} {text}" if cell.text == cell.status else f"**{text}**"
    elif head:
        text = f"**{text}**"
    return f"{text} ({escaped(cell.note)})" if cell.note else text


def pairs_of(pairs: facts.Facts) -> Iterator[str]:
    """Terms with what there is to say of them, as a list."""
    for term, text in pairs:
        yield f"- **{escaped(term)}**: {escaped(text)}"
