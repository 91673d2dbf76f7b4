"""Whole reports of run folders, the unlucky ones included."""

from __future__ import annotations

import hashlib
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.synthetic_run import write_run
from reports.judge import judge_run
from reports.plots.gallery import gallery, story_of
from reports.render.html import html_of
from reports.render.markdown import markdown_of
from reports.run_folder import NotARunError, open_run
from reports.write import replace, write_report
from tests.reports_looks.run_folders import DEGENERATE
from tests.reports_looks.test_html import Page

FILES = {
    "junit.xml",
    "payments.parquet",
    "report.html",
    "report.md",
    "verdict.json",
    *(
        f"plots/{name}.{end}"
        for name in ("lateness", "money", "percentiles", "timeline")
        for end in ("png", "svg")
    ),
}


def contents(folder: Path) -> dict[str, str]:
    """Name -> digest of every file of the folder but the journal."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "journal" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_report_is_whole_and_the_same_twice(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", payments=3000)
    findings = write_report(run)
    first = contents(run)
    assert set(first) == FILES | {"scenario.yaml"}
    assert findings.verdict.status in (run / "report.md").read_text().splitlines()[0]
    # The second writes over the first, and in another place: where a run lies is no part of its report.
    moved = run.rename(tmp_path / "elsewhere")
    write_report(moved)
    assert contents(moved) == first


@pytest.mark.parametrize("build", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_an_unlucky_run_has_a_report(build: Callable[[Path], Path], tmp_path: Path) -> None:
    judgement = judge_run(open_run(build(tmp_path / "run")))
    findings = judgement.findings
    story = story_of(judgement)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a collapsed layout, a division by nothing
        plots = gallery(judgement, story, shapes=(False,))
    page = Page(html_of(findings, plots, story.refuge))
    assert any(text == findings.verdict.status for _, text in page.texts)
    assert not page.all("script")
    for text in [text for _, text in page.texts] + [plot.alt for plot in plots.values()]:
        assert "nan" not in text.lower().split()
        assert "None" not in text.split()
    assert findings.verdict.status in markdown_of(findings, story.refuge)


def test_no_folder_no_report(tmp_path: Path) -> None:
    with pytest.raises(NotARunError):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    replace(tmp_path / "a", b"old")
    (tmp_path / "b").mkdir()
    with pytest.raises(OSError):
        replace(tmp_path / "b", b"a folder is in the way")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a", "b"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.slow
def test_200000_payments_are_reported_in_time_and_memory(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", payments=200_000)
    began = time.perf_counter()
    write_report(run)
    assert time.perf_counter() - began < 20
    # Kilobytes on Linux; of this whole process, so an upper bound.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1024 * 1024
