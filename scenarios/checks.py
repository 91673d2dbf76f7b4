"""What no single key can tell: contradictions between the parts of a scenario, drills that could not be
judged, and live credentials anywhere in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scenarios import (
    contradictions,
    decidable,
    fault_scope,
    process_faults,
    sandboxes,
    socket_faults,
    webhook_faults,
)
from scenarios.document import Document, Problem
from scenarios.document import Path as Place
from scenarios.finding import Finding
from scenarios.schema import Scenario

_LIVE = re.compile(
    r"\b(sk_live_|rk_live_|live_(?=[\w-]{20}))\w*"
    r"|(?<![\w.-])(api-m\.paypal\.com|api\.gocardless\.com|[\w.-]*-checkout-live\.adyenpayments\.com)"
)


def findings(scenario: Scenario, broken_sections: frozenset[str]) -> Iterator[Finding]:
    """All findings of the checks that do not read a broken section."""
    for check in (
        *contradictions.CHECKS,
        *decidable.CHECKS,
        *process_faults.CHECKS,
        *fault_scope.CHECKS,
        *sandboxes.CHECKS,
        *socket_faults.CHECKS,
        *webhook_faults.CHECKS,
    ):
        if not check.sections & broken_sections:
            yield from check.find(scenario)


def text_problems(document: Document) -> list[Problem]:
    """Live credentials and live hosts, anywhere in the text; the secret itself is not repeated."""
    problems: list[Problem] = []

    def walk(value: object, place: Place) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*place, key))
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                walk(inner, (*place, number))
        elif isinstance(value, str) and (match := _LIVE.search(value)):
            what = f"a live key ({match[1]}...)" if match[1] else f"a live host ({match[2]})"
            problems.append(
                document.problem(
                    place,
                    f"{what} is refused, always",
                    "drills run against mocks and test modes only",
                    show=False,
                )
            )

    walk(document.data, ())
    return problems
