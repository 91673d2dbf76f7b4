"""The short form, against a golden file. ``python -m tests.reports_looks.test_markdown`` writes it anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.render.markdown import escaped, markdown_of
from tests.reports_looks import samples

GOLDEN = Path(__file__).parent / "golden" / "failover.md"


def test_the_short_form_is_as_it_was() -> None:
    assert markdown_of(samples.failover(), "adyen") == GOLDEN.read_text()


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    findings = samples.failover()
    odd = "a | b\n| c `d` *e*"
    findings = replace(findings, objectives=tuple(replace(goal, why=odd) for goal in findings.objectives))
    cells = 0
    for line in markdown_of(findings, "adyen").splitlines():
        bars = line.replace("\\|", "").count("|")
        if not line.startswith("|"):
            cells = 0
            continue
        cells = cells or bars
        assert bars == cells, line


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<img src=x>", "\\<img src=x\\>"),
        ("a|b", "a\\|b"),
        ("two\nlines", "two lines"),
        ("[x](y)", "\\[x\\](y)"),
        ("a & b", "a &amp; b"),
        ("x" * 700, "x" * 600 + " ..."),
    ],
)
def test_texts_of_a_run_are_text(text: str, safe: str) -> None:
    assert escaped(text) == safe


def test_the_verdict_is_the_first_line() -> None:
    assert markdown_of(samples.failover(), "").startswith("# ❌ FAIL: gateway_failover\n")
    bare = replace(samples.failover(), objectives=(), faults=())
    assert "The scenario gates nothing." in markdown_of(bare, "")


if __name__ == "__main__":
    GOLDEN.write_text(markdown_of(samples.failover(), "adyen"))
