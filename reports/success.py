"""Success rate and approval rate, of all payments and of parts of them."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings import SuccessRow
from reports.payments import Payments
from reports.phases import parts
from reports.proportion import rate


def success_rows(
    payments: Payments, windows: Sequence[tuple[int, int]], truth: bool
) -> tuple[SuccessRow, ...]:
    """A row for all payments, then rows by phase, gateway and method.

    Args:
        payments: Those that were sent.
        windows: Start and stop of each fault, for the phases.
        truth: Whether there are gateway records to say what was true.
    """
    return tuple(
        SuccessRow(
            scope=scope,
            name=name,
            success=rate(payments.due_ns[mask], payments.success[mask]),
            approval=rate(payments.due_ns[mask], payments.approved[mask]),
            true_success=rate(payments.due_ns[mask], payments.true_success[mask]) if truth else None,
        )
        for scope, name, mask in parts(payments, windows)
    )
