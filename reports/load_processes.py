"""What the load processes recorded of themselves, as arrays: one element per sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reports.findings import LoadProcess
from reports.payments import Ints
from reports.percentile import percentile

UNKNOWN = -1
"""Stands for a figure that the system did not give."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of one process in the order of time, those of the load; the fields are those of
    ``journal.records.GeneratorSample``.

    ``loop_lags_ns`` are all lags of the process, ``loop_lag_max_ns`` the greatest of each sample (0 without
    any). ``ended`` is the tally of the whole process, also of what ended after the load.
    """

    process: str
    at_ns: Ints
    interval_ns: Ints
    cpu_ns: Ints
    cpu_wait_ns: Ints
    preemptions: Ints
    steal_ns: Ints
    gc_pauses: Ints
    gc_pause_ns: Ints
    gc_pause_max_ns: Ints
    loop_lag_max_ns: Ints
    loop_lags_ns: Ints
    lateness_max_ns: Ints
    connections: Ints
    connects: Ints
    socket_errors: Ints
    ended: int
    closed: bool

    def __len__(self) -> int:
        return len(self.at_ns)

    @property
    def cpu_share(self) -> Floats:
        """CPU time as a part of one core, per sample."""
        return self.cpu_ns / np.maximum(self.interval_ns, 1)

    @property
    def waited_ns(self) -> Ints:
        """The wait for a CPU, 0 where it is not known."""
        return np.maximum(self.cpu_wait_ns, 0)


_PLAIN = (
    "at_ns", "interval_ns", "cpu_ns", "cpu_wait_ns", "preemptions", "steal_ns", "gc_pauses", "gc_pause_ns",
    "gc_pause_max_ns", "lateness_max_ns", "connections", "connects", "socket_errors",
)  # fmt: skip


def load_processes(table: pa.Table, load_end_ns: int) -> tuple[Samples, ...]:
    """The samples of every load process that played a part of the load, by name.

    Args:
        table: The journal's table ``generator``.
        load_end_ns: Until when payments were asked for; samples that began later are left out.
    """
    made = []
    for name in sorted(pc.unique(table["process"]).to_pylist()):
        whole = table.filter(pc.equal(table["process"], name)).sort_by("at_ns")
        began = pc.subtract(whole["at_ns"], whole["interval_ns"])
        mine = whole.filter(pc.and_(pc.greater(whole["at_ns"], 0), pc.less(began, load_end_ns)))
        if not len(mine):
            continue
        lags = mine["loop_lags_ns"].combine_chunks()
        flat = cast(Ints, lags.flatten().to_numpy(zero_copy_only=False))
        sizes = pc.list_value_length(lags).to_numpy(zero_copy_only=False)
        owner = np.repeat(np.arange(len(mine)), sizes)
        most = np.zeros(len(mine), np.int64)
        np.maximum.at(most, owner, flat)
        made.append(
            Samples(
                process=name,
                **{
                    field: cast(Ints, pc.fill_null(mine[field], UNKNOWN).to_numpy().astype(np.int64))
                    for field in _PLAIN
                },
                loop_lag_max_ns=most,
                loop_lags_ns=flat,
                ended=int(pc.sum(whole["ended"]).as_py()),
                closed=bool(pc.any(whole["closing"]).as_py()),
            )
        )
    return tuple(made)


def summary(samples: Samples) -> LoadProcess:
    """One process in figures."""
    observed = int(samples.interval_ns.sum())
    lags = np.sort(samples.loop_lags_ns)
    long_enough = samples.interval_ns * 2 >= np.median(samples.interval_ns)
    return LoadProcess(
        name=samples.process,
        observed_ns=observed,
        cpu_share=round(float(samples.cpu_ns.sum()) / max(observed, 1), 6),
        # The first and the last interval may be so short that their share means nothing.
        cpu_share_max=round(float(samples.cpu_share[long_enough].max()), 6),
        cpu_wait_ns=None if (samples.cpu_wait_ns == UNKNOWN).any() else int(samples.cpu_wait_ns.sum()),
        preemptions=int(samples.preemptions.sum()),
        gc_pauses=int(samples.gc_pauses.sum()),
        gc_pause_ns=int(samples.gc_pause_ns.sum()),
        gc_pause_max_ns=int(samples.gc_pause_max_ns.max()),
        loop_lag_p99_ns=percentile(lags, 0.99).value_ns,
        loop_lag_max_ns=int(lags[-1]) if len(lags) else None,
        lateness_max_ns=int(samples.lateness_max_ns.max()),
        connections=int(samples.connections.max()),
        connects=int(samples.connects.sum()),
        socket_errors=int(samples.socket_errors.sum()),
        ended=samples.ended,
        closed=samples.closed,
    )
