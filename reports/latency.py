"""Latency, counted from the due time: percentiles of all payments and of parts of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reports.findings import LatencyRow
from reports.payments import Payments
from reports.percentile import percentile
from reports.phases import parts

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
"""The percentiles that are reported, by the names that objectives give them."""


def latency_rows(payments: Payments, windows: Sequence[tuple[int, int]]) -> tuple[LatencyRow, ...]:
    """A row for all payments, then rows by phase, gateway and method.

    Args:
        payments: Those that were sent; one without an answer counts as slower than everything.
        windows: Start and stop of each fault, for the phases.
    """
    rows = []
    for scope, name, mask in parts(payments, windows):
        ordered = np.sort(payments.latency_ns[mask])
        rows.append(
            LatencyRow(
                scope=scope,
                name=name,
                n=len(ordered),
                unanswered=int(np.count_nonzero(~payments.answered[mask])),
                percentiles=tuple(percentile(ordered, q) for q in QUANTILES.values()),
            )
        )
    return tuple(rows)
