"""What kept a load generator from its schedule, by what its processes recorded of themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reports.load_processes import UNKNOWN, Samples
from reports.observed import LATE_NS
from reports.render.units import duration, moment, plural, share

BUSY = 0.95
"""A process that used this part of a core, or would have had it had one, could do no more."""

WAITED = 0.2
"""The part of the time it could run from which on a wait for a CPU is what slowed a busy process down."""

HALF = 0.5
"""What explains half of a delay explains it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that held up one process. ``seconds`` is the number of samples that it explains, ``worst_ns``
    the greatest delay among them."""

    kind: str
    process: str
    seconds: int
    worst_ns: int
    text: str


def bottleneck(processes: Sequence[Samples]) -> str:
    """The causes of lateness that are on record, as a clause with what to do about each; empty if none is."""
    found = [cause for samples in processes for cause in causes(samples)]
    found.sort(key=lambda cause: (-cause.worst_ns, cause.process, cause.kind))
    # One cause of the same kind in several processes is one to act upon.
    told: dict[str, list[Cause]] = {}
    for cause in found:
        told.setdefault(cause.kind, []).append(cause)
    return "; ".join(_told(group) for group in list(told.values())[:2])


def _told(group: Sequence[Cause]) -> str:
    others = len(group) - 1
    more = f" (and {plural(others, 'other load process', 'other load processes')} likewise)" if others else ""
    return f"{group[0].text}{more}: {_REMEDY[group[0].kind]}"


_REMEDY = {
    "cpu": "give the load more processes or more machines, or ask for a lower rate",
    "wait": "use a quieter machine, or keep other work off the load's cores",
    "collections": "give the load more processes, so that each of them collects less",
    "stopped": "find out what stopped it, or use a machine that is not paused",
    "loop": "give the load more processes or more machines, or ask for a lower rate",
}


def causes(samples: Samples) -> list[Cause]:
    """What held up this process in the samples in which it was late, each kind once."""
    kinds: dict[str, list[int]] = {}
    late = late_samples(samples)
    for at in late:
        kind = _kind(samples, at)
        if kind:
            kinds.setdefault(kind, []).append(at)
    return [
        Cause(
            kind,
            samples.process,
            len(rows),
            int(_delay(samples)[rows].max()),
            _TEXT[kind](samples, rows, len(late)),
        )
        for kind, rows in kinds.items()
    ]


def late_samples(samples: Samples) -> list[int]:
    """The samples in which payments were sent late, or the loop was."""
    return [int(at) for at in np.flatnonzero(_delay(samples) > LATE_NS)]


def _delay(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    delay: np.ndarray[tuple[int], np.dtype[np.int64]]
    delay = np.maximum(samples.loop_lag_max_ns, samples.lateness_max_ns)
    return delay


def _kind(samples: Samples, at: int) -> str:
    """The one thing that explains this sample's delay best; empty if nothing on record does."""
    length, cpu = int(samples.interval_ns[at]), int(samples.cpu_ns[at])
    wait, lag = int(samples.waited_ns[at]), int(samples.loop_lag_max_ns[at])
    if lag > LATE_NS:
        # The loop stood still for so long; what did its process do meanwhile?
        if samples.gc_pause_max_ns[at] >= HALF * lag:
            return "collections"
        if lag - cpu - wait >= HALF * lag:
            return "stopped"
        if wait >= HALF * lag:
            return "wait"
    if cpu + wait >= BUSY * length:
        return "wait" if wait >= WAITED * (cpu + wait) else "cpu"
    return "loop" if lag > LATE_NS else ""


def _cpu(samples: Samples, rows: list[int], late: int) -> str:
    used = share(float(samples.cpu_ns[rows].sum() / samples.interval_ns[rows].sum()))
    return (
        f"the CPU of load process {samples.process}, {used} of a core in {len(rows)} of the "
        f"{plural(late, 'second')} in which it was late"
    )


def _wait(samples: Samples, rows: list[int], late: int) -> str:
    waited = duration(int(samples.waited_ns[rows].sum()))
    stolen = int(np.maximum(samples.steal_ns[rows], 0).sum())
    hypervisor = (
        f", {duration(stolen)} of it at the most to other machines of the hypervisor" if stolen else ""
    )
    return (
        f"the host of load process {samples.process}: it waited {waited} for a CPU that others had, in "
        f"{len(rows)} of the {plural(late, 'second')} in which it was late{hypervisor}"
    )


def _collections(samples: Samples, rows: list[int], late: int) -> str:
    longest = duration(int(samples.gc_pause_max_ns[rows].max()))
    return f"garbage collection in load process {samples.process}, with pauses of up to {longest}"


def _stopped(samples: Samples, rows: list[int], late: int) -> str:
    worst = max(rows, key=lambda at: int(samples.loop_lag_max_ns[at]))
    lag, until = duration(int(samples.loop_lag_max_ns[worst])), moment(int(samples.at_ns[worst]))
    then = "neither computed nor waited for a CPU then: it was stopped, or its host was"
    if samples.cpu_wait_ns[worst] == UNKNOWN:
        then = "did not compute then: it was stopped, or others had its CPU"
    return f"load process {samples.process} did not run for {lag} before {until}, and {then}"


def _loop(samples: Samples, rows: list[int], late: int) -> str:
    lag = duration(int(samples.loop_lag_max_ns[rows].max()))
    return f"the event loop of load process {samples.process}, held up for up to {lag} by work of its own"


_TEXT: dict[str, Callable[[Samples, list[int], int], str]] = {
    "cpu": _cpu,
    "wait": _wait,
    "collections": _collections,
    "stopped": _stopped,
    "loop": _loop,
}


def advice(error: str) -> str:
    """What to do about the reason for which a payment was not sent; empty if it is not known."""
    return next((what for words, what in _ADVICE if words in error.lower()), "")


_ADVICE = (
    (
        "in flight",
        "the platform keeps too many open for load.max_in_flight; raise it, or ask for a lower rate",
    ),
    ("emfile", "raise the limit of open files (ulimit -n), or use more load processes"),
    ("no local port", "use more load machines, or ask for a lower rate"),
)
