"""What the timeline is drawn from."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from reports.findings import FaultFindings, Findings
from reports.payments import Bools
from reports.plots.axis import SECOND, Window
from reports.render import wording
from reports.series import Series

MOVED = 0.9
"""A gateway that kept more than this part of its share of the answers has handed nothing over."""


@dataclass(frozen=True, slots=True)
class Story:
    """What the timeline is drawn from.

    Attributes:
        findings: What the drill found.
        series: Payments per bin of due time.
        gateways: Names of the gateways, in the scenario's order.
        success_target: Success objective, a part of 1.
        latency_target: The strictest latency objective, as its words and seconds; ``None`` if there is none.
        timeout: Seconds after which the client gives up.
    """

    findings: Findings
    series: Series
    gateways: tuple[str, ...]
    success_target: float
    latency_target: tuple[str, float] | None
    timeout: float

    @property
    def refuge(self) -> str:
        """The gateway that answered most while the first fault was on, the faulty one left out; empty when
        the faulty one kept its share of the answers: then nothing moved."""
        struck = [fault for fault in self.findings.faults if wording.struck(fault)]
        if not struck:
            return ""
        faulty = {f.on for f in struck if f.incident == struck[0].incident}
        start, stop = struck[0].planned_start_ns / SECOND, struck[0].planned_stop_ns / SECOND
        middles = self.series.middles
        inside = (middles >= start) & (middles < stop)
        before, during = self._share(faulty, middles < start), self._share(faulty, inside)
        if before and during > MOVED * before:
            return ""
        answered = {
            n: int(c[inside].sum()) for n, c in self.series.by_gateway.items() if n and n not in faulty
        }
        best = max(answered, key=lambda name: (answered[name], name), default="")
        return best if answered.get(best) else ""

    def _share(self, gateways: Set[str], bins: Bools) -> float:
        """The part that these gateways have of what was answered with a gateway's name in some bins."""
        answered = {name: int(count[bins].sum()) for name, count in self.series.by_gateway.items() if name}
        every = sum(answered.values())
        return sum(answered.get(name, 0) for name in gateways) / every if every else 0.0


def spans_of(findings: Findings) -> list[Window]:
    """Faults by the records of whoever injected them, by the plan where there are none; and maintenance.
    Faults of one name that begin and end together are one window; so are those of more than two names, for
    which there would be no room."""
    end = findings.run.load_end_ns
    together: dict[tuple[float, float], list[FaultFindings]] = {}
    for fault in findings.faults:
        start = fault.true_start_ns if fault.true_start_ns is not None else fault.planned_start_ns
        stop = fault.true_stop_ns if fault.true_stop_ns is not None else fault.planned_stop_ns
        if start < end:
            window = (round(start / SECOND, 1), round(min(stop, end) / SECOND, 1))
            together.setdefault(window, []).append(fault)
    spans = [
        Window(start, stop, label) for (start, stop), faults in together.items() for label in _labels(faults)
    ]
    for start, stop in findings.maintenance:
        if start < end:
            spans.append(Window(start / SECOND, min(stop, end) / SECOND, "maintenance", maintenance=True))
    return sorted(spans, key=lambda span: (span.start, span.stop, span.label))


def _labels(faults: Sequence[FaultFindings]) -> list[str]:
    """``Stripe + Adyen: outage`` for each name; ``4 faults`` when there are more than two."""
    who: dict[str, list[str]] = {}
    for fault in faults:
        who.setdefault(fault.name, []).append(wording.proper(fault.on))
    if len(who) > 2:
        return [f"{len(faults)} faults"]
    return [f"{' + '.join(names)}: {wording.words(name)}" for name, names in who.items()]
