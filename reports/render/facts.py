"""What a report says in sentences and in pairs of a term and a value."""

from __future__ import annotations

from reports.findings import FaultFindings, Findings, Money
from reports.render import units, wording

Facts = tuple[tuple[str, str], ...]
"""(term, what there is to say)."""


def summary(findings: Findings) -> Facts:
    """The numbers a reader asks for first."""
    total, seen, made = findings.availability.requests, findings.availability, findings.generator
    whole = next((row for row in findings.latency if row.scope == "all"), None)
    p95 = next((p for p in whole.percentiles if abs(p.q - 0.95) < 1e-9), None) if whole else None
    return (
        ("Payments sent", f"{units.count(made.sent)} of {units.count(made.due)}"),
        ("Peak", f"{units.rate(made.peak_offered)} offered"),
        ("Success rate", units.share(total.value)),
        ("Bad service", units.duration(seen.measured.net_bad_ns)),
        ("Latency p95", units.duration(p95.value_ns) if p95 and p95.state == "measured" else "-"),
        (
            "Lost or doubled",
            units.plural(findings.money.lost_payments.count + findings.money.double_charges.count, "payment"),
        ),
    )


def fault_title(fault: FaultFindings, end_ns: int) -> str:
    """``Stripe dark for 20.0 s``; ``end_ns`` is where the load ended, for a fault that was still on."""
    length = wording.length(fault, end_ns)
    return f"{wording.capital(wording.proper(fault.on))} {wording.condition(fault)} {length}"


def fault_window(fault: FaultFindings) -> str:
    """When it was planned, and when it truly was."""
    planned = f"{units.moment(fault.planned_start_ns)} to {units.moment(fault.planned_stop_ns)}"
    what = f"Fault {fault.id}, {wording.words(fault.name)} on {wording.proper(fault.on)}: planned {planned}"
    if fault.true_start_ns is None:
        return f"{what}; it never started, so it tested nothing."
    stop = (
        units.moment(fault.true_stop_ns) if fault.true_stop_ns is not None else "an end that is not on record"
    )
    hits = units.plural(fault.hits, "request or connection", "requests and connections")
    touched = f"It touched {hits}." if fault.hits else "It touched nothing, so it tested nothing."
    if fault.true_stop_ns is None and not fault.hits:
        touched = "What it touched is not on record."
    times = f"{units.count(len(fault.spells))} times " if len(fault.spells) > 1 else ""
    return (
        f"{what}; by its own record on {times}from {units.moment(fault.true_start_ns)} to {stop}. {touched}"
    )


def fault_payments(fault: FaultFindings) -> Facts:
    """What became of the payments that the fault could reach."""
    flight, within = fault.in_flight, fault.within
    open_ones = flight.failed + flight.unknown
    reconciled = ""
    if open_ones:
        reconciled = (
            f" By the gateways' ledgers, {units.count(flight.captured)} of these {units.count(open_ones)} "
            f"had been captured and {units.count(flight.not_captured)} had not."
        )
    slow = f"{units.count(within.slow)} of them" if within.slow else "none"
    in_it = "in flight at its start or due while it was on"
    if len(fault.spells) > 1:
        in_it = "in flight at its first start or due from then to its last stop"
    struck = f"when {wording.proper(fault.on)} went dark" if fault.name == "outage" else "when it struck"
    return (
        (
            f"In flight {struck}",
            f"{units.plural(flight.n, 'payment')}: {units.count(flight.succeeded)} succeeded, "
            f"{units.count(flight.failed)} failed, {units.count(flight.unknown)} unknown to the client."
            f"{reconciled}",
        ),
        (
            "In its time",
            f"{units.plural(within.n, 'payment')} {in_it}: "
            f"{units.count(within.succeeded)} succeeded ({slow} slower than "
            f"{units.duration(within.slow_beyond_ns)}), {units.count(within.failed)} failed, "
            f"{units.count(within.unknown)} unknown.",
        ),
    )


def fault_downtime(findings: Findings, fault: FaultFindings) -> Facts:
    """What the incident cost, and what that means for a month."""
    if not 0 <= fault.incident < len(findings.incidents):
        return ()
    incident = findings.incidents[fault.incident]
    out = [
        (
            "Downtime of its incident",
            _downtime(incident.bad_ns, [f for f in incident.faults if f != fault.id]),
        )
    ]
    return (*out, *month(findings))


def _downtime(bad_ns: int, others: list[str]) -> str:
    with_others = f", together with {units.listing(others)}" if others else ""
    return (
        f"{units.duration(bad_ns)} of bad service{with_others}" if bad_ns else f"no bad second{with_others}"
    )


def month(findings: Findings) -> Facts:
    """The drill's incidents against a month's error budget."""
    budget = findings.budget
    if budget is None:
        return ()
    minutes = units.minutes(budget.budget_ns / 60e9)
    target = units.target_share(budget.target)
    used = units.share(budget.share_used)
    fits = "any number of" if budget.affordable is None else units.count(budget.affordable)
    facts = [
        (
            "Share of the month's budget",
            f"one such incident uses {used} of the {minutes} that {target} leaves in 30 days",
        ),
        ("How many a month affords", f"{fits} such incidents"),
    ]
    if budget.monthly_uptime is not None and budget.incidents_per_month is not None:
        month_long = units.share(budget.monthly_uptime, budget.target)
        facts.append(
            ("Monthly uptime", f"{month_long} with {budget.incidents_per_month:g} such incidents a month")
        )
    return tuple(facts)


def provenance(findings: Findings) -> Facts:
    """Everything that is needed to play the drill again."""
    run = findings.run
    facts = [
        ("Scenario", run.scenario + (f": {run.about}" if run.about else "")),
        ("Seed", str(run.seed)),
        ("Started", run.started_at),
        ("Load", f"{units.duration(run.load_end_ns)} of {units.duration(run.planned_duration_ns)} planned"),
        ("Ended", run.ended + (f": {run.ended_why}" if run.ended_why else "")),
        ("Command", run.command or "-"),
        ("Run", run.id),
        ("Plan digest (SHA-256)", run.plan_digest or "-"),
        ("Load processes", str(run.processes)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in run.versions) or "-"),
        ("Machine", ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in run.machine) or "-"),
    ]
    facts += [
        (
            f"Damaged journal file {damage.file}",
            damage.reason + (", and money was judged without it" if damage.matters else ""),
        )
        for damage in findings.damage
    ]
    return tuple(facts)


def availability_text(findings: Findings) -> str:
    """How uptime was counted, in this drill's numbers."""
    seen = findings.availability
    bad = sum(piece.bad for piece in seen.slices)
    open_ = sum(not piece.observed for piece in seen.slices)
    text = f"{units.plural(len(seen.slices) - open_, 'slice')} of the load, {units.count(bad)} of them bad."
    if open_:
        were = "was" if open_ == 1 else "were"
        text += (
            f" {units.count(open_)} more, {units.duration(seen.measured.unobserved_ns)} in all, {were} not "
            "observed: what the load generator failed to send could have decided whether the platform was "
            "up, so that time counts neither as good nor as bad, and no objective passes by it."
        )
    if seen.error is not None:
        points = 100 * seen.error
        how = (
            "exactly what the gateways' records give"
            if not points
            else f"{points:+.3f} percentage points off the truth"
        )
        text += f" The client's figure is {how}."
    return text


def money_text(findings: Findings) -> str:
    """Which orders were compared, and over what."""
    found = findings.money
    probes = f" and {units.plural(found.probe_orders, 'order')} of the probes" if found.probe_orders else ""
    return (
        f"{units.plural(found.orders, 'order')}{probes} were joined by their order ids over what the client "
        "was told, the platform's ledger, and the ledgers of the gateways." + _settlement(found)
    )


def _settlement(found: Money) -> str:
    debits = found.settlement
    if not debits.accepted:
        return ""
    return (
        f" {units.plural(debits.accepted, 'payment')} were accepted to be collected later, which is what the "
        f"success rate counts: at the end {units.count(debits.settled)} had come, "
        f"{units.count(debits.refused)} had been refused by the bank, "
        f"{units.count(debits.open)} had not been heard of yet."
    )


def impact(findings: Findings) -> str:
    """Who was hurt, and how much, for the incident review."""
    total, bad = findings.availability.requests, findings.availability.measured.net_bad_ns
    money = findings.money
    apart = [
        units.plural(found.count, one, many)
        for found, one, many in (
            (money.lost_payments, "lost payment", "lost payments"),
            (money.double_charges, "double charge", "double charges"),
            (money.orphan_captures, "orphan capture", "orphan captures"),
        )
        if found.count
    ]
    hurt = units.plural(total.n - total.successes, "payment")
    customers = f"{hurt} of {units.count(total.n)} did not get the expected outcome in time"
    service = f"{units.duration(bad)} of bad service" if bad else "no second of bad service"
    return f"{customers}; {service}; {units.listing(apart) if apart else 'no payment lost or charged twice'}."


def detection_text(fault: FaultFindings) -> str:
    """Who saw the fault, after how long."""
    if fault.detection.state == "measured":
        after = units.duration(fault.detection.measured_ns)
        return f"{fault.id}: {fault.detected_by or 'a probe'} failed {after} after the start."
    reason = f" ({fault.detection.why.rstrip('.')})" if fault.detection.why else ""
    return f"{fault.id}: {fault.detection.state}{reason}."


def resolution_text(fault: FaultFindings) -> str:
    """How it ended for customers."""
    return (
        f"{fault.id}: failover {wording.figure_text(fault.failover)}, "
        f"recovery {wording.figure_text(fault.recovery)}, failback {wording.figure_text(fault.failback)}."
    )
