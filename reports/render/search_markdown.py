"""search.md: what a search for the peak found in short, for a pull request or the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator

from reports import peak_wording
from reports.peak_findings import PeakFindings
from reports.render import search_tables
from reports.render.markdown import MARKS, escaped, pairs_of, table_of


def search_markdown(found: PeakFindings) -> str:
    """The whole file, the finding first."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: PeakFindings) -> Iterator[str]:
    ended = "" if found.ended == "complete" else f" ({found.ended})"
    interval = escaped(peak_wording.interval(found))
    yield f"# {MARKS[found.status]} {interval}: the peak of {escaped(found.scenario)}{ended}"
    yield ""
    yield f"**{escaped(found.headline)}.**"
    yield ""
    for reason in found.reasons:
        yield f"- {escaped(reason)}"
    if found.steps:
        yield ""
        yield "## Steps"
        yield ""
        yield from table_of(search_tables.steps(found))
    if found.low is not None or found.high is not None:
        yield ""
        yield "## Objectives at the ends of the interval"
        yield ""
        yield from table_of(search_tables.ends(found))
    yield ""
    if said := peak_wording.sureness(found):
        yield escaped(said)
        yield ""
    yield "<details><summary>Provenance</summary>"
    yield ""
    yield from pairs_of(search_tables.provenance(found))
    yield ""
    yield "</details>"
    yield ""
    yield "The whole report is `search.html`; the figure for a chat is `plots/peak.png`."
