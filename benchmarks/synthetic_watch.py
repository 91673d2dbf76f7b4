"""What watches a synthetic run: faults, probes with re-probing, and the marks on its timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from journal.records import FaultEvent, Mark, ProbeResult, Record
from scenarios.arrivals import stretches
from scenarios.schema import Probe, Scenario

WriteTable = Callable[[Path, Mapping[str, Any]], None]

_S = 1_000_000_000
_MS = 1_000_000


def write_watch(
    journal: Path,
    rng: np.random.Generator,
    scenario: Scenario,
    window: tuple[int, int],
    dark: tuple[str, ...],
    hits: dict[str, int],
    due_ns: NDArray[np.int64],
    plant: frozenset[str],
    write: WriteTable,
) -> None:
    """Write the tables ``fault``, ``probe`` and ``mark``."""
    cut = plant & {"aborted", "interrupted"}
    end = int(due_ns[-1] * 0.6) if cut else scenario.duration_ns
    for index, fault in enumerate(scenario.faults):
        steps = [("armed", fault.at, -2 * _S, 0), ("started", fault.at, window[0], 0)]
        steps.append(("stopped", fault.end, window[1], hits[fault.on]))
        events: list[Record] = [
            FaultEvent(f"f{index + 1}", fault.fault, fault.on, phase, due, at, seen)
            for phase, due, at, seen in steps
            if at < end
        ]
        _write_records(write, journal / f"{fault.on}.fault.arrow", events)
    probes: list[Record] = []
    for probe in scenario.probes:
        probes += _probe(rng, probe, end, window, dark)
    probes.sort(key=lambda record: record.done_ns if isinstance(record, ProbeResult) else 0)
    if probes:
        _write_records(write, journal / "probes.probe.arrow", probes)
    marks: list[Record] = []
    for stretch in stretches(scenario.load.arrivals):
        if stretch.begin_ns < end:
            seconds = (stretch.end_ns - stretch.begin_ns) // _S
            marks.append(Mark(stretch.begin_ns, "stage", "conductor", f"{stretch.name}: {seconds} s"))
    if "aborted" in cut:
        marks.append(Mark(end, "died", "conductor", "the gateway adyen died (killed by signal 9)"))
        marks.append(Mark(end, "aborted", "conductor", "the gateway adyen died (killed by signal 9)"))
    elif "interrupted" in cut:
        marks.append(Mark(end, "interrupted", "conductor", "Ctrl-C"))
    else:
        kind = "unsettled" if "unresolved" in plant else "settled"
        marks.append(Mark(end + 2 * _S, kind, "conductor", "the platform's unknown outcomes"))
    _write_records(write, journal / "conductor.mark.arrow", marks)


def _probe(
    rng: np.random.Generator, probe: Probe, end: int, window: tuple[int, int], dark: tuple[str, ...]
) -> Iterator[Record]:
    """One probe's results: every ``every``, and every ``recheck`` after a failure."""
    due = int(rng.random() * probe.every)
    recheck = probe.recheck or probe.every // 10
    while due < end:
        sent = due + int(rng.exponential(0.3) * _MS)
        inside = window[0] <= sent < window[1]
        if probe.on == "platform":
            takes = int(rng.lognormal(0, 0.4) * 150 * _MS)
            down = (inside and len(dark) > 1) or (bool(dark) and sent < window[0] < sent + takes)
            step, detail = "verify", "the platform does not know the outcome"
        else:
            takes = int(rng.lognormal(0, 0.4) * 12 * _MS)
            down = inside and probe.on in dark
            step, detail = "connect", "connection refused"
        done = max(window[0], sent) + 2 * _MS if down else sent + takes
        outcome = "fail" if down else "ok"
        yield ProbeResult(
            probe.probe, probe.on, due, sent, done, outcome, step if down else "", detail if down else ""
        )
        due += recheck if down else probe.every


def _write_records(write: WriteTable, path: Path, records: list[Record]) -> None:
    if records:
        columns = zip(*records, strict=True)
        write(path, dict(zip(records[0]._fields, map(list, columns), strict=True)))
