"""What the comment at the head of a scenario promises about its verdict."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from scenarios.schema import Objectives

SCENARIOS = Path(__file__).parents[2] / "scenarios"


class Promise(NamedTuple):
    """The verdict, and the objectives that are broken: none for PASS."""

    status: str
    broken: frozenset[str]


def promise_of(name: str) -> Promise:
    """The promise of a scenario that comes with it: ``must PASS``, or ``must FAIL on`` its objectives by name,
    up to the end of the clause. Raises AssertionError when there is none, or several."""
    lines = (SCENARIOS / f"{name}.yaml").read_text().splitlines()
    head = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    (promised,) = re.findall(r"must (?:PASS|FAIL on [^.:]+)", head)
    words = re.findall(r"\w+", promised)
    return Promise(words[1], frozenset(words) & Objectives.model_fields.keys())
