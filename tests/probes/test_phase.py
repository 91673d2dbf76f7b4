"""A probe starts at its phase, and keeps it."""

import pytest

from probes.plan import from_message, planned
from probes.schedule import Schedule


def test_regular_due_times_keep_their_phase() -> None:
    schedule = Schedule(every_ns=100, recheck_ns=10, regular_ns=37)
    dues: list[int] = []
    for _ in range(3):
        dues.append(schedule.due_ns)
        schedule = schedule.advanced()
    assert dues == [37, 137, 237]


def test_a_plan_carries_its_phase() -> None:
    message = {"probe": "http", "target": "x", "url": "http://127.0.0.1:1", "every_ns": 100, "timeout_ns": 1}
    assert from_message({**message, "phase_ns": 37}).phase_ns == 37
    assert from_message(message).phase_ns == 0
    with pytest.raises(ValueError, match="phase"):
        planned("http", "x", "http://127.0.0.1:1", phase_ns=-1)
