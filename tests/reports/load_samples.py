"""What load processes record of themselves, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from journal.records import GeneratorSample, schema
from reports.load_processes import Samples, load_processes

S = 1_000_000_000
MS = 1_000_000

CALM = GeneratorSample(
    process="load-0",
    at_ns=S,
    interval_ns=S,
    cpu_ns=300 * MS,
    cpu_wait_ns=10 * MS,
    preemptions=5,
    steal_ns=0,
    gc_pauses=3,
    gc_full=0,
    gc_pause_ns=2 * MS,
    gc_pause_max_ns=1 * MS,
    loop_lags_ns=(1 * MS,) * 50,
    due=40,
    sent=40,
    ended=40,
    in_flight=0,
    lateness_max_ns=2 * MS,
    connections=20,
    connects=1,
    socket_errors=0,
    closing=False,
)
"""A second in which nothing was amiss."""


def seconds(*changes: dict[str, Any], process: str = "load-0", closed: bool = True) -> list[GeneratorSample]:
    """A sample for each second, from ``CALM`` with these changes; the last one is the closing one."""
    rows = [
        CALM._replace(process=process, at_ns=(n + 1) * S)._replace(**change)
        for n, change in enumerate(changes)
    ]
    return [*rows[:-1], rows[-1]._replace(closing=closed)]


def samples(rows: Sequence[GeneratorSample], load_end_ns: int = 1000 * S) -> tuple[Samples, ...]:
    """As ``reports.load_processes`` reads them from a journal."""
    names = schema("generator")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = [pa.array(values, field.type) for field, values in zip(names, columns, strict=True)]
    return load_processes(pa.Table.from_arrays(arrays, schema=names), load_end_ns)
