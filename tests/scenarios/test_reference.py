"""The reference of all keys is what the schema says today, and what the README shows is sound."""

import re
from pathlib import Path

from scenarios import reference
from scenarios.reading import parse

ROOT = Path(__file__).parents[2]


def test_the_reference_is_up_to_date() -> None:
    written = (ROOT / "docs" / "scenarios.md").read_text()
    assert written == reference.text(), "run: python -m scenarios.reference > docs/scenarios.md"


def test_the_scenario_in_the_readme_can_be_played() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert parse(text, "README.md").name == "stripe-slow"
