"""The parts of a drill: before, during and after its faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from reports.payments import Bools, Payments

PHASES = ("before", "during", "after")

Part = tuple[str, str, Bools]
"""(scope, name, mask of payments)."""


def parts(payments: Payments, windows: Sequence[tuple[int, int]]) -> Iterator[Part]:
    """The parts for which success and latency are given: all payments, then by phase, gateway and method.

    Args:
        payments: Those that were sent.
        windows: Start and stop of each fault. By due time: ``before`` the first start, ``during`` any fault,
            ``after`` for the rest. Without faults there are no phases.

    Parts without payments are left out.
    """
    yield "all", "all", np.ones(len(payments), bool)
    if windows:
        during = np.zeros(len(payments), bool)
        for start, stop in windows:
            during |= (payments.due_ns >= start) & (payments.due_ns < stop)
        before = payments.due_ns < min(start for start, _ in windows)
        for name, mask in zip(PHASES, (before, during, ~before & ~during), strict=True):
            if mask.any():
                yield "phase", name, mask
    for scope, column in (("gateway", payments.gateway), ("method", payments.method)):
        for name in column.names:
            mask = column.equal(name)
            if mask.any():
                yield scope, name or "(none)", mask
