"""Whether the load was the load that was asked for: a drill whose generator fell behind judges nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from journal.records import GENERATOR
from reports.bottleneck import advice, bottleneck
from reports.findings import Generator, LateSecond, WorkerClock
from reports.load_processes import UNKNOWN, Samples, summary
from reports.observed import LATE_NS, late
from reports.payments import NEVER, Bools, Ints, Payments
from reports.percentile import percentile
from reports.render.units import count, duration, listing, plural, share

LATENESS_P99_NS = LATE_NS
"""The most lateness (p99) of a sound generator."""

NEVER_SENT_SHARE = 0.001
"""The most payments that a sound generator may fail to send, or lose, as a share of those due."""

WORST_SECONDS = 5
_S = 1_000_000_000
_LOST = re.compile(re.escape(GENERATOR) + r"worker (.+) was lost")


def generator(
    payments: Payments,
    planned: int,
    complete: bool,
    load_end_ns: int,
    processes: Sequence[Samples] = (),
    stored: int | None = None,
    clocks: tuple[WorkerClock, ...] = (),
) -> Generator:
    """The generator's own record.

    Args:
        payments: All payments of the run, the never sent ones included.
        planned: How many arrivals the plan holds.
        complete: False for a run that was stopped, aborted or interrupted: then only payments that are known
            to have been due before ``load_end_ns`` count as due.
        load_end_ns: Until when payments were asked for.
        processes: What the load processes recorded of themselves; empty if they did not.
        stored: Payments whose end the journal has, as the load processes wrote it; ``None`` for all of
            ``payments``.
        clocks: How the clocks of workers stood to the master's.
    """
    known = payments if complete else payments.where(payments.due_ns < load_end_ns)
    # What users pay is not in the plan: it is due because it is known.
    planned_ones = int(np.count_nonzero(known.open_loop))
    due = max(planned, planned_ones) + len(known) - planned_ones if complete else len(known)
    sent = known.where(known.sent)
    lateness = np.sort(sent.lateness_ns)
    p99 = _p99(sent)
    lags = (
        np.sort(np.concatenate([samples.loop_lags_ns for samples in processes]))
        if processes
        else lateness[:0]
    )
    steals = [samples.steal_ns for samples in processes]
    errors = _errors(known)
    reasons: list[str] = []
    causes: list[str] = []
    if p99 is not None and p99 > LATENESS_P99_NS:
        reasons.append(
            f"the load generator fell behind its schedule: 1% of the payments were sent more than "
            f"{duration(p99)} late ({duration(LATENESS_P99_NS)} is allowed)"
        )
        causes.append(bottleneck(processes))
    gone = _lost_with_worker(known)
    lost = int(np.count_nonzero(sent.lost) + np.count_nonzero(gone))
    never_sent = due - len(sent) - int(np.count_nonzero(gone))
    if due and never_sent / due > NEVER_SENT_SHARE:
        reasons.append(
            f"the load generator never sent {count(never_sent)} of {count(due)} payments that were due "
            f"({share(never_sent / due)}; {share(NEVER_SENT_SHARE)} is allowed)"
            + (f"; {count(due - len(known))} of them left no record at all" if due > len(known) else "")
        )
        causes.append(_told(errors))
    if complete and due and lost / due > NEVER_SENT_SHARE:
        reasons.append(
            f"the load generator lost {count(lost)} of {count(due)} payments that were due: what became of "
            f"them is not on record ({share(lost / due)}; {share(NEVER_SENT_SHARE)} is allowed)"
        )
    if complete:
        reasons += _incomplete(known, processes, stored)
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
        missing=due - len(known),
        lost=lost,
        bottleneck="; ".join(cause for cause in causes if cause),
        errors=errors,
        loop_lag_p99_ns=percentile(lags, 0.99).value_ns,
        loop_lag_max_ns=int(lags[-1]) if len(lags) else None,
        # Processes of one host see the same CPUs: the most that one of them saw, and not their sum.
        steal_ns=max((int(one.sum()) for one in steals if not (one == UNKNOWN).any()), default=None),
        worst=_worst(known),
        processes=tuple(summary(samples) for samples in processes),
        clocks=clocks,
    )


def _p99(sent: Payments) -> int | None:
    """The 99th percentile of lateness, of the arrivals or of what users pay, whichever is greater: many
    payments of users who wait for their turn must not hide arrivals that came late."""
    groups = (np.sort(sent.lateness_ns[mask]) for mask in (sent.open_loop, ~sent.open_loop))
    found = [percentile(lateness, 0.99).value_ns for lateness in groups]
    return max((ns for ns in found if ns is not None), default=None)


def _told(errors: Sequence[tuple[str, int]]) -> str:
    """The reasons that were given, the three most frequent."""
    said = []
    for error, times in errors[:3]:
        what = advice(error)
        said.append(f"{error} ({count(times)} times{': ' + what if what else ''})")
    return "; ".join(said)


def _errors(payments: Payments) -> tuple[tuple[str, int], ...]:
    """Why payments were never sent, in the generator's own words, with how often; the most frequent first."""
    unsent = payments.error.codes[~payments.sent & ~_lost_with_worker(payments)]
    found = [
        (name.removeprefix(GENERATOR), int(np.count_nonzero(unsent == code)))
        for code, name in enumerate(payments.error.names)
        if name.startswith(GENERATOR)
    ]
    return tuple(sorted((one for one in found if one[1]), key=lambda one: (-one[1], one[0])))


def _lost_with_worker(payments: Payments) -> Bools:
    """Payments of which a worker that is gone never said whether it had sent them."""
    codes = [code for code, name in enumerate(payments.error.names) if _LOST.match(name)]
    return ~payments.sent & np.isin(payments.error.codes, codes)


def _incomplete(payments: Payments, processes: Sequence[Samples], stored: int | None) -> list[str]:
    """What shows that a load process, or a part of its record, is gone, in a drill that ran to its end."""
    reasons = []
    workers = sorted({found[1] for name in payments.error.names if (found := _LOST.match(name))})
    if workers:
        names = f"worker{'s' if len(workers) > 1 else ''} {listing(workers)}"
        reasons.append(f"the load generator lost its {names}: find out why it ended")
    gone = [samples.process for samples in processes if not samples.closed]
    if gone and not workers:
        names = f"process{'es' if len(gone) > 1 else ''} {listing(gone)}"
        reasons.append(f"the load {names} left no closing record: killed, or cut off from the journal")
    ended = sum(samples.ended for samples in processes)
    if stored is not None:
        # What the master wrote in the place of a worker is in no worker's tally.
        stored -= int(np.count_nonzero(payments.error.starting(f"{GENERATOR}worker ")))
    if stored is not None and processes and not gone and not workers and ended != stored:
        reasons.append(
            f"the load processes saw {plural(ended, 'payment')} end, and the journal holds {count(stored)}"
        )
    return reasons


def _worst(payments: Payments) -> tuple[LateSecond, ...]:
    """The seconds in which most payments were not sent in time."""
    if not len(payments):
        return ()
    second = payments.due_ns // _S
    first = int(second.min())
    bins = int(second.max()) - first + 1

    def counted(mask: Bools) -> Ints:
        return np.bincount(second[mask] - first, minlength=bins)

    missed = ~payments.sent | payments.lost
    due, bad = counted(np.ones(len(payments), bool)), counted(missed | late(payments))
    made = []
    for at in np.lexsort((np.arange(bins), -bad))[:WORST_SECONDS]:
        if not bad[at]:
            break
        lateness = payments.lateness_ns[(second == at + first) & payments.sent]
        made.append(
            LateSecond(
                start_ns=(int(at) + first) * _S,
                due=int(due[at]),
                on_time=int(due[at] - bad[at]),
                missed=int(np.count_nonzero(missed & (second == at + first))),
                lateness_max_ns=int(lateness.max()) if len(lateness) else None,
            )
        )
    return tuple(made)


def _peak(times_ns: Ints) -> int:
    """The greatest count in a second."""
    seconds = times_ns[times_ns != NEVER] // _S
    return int(np.bincount(seconds - seconds.min()).max()) if len(seconds) else 0
