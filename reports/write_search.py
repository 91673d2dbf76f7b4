"""Writing the report of a search for the peak."""

from __future__ import annotations

from pathlib import Path

from reports.peak_findings import PeakFindings
from reports.render.search_json import search_json
from reports.write import replace


def write_search(folder: Path, found: PeakFindings) -> None:
    """Write the report of a search into its folder, over an earlier one.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    replace(folder / "search.json", search_json(found))
