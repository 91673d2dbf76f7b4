"""The reference of all keys is what the schema says today, and what the README shows is sound."""

import re
from pathlib import Path

from scenarios import reference
from scenarios.reading import load_scenario, parse

ROOT = Path(__file__).parents[2]


def test_the_reference_is_up_to_date() -> None:
    written = (ROOT / "docs" / "scenarios.md").read_text()
    assert written == reference.text(), "run: python -m scenarios.reference > docs/scenarios.md"


def test_the_scenario_in_the_readme_can_be_played() -> None:
    scenario, _ = _yaml_of_the_readme()
    assert parse(scenario, "README.md").name == "stripe-slow"


def test_the_load_in_the_readme_can_be_played(tmp_path: Path) -> None:
    _, load = _yaml_of_the_readme()
    (tmp_path / "checkout.csv").write_text("0.5\n1.25\n3\n")
    path = tmp_path / "shapes.yaml"
    path.write_text(f"name: shapes\ngateways: {{stripe: {{}}}}\n{load}")
    read = load_scenario(str(path)).load
    assert len(read.arrivals) == 5 and read.users is not None and read.users.count == 50


def _yaml_of_the_readme() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
