"""Writing the report of a search for the peak."""

from __future__ import annotations

from pathlib import Path

from reports.peak_findings import PeakFindings
from reports.plots.peak import peak
from reports.render.search_html import search_html
from reports.render.search_json import search_json
from reports.render.search_markdown import search_markdown
from reports.write import replace


def write_search(folder: Path, found: PeakFindings) -> None:
    """Write the report of a search into its folder, over an earlier one.

    Written are ``search.json``, ``search.html``, ``search.md`` and the figure as ``plots/peak.svg`` and
    ``plots/peak.png``; the same bytes for the same findings.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    replace(folder / "search.json", search_json(found))
    plots = {plot.name: plot for plot in (peak(found), peak(found, narrow=True))}
    (folder / "plots").mkdir(exist_ok=True)
    replace(folder / "plots" / "peak.svg", plots["peak"].svg.encode())
    replace(folder / "plots" / "peak.png", plots["peak"].png)
    replace(folder / "search.md", search_markdown(found).encode())
    replace(folder / "search.html", search_html(found, plots).encode())
