"""search.html: the report of a search for the peak, one file that needs nothing else but for the links to the
reports of its steps."""

from __future__ import annotations

from collections.abc import Mapping

from reports import peak_wording
from reports.peak_findings import PeakFindings
from reports.plots.style import Plot
from reports.render import search_tables
from reports.render.html import environment, figures_of


def search_html(found: PeakFindings, plots: Mapping[str, Plot]) -> str:
    """The whole page. ``plots`` are figures by name; ``X-narrow`` stands in for ``X`` on a phone."""
    return (
        environment(tables=search_tables, wording=peak_wording)
        .get_template("search.html")
        .render(
            found=found,
            interval=peak_wording.interval(found),
            sureness=peak_wording.sureness(found),
            figures=figures_of(plots),
        )
    )
