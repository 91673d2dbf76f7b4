"""Whether the load was the load that was asked for: a drill whose generator fell behind judges nothing."""

from __future__ import annotations

import numpy as np

from reports.findings import Generator
from reports.payments import NEVER, Ints, Payments
from reports.percentile import percentile
from reports.render.units import count, duration, share

LATENESS_P99_NS = 100_000_000
"""The most lateness (p99) of a sound generator."""

NEVER_SENT_SHARE = 0.001
"""The most payments that a sound generator may fail to send, as a share of those due."""

_S = 1_000_000_000


def generator(payments: Payments, planned: int, complete: bool, load_end_ns: int) -> Generator:
    """The generator's own record.

    Args:
        payments: All payments of the run, the never sent ones included.
        planned: How many the plan holds.
        complete: False for a run that was stopped, aborted or interrupted: then only payments that are known
            to have been due before ``load_end_ns`` count as due.
        load_end_ns: Until when payments were asked for.
    """
    known = payments if complete else payments.where(payments.due_ns < load_end_ns)
    due = max(planned, len(known)) if complete else len(known)
    sent = known.where(known.sent)
    never_sent = due - len(sent)
    lateness = np.sort(sent.lateness_ns)
    p99 = percentile(lateness, 0.99).value_ns
    reasons = []
    if p99 is not None and p99 > LATENESS_P99_NS:
        reasons.append(
            f"the load generator fell behind its schedule: 1% of the payments were sent more than "
            f"{duration(p99)} late ({duration(LATENESS_P99_NS)} is allowed)"
        )
    if due and never_sent / due > NEVER_SENT_SHARE:
        reasons.append(
            f"the load generator never sent {count(never_sent)} of {count(due)} payments that were due "
            f"({share(never_sent / due)}; {share(NEVER_SENT_SHARE)} is allowed)"
        )
    return Generator(
        planned=planned,
        due=due,
        sent=len(sent),
        never_sent=never_sent,
        answered=int(np.count_nonzero(sent.answered)),
        lateness_p50_ns=percentile(lateness, 0.5).value_ns,
        lateness_p99_ns=p99,
        lateness_max_ns=int(lateness[-1]) if len(lateness) else None,
        peak_offered=_peak(known.due_ns),
        peak_achieved=_peak(sent.sent_ns),
        sound=not reasons,
        why="; ".join(reasons),
    )


def _peak(times_ns: Ints) -> int:
    """The greatest count in a second."""
    seconds = times_ns[times_ns != NEVER] // _S
    return int(np.bincount(seconds - seconds.min()).max()) if len(seconds) else 0
