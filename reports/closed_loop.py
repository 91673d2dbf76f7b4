"""What users did, and which payments' latencies are judged.

Users wait for an answer before they go on, so a slow platform is asked for less: the latencies that it would
have had at the planned rate are never measured (coordinated omission). Those of arrivals are, so where there
are arrivals, only theirs are percentiles and gates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.findings import ClosedLoop, TaskRow
from reports.payments import Payments
from scenarios.schema import Scenario


def timed(payments: Payments, scenario: Scenario) -> Payments:
    """The payments whose latencies are judged: those of the open loop, if the scenario has one."""
    return payments.where(payments.open_loop) if scenario.load.arrivals else payments


def closed_loop(
    scenario: Scenario, payments: Payments, tasks: Sequence[Mapping[str, Any]]
) -> ClosedLoop | None:
    """What the users did; ``None`` if the scenario has none.

    Args:
        scenario: What was played.
        payments: Those that count.
        tasks: The rows of the journal's table ``user_task``.
    """
    users = scenario.load.users
    if users is None:
        return None
    return ClosedLoop(
        users=users.count,
        payments=int(np.count_nonzero(~payments.open_loop)),
        timed=not scenario.load.arrivals,
        tasks=tuple(
            _row(kind, [task for task in tasks if task["task"] == kind])
            for kind in sorted({task["task"] for task in tasks})
        ),
    )


def _row(kind: str, tasks: Sequence[Mapping[str, Any]]) -> TaskRow:
    outcomes = Counter(task["outcome"] for task in tasks)
    errors = Counter(task["error"] for task in tasks if task["error"])
    return TaskRow(
        task=kind,
        done=len(tasks),
        ok=outcomes["ok"],
        failed=outcomes["failed"],
        unknown=outcomes["unknown"],
        why=min(errors, key=lambda error: (-errors[error], error), default=""),
    )
