"""What the load says of the platform, by one reading of its payments: as measured, at best, at worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.availability import Windows, uptime
from reports.closed_loop import timed
from reports.faults import Evidence, fault_findings, gateway_answers, identified
from reports.findings import Availability, Budget, FaultFindings, Incident, ProbeUptime, Slice, SuccessRow
from reports.incidents import budget, incidents
from reports.payments import Ints, Payments
from reports.probe_uptime import probe_uptimes
from reports.proportion import rate
from reports.run_folder import RunFolder
from reports.success import success_rows


@dataclass(frozen=True, slots=True)
class Case:
    """One reading. ``latencies_ns`` are sorted, and those of the open loop if there is one; ``success`` has
    the row of all payments first, and is empty without payments; ``windows`` are start and stop of each
    fault."""

    availability: Availability
    incidents: tuple[Incident, ...]
    budget: Budget | None
    faults: tuple[FaultFindings, ...]
    windows: Windows
    success: tuple[SuccessRow, ...]
    latencies_ns: Ints


class Cases:
    """Makes the readings of one run.

    Args:
        run: The run.
        truth: Whether there are gateway records.
    """

    def __init__(self, run: RunFolder, truth: bool) -> None:
        self._scenario = run.scenario
        self._end_ns = run.load_end_ns
        self._truth = truth
        self._faults = identified(run.scenario)
        self._probes = run.rows("probe")
        self._events = run.rows("fault")
        self._answers = gateway_answers(run.table("gateway_request"))
        self._probe_uptimes: tuple[ProbeUptime, ...] = probe_uptimes(self._probes)

    def of(self, payments: Payments, cut: Sequence[Slice]) -> Case:
        """The reading by these payments, all of which count, and these slices."""
        found = incidents(self._faults, cut, self._end_ns, self._scenario.load.timeout)
        evidence = Evidence(
            scenario=self._scenario,
            payments=payments,
            answers=self._answers,
            truth=self._truth,
            probes=self._probes,
            events=self._events,
            load_end_ns=self._end_ns,
        )
        faults = tuple(fault_findings(evidence, name, fault, found) for name, fault in self._faults)
        windows = [
            (
                fault.planned_start_ns if fault.true_start_ns is None else fault.true_start_ns,
                fault.planned_stop_ns if fault.true_stop_ns is None else fault.true_stop_ns,
            )
            for fault in faults
        ]
        return Case(
            availability=self._availability(payments, cut),
            incidents=found,
            budget=budget(self._scenario, found, cut),
            faults=faults,
            windows=windows,
            success=success_rows(payments, windows, self._truth),
            latencies_ns=np.sort(timed(payments, self._scenario).latency_ns),
        )

    def _availability(self, payments: Payments, cut: Sequence[Slice]) -> Availability:
        measured = uptime(cut)
        true = uptime(cut, true=True) if self._truth and cut else None
        return Availability(
            slices=tuple(cut),
            measured=measured,
            true=true,
            error=None
            if true is None or measured.net is None or true.net is None
            else measured.net - true.net,
            probes=self._probe_uptimes,
            requests=rate(payments.due_ns, payments.success),
        )
