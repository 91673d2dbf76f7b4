"""Payments made from a few lists, for the parts that work on arrays alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reports.payments import NEVER, Coded, Payments


def payments(
    due_ns: Sequence[int],
    success: Sequence[bool] | None = None,
    *,
    true_success: Sequence[bool] | None = None,
    sent_ns: Sequence[int] | None = None,
    latency_ns: Sequence[int] | None = None,
    lost: Sequence[bool] | None = None,
    errors: Sequence[str] | None = None,
) -> Payments:
    """Sent and answered payments; by default all succeed at once."""
    n = len(due_ns)
    due = np.array(due_ns, np.int64)
    sent = due if sent_ns is None else np.array(sent_ns, np.int64)
    latency = np.zeros(n, np.int64) if latency_ns is None else np.array(latency_ns, np.int64)
    good = np.ones(n, bool) if success is None else np.array(success, bool)
    was_sent = sent != NEVER
    same = Coded(np.zeros(n, np.int16), ("x",))
    texts = tuple(sorted(set(errors or [""])))
    error = Coded(np.array([texts.index(text) for text in errors or [""] * n], np.int16), texts)
    return Payments(
        due_ns=due,
        sent_ns=sent,
        done_ns=np.where(latency == NEVER, NEVER, due + latency),
        latency_ns=latency,
        lateness_ns=np.where(was_sent, sent - due, NEVER),
        amount_minor=np.full(n, 1000, np.int64),
        captures=np.ones(n, np.int64),
        sent=was_sent,
        open_loop=np.ones(n, bool),
        lost=np.zeros(n, bool) if lost is None else np.array(lost, bool),
        answered=latency != NEVER,
        success=good,
        approved=good,
        true_success=good if true_success is None else np.array(true_success, bool),
        method=same,
        currency=same,
        expected=same,
        outcome=same,
        error=error,
        gateway=same,
    )
