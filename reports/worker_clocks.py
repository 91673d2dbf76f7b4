"""How the clocks of the load workers stood to the master's, by which the journal is timed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reports.findings import WorkerClock


def worker_clocks(rows: Iterable[dict[str, Any]]) -> tuple[WorkerClock, ...]:
    """A summary for each worker, by its name.

    Args:
        rows: Of the table ``worker_clock``.
    """
    of: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of.setdefault(row["worker"], []).append(row)
    return tuple(_summary(name, sorted(of[name], key=lambda row: row["at_ns"])) for name in sorted(of))


def _summary(name: str, rows: list[dict[str, Any]]) -> WorkerClock:
    first, last = rows[0], rows[-1]
    return WorkerClock(
        name=name,
        host=last["host"],
        one_clock=all(row["one_clock"] for row in rows),
        # True time lies within shift +- error of what was written down.
        wrong_ns=max(abs(row["shift_ns"]) + row["error_ns"] for row in rows),
        drift_ns=last["shift_ns"] - first["shift_ns"],
        drift_error_ns=last["error_ns"] + first["error_ns"],
        observed_ns=last["at_ns"] - first["at_ns"],
    )
