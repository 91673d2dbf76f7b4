"""The page: parsed, not looked at. It needs nothing else, and it can be used without seeing it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reports.plots.lateness import lateness
from reports.plots.money import money
from reports.plots.percentiles import percentiles
from reports.plots.story import Story
from reports.plots.style import Plot
from reports.plots.timeline import timeline
from reports.render import units
from reports.render.html import html_of
from tests.reports_looks import samples

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes and open ancestors; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1] if self._open else "", data.strip()))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs, _ in self.elements if name == tag]


@pytest.fixture(scope="module")
def plots() -> dict[str, Plot]:
    findings = samples.failover()
    told = Story(findings, samples.series(findings), ("stripe", "adyen"), 0.98, None, 5.0)
    drawn = [timeline(told), timeline(told, narrow=True), percentiles([], None), money(findings.money)]
    drawn.append(lateness(findings.generator, told.series))
    return {plot.name: plot for plot in drawn}


@pytest.fixture(scope="module")
def html(plots: dict[str, Plot]) -> str:
    return html_of(samples.failover(), plots, "adyen")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_needs_nothing_else(html: str, page: Page) -> None:
    for tag, attrs, _ in page.elements:
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            if name in attrs:
                assert attrs[name].startswith(("#", "data:")), (tag, attrs[name])
    assert not page.all("script")
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert "://" not in html


def test_it_has_landmarks_and_one_title(page: Page) -> None:
    for tag in ("header", "main", "footer", "h1", "title"):
        assert len(page.all(tag)) == 1, tag
    assert page.all("nav")[0]["aria-label"]
    assert page.all("html")[0]["lang"] == "en"
    viewport = next(meta for meta in page.all("meta") if meta.get("name") == "viewport")
    assert "width=device-width" in viewport["content"]


def test_every_figure_has_words(page: Page) -> None:
    pictures = [attrs for _, attrs, _ in page.elements if attrs.get("role") == "img"]
    assert len(pictures) == 5
    assert all(len(attrs["aria-label"]) > 20 for attrs in pictures)
    assert all(svg.get("aria-hidden") == "true" for svg in page.all("svg"))
    assert not page.all("img")


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs, _ in page.elements:
        for name in ("href", "xlink:href"):
            if attrs.get(name, "").startswith("#"):
                assert attrs[name][1:] in ids
        if "aria-labelledby" in attrs:
            assert attrs["aria-labelledby"] in ids


def test_headings_leave_no_level_out(page: Page) -> None:
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_tables_name_their_rows_and_columns_and_may_scroll(page: Page) -> None:
    for tag, _, ancestors in page.elements:
        if tag == "table":
            assert ancestors[-1] == "div"
    assert all(attrs.get("scope") in ("row", "col") for attrs in page.all("th"))
    regions = [attrs for attrs in page.all("div") if attrs.get("role") == "region"]
    assert len(regions) == len(page.all("table"))
    assert all(attrs["aria-label"] and attrs["tabindex"] == "0" for attrs in regions)


def test_the_verdict_comes_first_then_what_it_rests_on(page: Page) -> None:
    texts = [text for place, text in page.texts if place not in ("style", "title")]
    assert texts[1] == "FAIL"
    order = ["Objectives", "Timeline", "What each fault did", "Availability", "Money", "Success and latency"]
    order += ["The load generator's own record", "How to read this", "Provenance", "Incident review"]
    headings = [text for place, text in page.texts if place == "h2"]
    assert headings == order


def test_it_says_what_was_found(html: str) -> None:
    for fact in (
        "31 payments in flight unconfirmed",
        "2 orders were captured without an entry.",
        "1,200 payments are too few for a bound. 2,995 payments would be enough.",
        "19 of these 31 had been captured and 12 had not",
        "one such incident uses 0.039% of the 43.2 min that 99.9% leaves in 30 days",
        "a1b2c3-0000001",
        "To be filled in",
        "0123456789abcdef" * 4,
    ):
        assert units.glued(fact) in html.replace("&#39;", "'"), fact


def test_nothing_of_a_run_becomes_markup(plots: dict[str, Plot]) -> None:
    bad = "<script>alert(1)</script>\"' onload=x {{ 7 * 7 }}"
    findings = samples.failover()
    hostile = replace(
        findings,
        run=replace(findings.run, about=bad, command=bad, versions=((bad, bad),)),
        verdict=replace(findings.verdict, reasons=(bad, bad)),
        marks=tuple(replace(mark, text=bad, source=bad) for mark in findings.marks),
        objectives=tuple(replace(goal, why=bad) for goal in findings.objectives),
        faults=(samples.fault(on=bad, detected_by=bad),),
    )
    named = {name: replace(plot, alt=bad) for name, plot in plots.items()}
    page = Page(html_of(hostile, named, bad))
    assert not page.all("script")
    assert not any("onload" in attrs for _, attrs, _ in page.elements)
    assert any(bad in text for _, text in page.texts)


def test_a_drill_that_gates_nothing_says_so(plots: dict[str, Plot]) -> None:
    bare = replace(samples.failover(), objectives=(), faults=(), incidents=(), budget=None, marks=())
    text = html_of(bare, plots, "")
    assert "The scenario gates nothing" in text
    assert "What each fault did" not in text
    assert "No fault was planned." in text
