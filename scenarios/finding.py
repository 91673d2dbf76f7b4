"""What a check of a scenario finds, and what a check is."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from scenarios.document import Path as Place
from scenarios.schema import Scenario


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a place of the scenario."""

    path: Place
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A pure function of the scenario that yields findings, and the sections that must be sound for what it
    finds to mean anything."""

    sections: frozenset[str]
    find: Callable[[Scenario], Iterator[Finding]]


def reads(*sections: str) -> Callable[[Callable[[Scenario], Iterator[Finding]]], Check]:
    """Make a check of a function that reads these sections."""
    return lambda find: Check(frozenset(sections), find)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest valid name, or all of them."""
    options = [name for name in known if name]
    close = difflib.get_close_matches(word, options, 1, 0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"one of: {', '.join(options)}" if options else ""
