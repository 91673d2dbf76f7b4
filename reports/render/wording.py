"""Sentences about findings, used wherever a report speaks: the title of the figure, the first lines, the
alternative texts."""

from __future__ import annotations

from typing import Literal

from reports.findings import Agreement, FaultFindings, Figure, Findings, Incident, ObjectiveFinding, Run
from reports.render import units

Concord = Literal["agree", "resolved", "disagree"]
"""``resolved``: the client did not learn the outcome, but the ledger and the gateways agree on it."""

RELAPSE_NS = 5_000_000_000
"""Traffic that has moved, and still fails after this time, has not found a refuge."""

_NAMES = {
    "adyen": "Adyen",
    "gocardless": "GoCardless",
    "paypal": "PayPal",
    "stripe": "Stripe",
    "platform": "the platform",
}

_STATE_OF_GATEWAY = {
    "outage": "dark",
    "latency": "slow",
    "http_error": "answering errors",
    "reset": "resetting connections",
    "kill": "down",
    "restart": "down",
    "commit_then_lose": "losing answers",
    "reject_before_commit": "losing requests",
    "gray_failure": "answering no payment",
    "rate_limit": "limiting its rate",
    "decline_storm": "declining payments",
    "black_hole": "silent",
    "token_outage": "refusing to authenticate",
}


def proper(name: str) -> str:
    """The name of a gateway as its makers write it."""
    return _NAMES.get(name, name)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """With a capital and a full stop, whatever the judges left out."""
    text = capital(text.strip())
    return text if not text or text[-1] in ".!?" else f"{text}."


def target(goal: ObjectiveFinding) -> str:
    """``≥ 99.9%``, ``< 800 ms``, ``none`` for a count that must be zero."""
    if goal.unit == "count":
        return "none" if goal.target == 0 else f"at most {units.count(goal.target)}"
    return units.spaced(goal.bound)


def reason(text: str, findings: Findings) -> str:
    """A reason of the verdict as a sentence; an objective at its head is named as people name it."""
    for goal in findings.objectives:
        head = f"{goal.name} {goal.bound}: "
        if text.startswith(head):
            wanted = "none allowed" if target(goal) == "none" else target(goal)
            return sentence(f"{words(goal.name)} ({wanted}): {text.removeprefix(head)}")
    return sentence(text)


def words(name: str) -> str:
    """``success_rate`` -> ``success rate``; ``latency_p999`` -> ``latency p99.9``."""
    return name.replace("latency_p999", "latency p99.9").replace("_", " ")


def condition(fault: FaultFindings) -> str:
    """What a gateway under this fault is: ``dark``, ``slow``."""
    return _STATE_OF_GATEWAY.get(fault.name, f"under {words(fault.name)}")


def source(run: Run, short: bool = False) -> str:
    """Which run this is: scenario, id, wall-clock start and seed."""
    started = f"{run.started_at[:10]} {run.started_at[11:16]} UTC"
    text = f"{run.scenario}, run {run.id}, {started}"
    return text if short else f"paydrill {text}, seed {run.seed}"


def struck(fault: FaultFindings) -> bool:
    """Whether it began and hit something. A fault that was still on when the run was cut short has not yet
    said what it hit."""
    return fault.true_start_ns is not None and (fault.hits > 0 or fault.true_stop_ns is None)


def length(fault: FaultFindings, end_ns: int) -> str:
    """How long the fault truly was on: ``for 20.0 s``, or ``5 times, 10.0 s in all``. Until ``end_ns`` where
    its own end is not on record; as planned where its start is not."""
    if not fault.spells:
        return f"for {units.duration(fault.planned_stop_ns - fault.planned_start_ns)}"
    on = sum(max((end_ns if stop is None else stop) - start, 0) for start, stop in fault.spells)
    if len(fault.spells) > 1:
        return f"{units.count(len(fault.spells))} times, {units.duration(on)} in all"
    return f"for {units.duration(on)}"


def figure_text(figure: Figure) -> str:
    """A time as measured: ``1.21 s``, ``never``, ``not measurable``."""
    if figure.state == "measured":
        return units.duration(figure.measured_ns)
    return figure.state


def true_figure_text(figure: Figure) -> str:
    if figure.true_state == "measured":
        return units.duration(figure.true_ns)
    return figure.true_state


def headline(findings: Findings, refuge: str = "") -> str:
    """The finding in one sentence, for the title of the timeline.

    Args:
        findings: What the drill found.
        refuge: The gateway that took the traffic while the fault was on, empty if none did.
    """
    return capital(_ending(findings) + _story(findings, refuge))


def _ending(findings: Findings) -> str:
    if findings.run.ended != "complete":
        return f"{findings.run.ended} after {units.duration(max(findings.run.load_end_ns, 0))}: "
    return "" if findings.generator.sound else "the load was not as planned, so take this with care: "


def _story(findings: Findings, refuge: str) -> str:
    total = findings.availability.requests
    if not total.n:
        return "no payment was sent, so nothing was tested"
    faults = [fault for fault in findings.faults if struck(fault)]
    if not faults:
        rate = f"{units.share(total.value)} of {units.plural(total.n, 'payment')} succeeded"
        return f"{rate}, with no fault" if not findings.faults else f"the fault hit nothing; {rate}"
    first = faults[0]
    together = [fault for fault in faults if fault.incident == first.incident and fault.name == first.name]
    incidents = {fault.incident for fault in faults}
    who = units.listing(list(dict.fromkeys(proper(fault.on) for fault in together)))
    what = f"{who} {condition(first)} {length(first, findings.run.load_end_ns)}"
    if len(incidents) > 1:
        return _incidents(findings, faults)
    if len({(fault.name, fault.planned_start_ns, fault.planned_stop_ns) for fault in faults}) > 1:
        return _several(findings, faults)
    if len(together) > 1 or not refuge:
        return f"{what}: {_lost(first, findings.incidents)}{_recovered(first)}"
    if len(first.spells) > 1:
        return f"{what}: {_lost(first, findings.incidents)}, {_back(first.failback)}"
    flight = first.in_flight
    unconfirmed = flight.failed + flight.unknown
    hit = f"{units.plural(flight.n, 'payment')} in flight"
    if not flight.n:
        hit = "no payment in flight"
    elif unconfirmed == flight.n:
        hit += " unconfirmed"
    else:
        hit += f", {units.count(unconfirmed) if unconfirmed else 'none'} of them unconfirmed"
    if _relapsed(first):
        cost = _lost(first, findings.incidents)
        return f"{what}: {_moved(first.failover, refuge)}, but {cost}{_recovered(first)}"
    return f"{what}: {hit}, {_moved(first.failover, refuge)}, {_back(first.failback)}"


def _several(findings: Findings, faults: list[FaultFindings]) -> str:
    """One incident of faults that differ, in what they do or when: what was due in them all."""
    start = min(fault.planned_start_ns for fault in faults)
    stop = min(max(fault.planned_stop_ns for fault in faults), findings.run.load_end_ns)
    who = units.listing(list(dict.fromkeys(proper(fault.on) for fault in faults)))
    if len({fault.name for fault in faults}) == 1:
        what = f"{who} {condition(faults[0])} for {units.duration(stop - start)}"
    else:
        what = f"{units.count(len(faults))} faults on {who} within {units.duration(stop - start)}"
    bad = sum(incident.bad_ns for incident in findings.incidents)
    due = next((r.success for r in findings.success if (r.scope, r.name) == ("phase", "during")), None)
    if due is None:
        return f"{what}: no payment was due in that time"
    if not bad:
        every = units.plural(due.n, "payment")
        return f"{what}: {units.count(due.successes)} of {every} in that time succeeded"
    hurt = units.plural(due.n - due.successes, "payment")
    return f"{what}: {units.duration(bad)} of bad service, {hurt} in that time failed or unknown"


def _incidents(findings: Findings, faults: list[FaultFindings]) -> str:
    """Several incidents: what they cost together, and the one that took longest."""
    bad = sum(incident.bad_ns for incident in findings.incidents)
    cost = f"{units.duration(bad)} of bad service" if bad else "no second of bad service"
    many = f"{len({fault.incident for fault in faults})} incidents: {cost}"
    for fault in faults:
        if fault.recovery.state == "never":
            return f"{many}, never recovered from {proper(fault.on)} {condition(fault)}"
    timed = [
        (fault.recovery.measured_ns, fault) for fault in faults if fault.recovery.measured_ns is not None
    ]
    if not timed:
        return f"{many}, recovery not measurable"
    slowest_ns, slowest = max(timed, key=lambda pair: pair[0])
    return (
        f"{many}, slowest recovery {units.duration(slowest_ns)} ({proper(slowest.on)} {condition(slowest)})"
    )


def _lost(fault: FaultFindings, incidents: tuple[Incident, ...]) -> str:
    bad = incidents[fault.incident].bad_ns if fault.incident < len(incidents) else 0
    within = fault.within
    if not bad:
        slow = (
            f", {units.count(within.slow)} of them slower than {units.duration(within.slow_beyond_ns)}"
            if within.slow
            else ""
        )
        every = units.plural(within.n, "payment")
        return f"{units.count(within.succeeded)} of {every} in that time succeeded{slow}"
    hurt = units.plural(within.n - within.succeeded, "payment")
    return f"{units.duration(bad)} of bad service, {hurt} failed or unknown"


def _relapsed(fault: FaultFindings) -> bool:
    """Whether the traffic had moved, and payments failed all the same for long after."""
    moved, recovered = fault.failover, fault.recovery
    if moved.measured_ns is None or recovered.state == "not measurable":
        return False
    return recovered.measured_ns is None or recovered.measured_ns > moved.measured_ns + RELAPSE_NS


def _recovered(fault: FaultFindings) -> str:
    """How it ended, with the comma before it; nothing when there was nothing to recover from."""
    if fault.recovery.state == "never":
        return ", never recovered"
    if fault.recovery.state == "not measurable":
        return ", recovery not measurable"
    if fault.recovery.why or fault.within.succeeded == fault.within.n:
        return ""  # the success rate stayed above its objective
    return f", recovered {units.duration(fault.recovery.measured_ns)} after its start"


def _moved(failover: Figure, refuge: str) -> str:
    if failover.state == "measured":
        return f"traffic on {proper(refuge)} after {units.duration(failover.measured_ns)}"
    return "no failover" if failover.state == "never" else "failover not measurable"


def _back(failback: Figure) -> str:
    if failback.state == "measured":
        return f"back after {units.duration(failback.measured_ns)}"
    return "not back before the load ended" if failback.state == "never" else "return not measurable"


def concord(row: Agreement) -> Concord:
    """Whether the views of these orders agree on the outcome (amounts and references are checked apart)."""
    not_paid = ("declined", "canceled", "failed")
    if not row.captures and row.client in not_paid and row.platform in not_paid:
        return "agree"
    captured_right = row.captures == (1 if row.platform == "succeeded" else 0)
    settled = row.platform in ("succeeded", *not_paid)
    if captured_right and settled and row.client == row.platform:
        return "agree"
    if captured_right and settled and row.client in ("unknown", "pending", "(none)"):
        return "resolved"
    if row.client == row.platform == "pending" and row.captures <= 1:
        return "resolved"
    return "disagree"


def combination(row: Agreement, short: bool = False) -> str:
    """``told succeeded, ledger succeeded, 1 capture``."""
    captures = units.plural(row.captures, "capture")
    if short:
        return f"{row.client} / {row.platform} / {row.captures}"
    return f"told {row.client}, ledger {row.platform}, {captures}"
