"""Writing the report of a run: judge it, and set down what was found."""

from __future__ import annotations

from pathlib import Path

from reports.findings import Findings
from reports.judge import Judgement, judge_run
from reports.plots.gallery import gallery, story_of
from reports.render.html import html_of
from reports.render.junit import junit_xml
from reports.render.markdown import markdown_of
from reports.render.payments_parquet import payments_parquet
from reports.render.verdict_json import verdict_json
from reports.run_folder import open_run


def write_report(folder: Path) -> Findings:
    """Judge the run in ``folder`` and write its report beside the journal, over an earlier one.

    Written are ``verdict.json``, ``junit.xml``, ``payments.parquet``, ``report.html``, ``report.md`` and the
    figures as ``plots/*.svg`` and ``plots/*.png``. A file is replaced as a whole or not at all, and two
    reports of one journal are the same, byte for byte.

    Raises:
        NotARunError: The folder is not a run folder, or cannot be read.
        OSError: The folder cannot be written, or the disk is full.
    """
    judgement = judge_run(open_run(folder))
    write_judgement(judgement)
    return judgement.findings


def write_judgement(judgement: Judgement) -> None:
    """Write the report of a run that has been judged, into its folder.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    folder, findings = judgement.run.path, judgement.findings
    replace(folder / "verdict.json", verdict_json(findings))
    replace(folder / "junit.xml", junit_xml(findings))
    replace(folder / "payments.parquet", payments_parquet(judgement.orders, judgement.payments))
    story = story_of(judgement)
    plots = gallery(judgement, story)
    (folder / "plots").mkdir(exist_ok=True)
    for plot in plots.values():
        if plot.png:
            replace(folder / "plots" / f"{plot.name}.svg", plot.svg.encode())
            replace(folder / "plots" / f"{plot.name}.png", plot.png)
    replace(folder / "report.md", markdown_of(findings, story.refuge).encode())
    replace(folder / "report.html", html_of(findings, plots, story.refuge).encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file so that whoever opens it finds the old content or the new, never a part.

    Raises:
        OSError: It cannot be written; nothing is left behind then.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
