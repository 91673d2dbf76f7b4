"""The report of a search: the short form against a golden file, the page parsed, the figure, the JSON.

``python -m tests.peak.test_report`` writes the golden file anew.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from paydrill.search_table import show_search
from reports.peak_findings import PeakFindings
from reports.plots.peak import alt_text, peak
from reports.plots.style import Plot
from reports.render import units
from reports.render.search_html import search_html
from reports.render.search_json import SCHEMA, json_schema, search_json
from reports.render.search_markdown import search_markdown
from reports.write_search import write_search
from tests.peak.searches import FOUND, LIMITS, Made, findings
from tests.reports.json_schema import misfits
from tests.reports_looks.test_html import Page

GOLDEN = Path(__file__).parent / "golden" / "search.md"
DOCS = Path(__file__).parents[2] / "docs"

SEARCHES: dict[str, PeakFindings] = {
    "found": findings(FOUND),
    "generator": findings([Made(40), Made(45, late_ms=400), Made(40), Made(45, late_ms=400)]),
    "nothing": findings([Made(rate, latency_ms=2000) for rate in (40, 20, 20)], replace(LIMITS, least=20)),
    "interrupted": findings([], ended="interrupted", ended_why="stopped by Ctrl-C in step 1"),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, Plot]:
    return {name: peak(SEARCHES[name]) for name in ("found", "interrupted")}


def test_the_short_form_is_as_it_was() -> None:
    assert search_markdown(SEARCHES["found"]) == GOLDEN.read_text()


def test_the_page_says_the_interval_first_and_links_its_steps(drawn: dict[str, Plot]) -> None:
    text = search_html(SEARCHES["found"], {"peak": drawn["found"]})
    page = Page(text)
    texts = [said for place, said in page.texts if place not in ("style", "title")]
    assert texts[1] == "120 to 140/s"
    assert [said for place, said in page.texts if place == "h2"] == [
        "What happens as the rate rises",
        "Steps",
        "Objectives at the ends of the interval",
        "How to read this",
        "Provenance",
    ]
    links = [attrs["href"] for attrs in page.all("a")]
    assert "steps/04-120-per-s/report.html" in links and len(links) == 1 + len(FOUND)
    assert units.glued("900 ms") in text and "outage on stripe" in text


@pytest.mark.parametrize("name", SEARCHES)
def test_every_kind_of_search_is_rendered_without_gaps(name: str, drawn: dict[str, Plot]) -> None:
    found = SEARCHES[name]
    plot = replace(drawn.get(name, drawn["found"]), alt=alt_text(found))
    page = Page(search_html(found, {"peak": plot}))
    said = [text for _, text in page.texts] + [plot.alt, search_markdown(found)]
    for text in said:
        assert "nan" not in text.lower().split() and "None" not in text.split()
    assert any(found.headline in text for text in said)


def test_nothing_of_a_search_becomes_markup(drawn: dict[str, Plot]) -> None:
    bad = "<script>alert(1)</script>\"' onload=x {{ 7 * 7 }}"
    hostile = replace(
        SEARCHES["found"], scenario=bad, about=bad, command=bad, reasons=(bad,), without_faults=(bad,)
    )
    page = Page(search_html(hostile, {"peak": replace(drawn["found"], alt=bad)}))
    assert not page.all("script")
    assert not any("onload" in attrs for _, attrs, _ in page.elements)


def test_the_figure_is_said_in_words(drawn: dict[str, Plot]) -> None:
    assert "120/s: success 100%, p95 100 ms, p99 100 ms, held." in drawn["found"].alt
    assert "140/s: success 100%, p95 900 ms, p99 900 ms, broke." in drawn["found"].alt


def test_json_is_what_the_schema_says() -> None:
    written = json.loads((DOCS / "search.schema.json").read_text())
    assert written == json.loads(json.dumps(json_schema()))
    for found in SEARCHES.values():
        data = json.loads(search_json(found))
        assert data["schema"] == SCHEMA
        assert misfits(data, written, written["$defs"], "") == []


def test_every_field_is_documented() -> None:
    text = (DOCS / "find-peak.md").read_text()
    assert [name for name in json_schema()["properties"] if f"`{name}`" not in text] == []


def test_two_reports_are_the_same_byte_for_byte(tmp_path: Path, drawn: dict[str, Plot]) -> None:
    found = SEARCHES["found"]
    write_search(tmp_path, found)
    written = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert written["peak.svg"] == drawn["found"].svg.encode()
    assert written["peak.png"] == drawn["found"].png
    assert written["search.json"] == search_json(found)
    assert written["search.md"] == search_markdown(found).encode()
    assert set(written) == {"search.json", "search.md", "search.html", "peak.svg", "peak.png"}


def test_the_table_fits_80_columns() -> None:
    output = io.StringIO()
    show_search(Console(width=80, file=output), SEARCHES["found"], Path("runs/x"))
    lines = output.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    text = "\n".join(lines)
    assert "The platform holds 120/s and breaks at 140/s: latency p95 broke first." in text
    assert text.count("broke") >= 4
    assert "…" not in text


if __name__ == "__main__":
    GOLDEN.write_text(search_markdown(SEARCHES["found"]))
