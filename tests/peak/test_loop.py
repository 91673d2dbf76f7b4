"""The search from step to step: what it plays, what it keeps on record, and how it ends. The drills are made
by hand at the place where they would be played; ``test_search`` plays them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from paydrill import search as searching
from paydrill.conductor import AbortedError, Interrupts
from paydrill.run_folder import RunFolder
from paydrill.search import Search
from paydrill.search_view import SearchView
from reports.judge import Judgement, judge_run
from reports.peak import judge_search
from reports.run_folder import open_run
from reports.search_folder import open_search
from scenarios.schema import Scenario
from tests.peak.searches import LIMITS, record
from tests.reports.drill import MS, Drill, S

CAPACITY = 55
QUICK = replace(LIMITS, start=30, precision=0.3, steps=10, payments=100)

Before = Callable[[int], None]


def played(before: Before) -> Callable[..., Judgement]:
    """Stands for ``paydrill.drill.play``: the drill of a platform that is slow beyond its capacity. ``before``
    is called with the number of the step."""
    number = 0

    def play(scenario: Scenario, folder: RunFolder, **_: Any) -> Judgement:
        nonlocal number
        number += 1
        before(number)
        assert folder.journal.is_dir() and not list(folder.journal.iterdir())
        folder.journal.rmdir()
        hold = scenario.load.arrivals[-1].rate
        assert hold is not None
        drill = Drill()
        drill.scenario = scenario
        slow = hold.start > CAPACITY
        for count in range(round(scenario.duration_ns / S * hold.start)):
            drill.pay(round(count * S / hold.start), latency_ns=(900 if slow else 100) * MS)
        return judge_run(open_run(drill.write(folder.path)))

    return play


def search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Before, interrupts: Interrupts | None = None
) -> str:
    monkeypatch.setattr(searching, "play", played(before))
    output = io.StringIO()
    scenario = Scenario.model_validate(
        {
            "name": "by-hand",
            "gateways": {"stripe": {}, "adyen": {}},
            "load": {"arrivals": [{"duration": "6s", "rate": "40/s"}]},
            "objectives": {"success_rate": ">= 98%", "latency_p95": "< 800ms"},
        }
    )
    with SearchView(Console(file=output, width=200), QUICK, quiet=False) as view:
        begun = record([], QUICK, ended="interrupted", ended_why="its end is not on record")
        Search(scenario, begun, tmp_path, view, interrupts or Interrupts()).run()
    return output.getvalue()


def test_it_searches_keeps_a_record_and_says_a_line_for_each_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_record: list[int] = []
    output = search(
        tmp_path, monkeypatch, lambda number: on_record.append(len(open_search(tmp_path)[0].steps))
    )
    found = judge_search(tmp_path)
    assert [step.rate for step in found.steps] == [30, 60, 45, 45, 60]
    assert [step.why for step in found.steps] == ["start", "raise", "narrow", "confirm", "confirm"]
    assert found.headline == "The platform holds 45/s and breaks at 60/s: latency p95 broke first"
    assert found.ended == "complete"
    # Whatever ends it, the steps that were played are on record.
    assert on_record == [0, 1, 2, 3, 4]
    assert [path.name for path in sorted((tmp_path / "steps").iterdir())] == [
        "01-30-per-s", "02-60-per-s", "03-45-per-s", "04-45-per-s", "05-60-per-s",
    ]  # fmt: skip
    lines = output.splitlines()
    assert len(lines) == 5
    assert (tmp_path / "search.html").is_file()
    assert "30/s  held  achieved 30/s, success 100%, p95 100 ms" in lines[0]
    assert "60/s  broke: latency p95" in lines[1]
    seeds = [open_run(path).scenario.seed for path in sorted((tmp_path / "steps").iterdir())]
    assert seeds == [1, 2, 3, 4, 5]


def test_ctrl_c_between_two_steps_plays_no_further_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupts = Interrupts()
    monkeypatch.setattr(searching, "write_search", lambda *_: None)
    search(tmp_path, monkeypatch, lambda number: interrupts.press() if number == 2 else None, interrupts)
    found = judge_search(tmp_path)
    assert (found.ended, found.exit_code, len(found.steps)) == ("interrupted", 130, 2)
    assert "stopped by Ctrl-C in step 3" in found.ended_why
    assert found.headline == "Interrupted after 2 steps; so far 30/s held and 60/s broke"


def test_a_step_that_cannot_be_played_ends_the_search_with_what_it_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def before(number: int) -> None:
        if number == 3:
            raise AbortedError("stripe died")

    monkeypatch.setattr(searching, "write_search", lambda *_: None)
    search(tmp_path, monkeypatch, before)
    found = judge_search(tmp_path)
    assert (found.ended, found.exit_code, len(found.steps)) == ("aborted", 4, 2)
    assert found.reasons[0] == "Step 3 could not be played: stripe died."
