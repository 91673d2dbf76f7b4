from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.probe_uptime import outages, probe_uptimes


def _rows(text: str, every: int = 10) -> list[dict[str, Any]]:
    """One probe per letter: ``o`` ok, ``f`` fail, ``u`` unknown; sent every 10."""
    names = {"o": "ok", "f": "fail", "u": "unknown"}
    return [
        {
            "probe": "http",
            "target": "stripe",
            "due_ns": at * every,
            "sent_ns": at * every + 1,
            "done_ns": at * every + 4,
            "outcome": names[letter],
            "phase": "connect" if letter == "f" else "",
            "detail": "refused" if letter == "f" else "",
        }
        for at, letter in enumerate(text)
    ]


@pytest.mark.parametrize(
    ("text", "brackets"),
    [
        ("oooo", []),
        ("oofffoo", [(20, 40, 30)]),
        ("ofo", [(0, 20, 10)]),
        ("ofufo", [(20, 40, 30)]),
        ("oufuo", [(0, 40, 20)]),
        ("ofofo", [(0, 20, 10), (0, 20, 10)]),
        ("ooff", [(10, 20, 15)]),
        ("ffo", [(10, 20, 15)]),
        ("fff", [(20, 20, 20)]),
        ("uuu", []),
    ],
)
def test_brackets_by_hand(text: str, brackets: list[tuple[int, int, int]]) -> None:
    assert [(o.low_ns, o.high_ns, o.figure_ns) for o in outages(_rows(text))] == brackets


def test_open_ends_are_said() -> None:
    (left,) = outages(_rows("ffo"))
    (right,) = outages(_rows("off"))
    assert (left.open_start, left.stop_ns) == (True, 21)
    assert (right.open_start, right.stop_ns) == (False, None)


def test_uptime_is_weighted_by_time_not_by_probes() -> None:
    # Rechecks while it is down: 4 of 7 probes failed, but only a fifth of the time was down.
    rows = _rows("offffoo")
    for row, sent in zip(rows, (0, 100, 110, 120, 130, 140, 400), strict=True):
        row["sent_ns"] = sent
    (seen,) = probe_uptimes(rows)
    # 30 < D < 140; midpoint 85 of 400.
    assert seen.uptime == pytest.approx(1 - 85 / 400)
    assert seen.low == pytest.approx(1 - 140 / 400)
    assert seen.high == pytest.approx(1 - 30 / 400)
    assert (seen.n, seen.ok, seen.failed, seen.unknown) == (7, 3, 4, 0)


@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=60),
    st.integers(0, 30_000),
    st.integers(1, 20_000),
)
def test_the_bracket_contains_the_true_outage(gaps: list[int], start: int, length: int) -> None:
    """Whatever the schedule and the outage: the bracket holds the truth when good probes are on both sides."""
    sent = [sum(gaps[:at]) for at in range(len(gaps) + 1)]
    rows = _rows("".join("f" if start <= at < start + length else "o" for at in sent))
    for row, at in zip(rows, sent, strict=True):
        row["sent_ns"] = at
    for outage in outages(rows):
        assert outage.low_ns < length
        assert outage.low_ns <= outage.figure_ns <= outage.high_ns
        if not outage.open_start and outage.stop_ns is not None:
            assert length < outage.high_ns
        if outage.stop_ns is not None:
            assert outage.start_ns < start + length <= outage.stop_ns


@given(st.text("ofu", max_size=40))
def test_bounds_hold_the_figure(text: str) -> None:
    for seen in probe_uptimes(_rows(text)):
        if seen.uptime is not None:
            assert seen.low is not None and seen.high is not None
            assert 0 <= seen.low <= seen.uptime <= seen.high <= 1
