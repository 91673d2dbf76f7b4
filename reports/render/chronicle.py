"""The drill told in order: what happened when, from the marks, the faults and what was measured."""

from __future__ import annotations

from typing import NamedTuple

from reports.findings import FaultFindings, Findings
from reports.render import units, wording


class Event(NamedTuple):
    """``at_ns`` on the run's time axis; ``text`` is a clause without a full stop."""

    at_ns: int
    text: str


def chronicle(findings: Findings) -> list[Event]:
    """All events by time; those of one time in the order in which they are listed here."""
    events = [Event(0, "the load begins")]
    events += [
        Event(mark.at_ns, f"stage {mark.text}" if mark.kind == "stage" else f"{mark.source}: {mark.text}")
        for mark in findings.marks
    ]
    for start, stop in findings.maintenance:
        events.append(Event(start, f"announced maintenance, until {units.moment(stop)}"))
    for fault in findings.faults:
        events += _of_fault(fault)
    events.append(Event(findings.run.load_end_ns, "the load ends"))
    return sorted(events, key=lambda event: event.at_ns)


def _of_fault(fault: FaultFindings) -> list[Event]:
    who = f"{wording.proper(fault.on)} {wording.condition(fault)}"
    events = []
    if fault.true_start_ns is not None:
        flight = units.plural(fault.in_flight.n, "payment")
        events.append(Event(fault.true_start_ns, f"fault {fault.id} starts: {who}, {flight} in flight"))
    events += [Event(start, f"fault {fault.id} starts again") for start, _ in fault.spells[1:]]
    events += [Event(stop, f"fault {fault.id} stops") for _, stop in fault.spells if stop is not None]
    for figure, begin, text in (
        (fault.detection, fault.planned_start_ns, f"first failed probe ({fault.detected_by})"),
        (fault.failover, fault.planned_start_ns, "20 successes in a row begin"),
        (fault.recovery, fault.planned_start_ns, "the success rate holds its objective again"),
        (fault.failback, fault.planned_stop_ns, f"{wording.proper(fault.on)} has its share of traffic back"),
    ):
        if figure.measured_ns is not None:
            events.append(Event(begin + figure.measured_ns, f"{text} (fault {fault.id})"))
    return events
