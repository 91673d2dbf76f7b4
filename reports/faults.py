"""Each fault of the drill: when it was on, how soon payments succeeded again, and what it did to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reports.detection import detection
from reports.findings import FaultFindings, Figure, Incident, InFlight, WithinFault
from reports.latency import QUANTILES
from reports.payments import Bools, Ints, Payments
from reports.recovery import Edge, failback, failover, recovery
from scenarios.quantities import Bound
from scenarios.schema import PLATFORM, Fault, Scenario

USUAL_TARGET = Bound(">=", 0.98, ">= 98%")
USUAL_SLOW_NS = 1_000_000_000

NO_OTHER = Figure(
    "not measurable", None, "not measurable", None, None, "there is no other platform to move to"
)


@dataclass(frozen=True, slots=True)
class TrueTimes:
    """What the injecting process wrote: every start with its stop (``None`` if there is none), and hits."""

    spells: tuple[tuple[int, int | None], ...]
    hits: int

    @property
    def start_ns(self) -> int | None:
        """The first start."""
        return self.spells[0][0] if self.spells else None

    @property
    def stop_ns(self) -> int | None:
        """The last stop; ``None`` when it was still on, or never was."""
        return self.spells[-1][1] if self.spells else None


def identified(scenario: Scenario) -> tuple[tuple[str, Fault], ...]:
    """The faults with their ids; one on a region is one on each of its gateways."""
    return scenario.identified_faults()


def true_times(rows: Sequence[dict[str, Any]], fault_id: str) -> TrueTimes:
    """Start, stop and hits of a fault by its events; the last event has the final number of hits."""
    mine = sorted((row for row in rows if row["id"] == fault_id), key=lambda row: (row["at_ns"], row["hits"]))
    started = [row["at_ns"] for row in mine if row["phase"] == "started"]
    stopped: list[int | None] = [row["at_ns"] for row in mine if row["phase"] == "stopped"]
    stopped += [None] * (len(started) - len(stopped))
    return TrueTimes(tuple(zip(started, stopped, strict=False)), mine[-1]["hits"] if mine and started else 0)


@dataclass(frozen=True, slots=True)
class GatewayAnswers:
    """What the gateways decided on payments of the load, by the time at which they received them."""

    received_ns: Ints
    gateway: pa.Array

    def share_of(self, gateway: str) -> Bools:
        """Where it was this gateway."""
        mask: Bools = pc.equal(self.gateway, gateway).to_numpy(zero_copy_only=False)
        return mask


def gateway_answers(requests: pa.Table) -> GatewayAnswers:
    """First executions that ended in ``succeeded`` or ``declined``; probes' payments are left out."""
    wanted = pc.and_(
        pc.is_in(requests["result"], value_set=pa.array(["succeeded", "declined"])),
        pc.invert(pc.or_(requests["replayed"], pc.starts_with(requests["order_id"], "probe-"))),
    )
    kept = requests.select(["received_ns", "gateway"]).filter(wanted)
    kept = kept.sort_by([("received_ns", "ascending"), ("gateway", "ascending")]).combine_chunks()
    return GatewayAnswers(
        kept["received_ns"].to_numpy(), pc.cast(kept["gateway"], pa.string()).combine_chunks()
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a fault is judged by."""

    scenario: Scenario
    payments: Payments
    """Those that were sent."""
    answers: GatewayAnswers
    truth: bool
    """Whether there are gateway records."""
    probes: Sequence[dict[str, Any]]
    events: Sequence[dict[str, Any]]
    load_end_ns: int


def fault_findings(
    evidence: Evidence, fault_id: str, fault: Fault, found: Sequence[Incident]
) -> FaultFindings:
    """Everything about one fault. Measured figures use the planned times and what clients and probes saw;
    true figures use the fault's and the gateways' own records."""
    true = true_times(evidence.events, fault_id)
    end = evidence.load_end_ns
    planned = fault.at, planned_stop(fault)
    place = next((i for i, incident in enumerate(found) if fault_id in incident.faults), -1)
    # Before another fault of the incident, which may have moved the traffic; its start is the plan's.
    calm = found[place].start_ns if place >= 0 and found[place].start_ns < fault.at else None
    payments = evidence.payments
    watching = [fault.on, "platform", evidence.scenario.platform.url or "platform"]
    seen, detected_by, alarm = detection(evidence.probes, watching, *planned)
    true_seen = seen
    if seen.state == "measured" and alarm is not None and true.start_ns is not None:
        true_seen = Edge("measured", alarm - true.start_ns, None, "")
    target = evidence.scenario.objectives.success_rate or USUAL_TARGET
    answered = payments.where(payments.answered & ~payments.gateway.equal(""))
    start = true.start_ns if true.start_ns is not None else fault.at
    stop = true.stop_ns if true.stop_ns is not None else min(planned[1], end)

    def true_side(edge: Edge) -> Edge:
        if true.start_ns is None:
            return Edge("not measurable", None, None, "the fault never started")
        return edge if evidence.truth else Edge("not measurable", None, None, "there are no gateway records")

    return FaultFindings(
        id=fault_id,
        name=fault.fault,
        on=fault.on,
        planned_start_ns=planned[0],
        planned_stop_ns=planned[1],
        true_start_ns=true.start_ns,
        true_stop_ns=true.stop_ns,
        hits=true.hits,
        detection=_figure(seen, true_seen if true.start_ns is not None else true_side(true_seen)),
        detected_by=detected_by,
        failover=NO_OTHER
        if fault.on == PLATFORM
        else _figure(
            failover(payments.due_ns, payments.success, planned[0], min(planned[1], end)),
            true_side(failover(payments.due_ns, payments.true_success, start, stop)),
        ),
        recovery=_figure(
            recovery(payments.due_ns, payments.success, planned, end, target),
            true_side(recovery(payments.due_ns, payments.true_success, (start, stop), end, target)),
        ),
        failback=NO_OTHER
        if fault.on == PLATFORM
        else _figure(
            failback(answered.due_ns, answered.gateway.equal(fault.on), planned, end, calm),
            true_side(
                failback(
                    evidence.answers.received_ns,
                    evidence.answers.share_of(fault.on),
                    (start, stop),
                    end,
                    calm,
                )
            ),
        ),
        in_flight=_in_flight(payments, start),
        within=_within(payments, start, stop, slow_beyond(evidence.scenario)),
        incident=place,
        spells=true.spells,
    )


def planned_stop(fault: Fault) -> int:
    """When it is planned to be off for good: a fault that flaps may end its window with a stretch of off."""
    return max(phase.stop_ns for phase in fault.timing.phases())


def slow_beyond(scenario: Scenario) -> int:
    """The latency beyond which a success is called slow: the strictest latency objective, or 1 s."""
    bounds = (getattr(scenario.objectives, f"latency_{name}") for name in QUANTILES)
    return int(min((bound.value for bound in bounds if bound), default=USUAL_SLOW_NS))


def _figure(measured: Edge, true: Edge) -> Figure:
    return Figure(
        state=measured.state,
        measured_ns=measured.ns,
        true_state=true.state,
        true_ns=true.ns,
        resolution_ns=measured.resolution_ns,
        why=measured.why or (true.why if true.state != "measured" else ""),
    )


def _unknown(payments: Payments) -> Bools:
    """Payments whose outcome the client did not learn."""
    unlearned: Bools = (
        ~payments.answered | payments.outcome.equal("unknown") | payments.outcome.equal("pending")
    )
    return unlearned & ~payments.success


def _caught(payments: Payments, start_ns: int) -> Bools:
    """In flight at a time: due before it, not done by then."""
    caught: Bools = (payments.due_ns < start_ns) & (payments.done_ns > start_ns)
    return caught


def _in_flight(payments: Payments, start_ns: int) -> InFlight:
    caught = payments.where(_caught(payments, start_ns))
    unknown = _unknown(caught)
    open_ends = ~caught.success
    return InFlight(
        n=len(caught),
        succeeded=_count(caught.success),
        failed=_count(open_ends & ~unknown),
        unknown=_count(unknown),
        captured=_count(open_ends & (caught.captures > 0)),
        not_captured=_count(open_ends & (caught.captures == 0)),
    )


def _within(payments: Payments, start_ns: int, stop_ns: int, slow_ns: int) -> WithinFault:
    due_in_it = (payments.due_ns >= start_ns) & (payments.due_ns < stop_ns)
    touched = payments.where(_caught(payments, start_ns) | due_in_it)
    unknown = _unknown(touched)
    return WithinFault(
        n=len(touched),
        succeeded=_count(touched.success),
        failed=_count(~touched.success & ~unknown),
        unknown=_count(unknown),
        slow=_count(touched.success & (touched.latency_ns > slow_ns)),
        slow_beyond_ns=slow_ns,
    )


def _count(mask: Bools) -> int:
    return int(np.count_nonzero(mask))
