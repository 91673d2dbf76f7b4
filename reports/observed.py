"""What the generator's own failures leave unsaid about the platform.

A payment that was never sent, or whose end was lost with its load process, says nothing about the platform:
it counts neither for it nor against it. But what was not seen must not help a verdict either. So every
judgement that rests on payments is made up to three times: as measured; as if everything in doubt had gone
well; as if everything unseen had failed. Only a FAIL that stands in the best case is one, and only a PASS
that stands in the worst.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reports.payments import NEVER, Bools, Payments

LATE_NS = 100_000_000
"""A payment that was sent later than this after its due time was not sent as planned."""


def unobserved(payments: Payments, timeout_ns: int) -> Bools:
    """Payments that are no evidence about the platform.

    Never sent; sent, but what became of it was lost with the load process; or sent late, so that the
    customer's time-out, which counts from the due time, left the platform less time than it has.
    """
    cut_short = late(payments) & ~payments.success & (payments.latency_ns > timeout_ns)
    return ~payments.sent | payments.lost | cut_short


def late(payments: Payments) -> Bools:
    """Payments that were sent, and not as planned."""
    return payments.sent & (payments.lateness_ns > LATE_NS)


def doubtful(payments: Payments, timeout_ns: int) -> Bools:
    """Payments whose failure may be the generator's doing: unobserved or late ones, and those due until the
    platform can be taken to have digested what was overdue.

    A generator that was held up sends all that is overdue at once, which the plan did not ask for. A platform
    that carries twice the planned rate has digested it after as long again as the generator was held up.
    """
    behind = late(payments)
    digested = np.where(behind, payments.sent_ns + np.where(behind, payments.lateness_ns, 0), -NEVER)
    until = np.maximum.accumulate(digested) if len(digested) else digested
    return unobserved(payments, timeout_ns) | behind | (payments.due_ns < until)


def best_case(payments: Payments, doubts: Bools) -> Payments:
    """As if what is in doubt had succeeded at once, and nothing of a latency had been the generator's."""
    served = np.where(
        payments.sent & payments.answered, payments.latency_ns - payments.lateness_ns, payments.latency_ns
    )
    return replace(
        payments,
        sent=np.ones(len(payments), bool),
        success=payments.success | doubts,
        approved=payments.approved | doubts,
        latency_ns=np.where(doubts, 0, served),
    )


def worst_case(payments: Payments, unseen: Bools) -> Payments:
    """As if what was not observed had failed, without an answer."""
    return replace(
        payments,
        sent=np.ones(len(payments), bool),
        success=payments.success & ~unseen,
        approved=payments.approved & ~unseen,
        latency_ns=np.where(unseen, NEVER, payments.latency_ns),
    )
