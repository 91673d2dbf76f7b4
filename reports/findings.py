"""What a drill found: the immutable tree that every rendering of a report is made from.

Units: ``*_ns`` are integer nanoseconds (times since the run's epoch, or durations), ``*_minor`` are integer
minor units of a currency, shares and rates are parts of 1. ``None`` means that a value could not be
measured; the ``why`` beside it says the reason in a sentence for people. Every tuple has a fixed order that
depends on the run folder only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Ended = Literal["complete", "stopped", "aborted", "interrupted"]
"""How a drill ended: to its end; by the scenario's own ``abort_when``; because the environment broke; by
Ctrl-C."""
State = Literal["measured", "never", "not measurable"]
"""``never``: it was watched for, and did not happen. ``not measurable``: there was too little to see it."""

Unit = Literal["share", "ns", "count"]


@dataclass(frozen=True, slots=True)
class Run:
    """Where the findings come from: the ``run`` block of the run folder, and how the run ended.

    ``versions`` and ``machine`` are (name, value) pairs sorted by name. ``ended_why`` is empty for a complete
    run. ``load_end_ns`` is the end of what the load was asked for: the planned length, or the moment at which
    the run was stopped, aborted or interrupted.
    """

    id: str
    scenario: str
    about: str
    seed: int
    started_at: str
    command: str
    plan_digest: str
    processes: int
    versions: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]
    ended: Ended
    ended_why: str
    planned_duration_ns: int
    load_end_ns: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A journal file whose end could not be read. ``matters`` tells whether the verdict rests on it."""

    file: str
    reason: str
    matters: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A remark on the timeline; ``kind`` is a ``journal.records.MarkKind``."""

    at_ns: int
    kind: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of payments with its two-sided 95% interval (Clopper and Pearson, exact).

    ``value``, ``low`` and ``high`` are ``None`` when ``n`` is 0. ``dispersion`` is how many times more the
    failures vary from block to block of time than independent ones would (1 = independent);
    ``effective_n`` is ``n / dispersion``.
    """

    successes: int
    n: int
    value: float | None
    low: float | None
    high: float | None
    dispersion: float
    effective_n: int


@dataclass(frozen=True, slots=True)
class SuccessRow:
    """Success and approval of one part of the payments.

    ``scope`` is ``all``, ``phase``, ``gateway`` or ``method``; ``name`` which one of them. ``true_success``
    is the same success rate by the gateways' own records; ``None`` when there are none. Payments without a
    gateway (no answer named one) are in the row named ``(none)``.
    """

    scope: str
    name: str
    success: Rate
    approval: Rate
    true_success: Rate | None


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of latency with a two-sided 95% order-statistic interval.

    ``q`` is a part of 1 (0.95). ``state`` is ``measured``, ``never`` when the percentile falls on a payment
    that was never answered (``value_ns`` is then ``None``: slower than any time-out), or ``not measurable``
    without payments. ``low_ns`` and ``high_ns`` are ``None`` where the interval has no end: too few
    payments, or the end falls on a payment that was never answered.
    """

    q: float
    state: State
    value_ns: int | None
    low_ns: int | None
    high_ns: int | None


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """Latency (done - due) of one part of the payments; ``scope`` and ``name`` as in ``SuccessRow``.

    ``n`` counts all payments that were sent, ``unanswered`` those of them without an answer, which sort as
    slower than everything.
    """

    scope: str
    name: str
    n: int
    unanswered: int
    percentiles: tuple[Percentile, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A second of the load, joined with the next ones until at least 20 payments are due in it.

    ``successes`` are the client's, ``true_successes`` the gateways' (``None`` without gateway records), of
    the ``due`` payments less the ``unseen`` ones: those that the generator did not send within a second of
    their due time, or lost. ``observed`` is false when these could have decided whether the slice is good: it
    is then no evidence about the platform, and ``good`` speaks of what was seen. ``excluded_ns`` is the part
    of it under announced maintenance.
    """

    start_ns: int
    stop_ns: int
    due: int
    successes: int
    good: bool
    true_successes: int | None
    true_good: bool | None
    excluded_ns: int
    unseen: int
    observed: bool

    @property
    def bad(self) -> bool:
        """Known to be bad."""
        return self.observed and not self.good


@dataclass(frozen=True, slots=True)
class Uptime:
    """Good and bad time. ``gross`` = good / (good + bad) of all time; ``net`` leaves announced maintenance
    out. ``None`` when there is no time to judge. ``unobserved_ns`` is the time of the slices that the
    generator's failures left open; it is in none of the others."""

    good_ns: int
    bad_ns: int
    net_good_ns: int
    net_bad_ns: int
    excluded_ns: int
    gross: float | None
    net: float | None
    unobserved_ns: int


@dataclass(frozen=True, slots=True)
class ProbeOutage:
    """A run of failed probes between two good ones, by the times at which the probes were sent.

    The true outage D obeys ``low_ns < D < high_ns``; ``figure_ns`` is the midpoint. ``stop_ns`` is ``None``
    when no probe succeeded afterwards; the bracket then ends with the last probe. ``open_start`` tells that
    no probe had succeeded before.
    """

    start_ns: int
    stop_ns: int | None
    open_start: bool
    probes: int
    low_ns: int
    high_ns: int
    figure_ns: int
    phase: str
    detail: str


@dataclass(frozen=True, slots=True)
class ProbeUptime:
    """What one probe saw of one target. ``uptime`` = up / (up + down), weighted by time, with ``low`` and
    ``high`` from the brackets of its outages; ``None`` without at least two probes. ``late_max_ns`` is the
    greatest delay of a probe against its own schedule."""

    probe: str
    target: str
    n: int
    ok: int
    failed: int
    unknown: int
    uptime: float | None
    low: float | None
    high: float | None
    latency_p50_ns: int | None
    late_max_ns: int
    outages: tuple[ProbeOutage, ...]


@dataclass(frozen=True, slots=True)
class Availability:
    """Uptime, four ways: slices as the client saw them, slices by the gateways' records (``true``),
    synthetic probes, and requests (success rate). ``error`` = measured net - true net."""

    slices: tuple[Slice, ...]
    measured: Uptime
    true: Uptime | None
    error: float | None
    probes: tuple[ProbeUptime, ...]
    requests: Rate


@dataclass(frozen=True, slots=True)
class Figure:
    """A time that belongs to a fault: as an outsider measures it, and as the records of the gateways and
    the fault say it.

    ``resolution_ns`` is how fine the measurement can be: the gap between the two observations around the
    edge. ``why`` explains the state, or adds what a reader should know (e.g. "did not drop").
    """

    state: State
    measured_ns: int | None
    true_state: State
    true_ns: int | None
    resolution_ns: int | None
    why: str

    @property
    def error_ns(self) -> int | None:
        """measured - true."""
        if self.measured_ns is None or self.true_ns is None:
            return None
        return self.measured_ns - self.true_ns


@dataclass(frozen=True, slots=True)
class InFlight:
    """Payments that were due before the fault began and not done by then.

    ``failed`` ended in another outcome than expected that was known to the client, ``unknown`` in none
    (time-out, lost connection, or an answer of ``unknown``). ``captured`` and ``not_captured`` are what the
    gateways' ledgers say of these failed and unknown ones.
    """

    n: int
    succeeded: int
    failed: int
    unknown: int
    captured: int
    not_captured: int


@dataclass(frozen=True, slots=True)
class WithinFault:
    """Payments in flight when the fault began, or due while it was on. ``slow`` succeeded, but took longer
    than ``slow_beyond_ns`` (the strictest latency objective, or 1 s)."""

    n: int
    succeeded: int
    failed: int
    unknown: int
    slow: int
    slow_beyond_ns: int


@dataclass(frozen=True, slots=True)
class FaultFindings:
    """One fault, and what it did.

    ``true_start_ns`` and ``true_stop_ns`` are what the injecting process recorded of its first start and its
    last stop; ``None`` when it never did. ``spells`` are all the stretches in which it truly was on: several
    when it flaps or repeats, the last without an end (``None``) when it was still on. ``detected_by`` names
    the probe that saw it first (``payment on platform``), empty if none did. ``incident`` is the index into
    ``Findings.incidents``.
    """

    id: str
    name: str
    on: str
    planned_start_ns: int
    planned_stop_ns: int
    true_start_ns: int | None
    true_stop_ns: int | None
    hits: int
    detection: Figure
    detected_by: str
    failover: Figure
    recovery: Figure
    failback: Figure
    in_flight: InFlight
    within: WithinFault
    incident: int
    spells: tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """Faults that overlap or touch. ``bad_ns`` is the bad slice time (net of maintenance) from its start to
    the start of the next incident or the end of the load."""

    start_ns: int
    stop_ns: int
    faults: tuple[str, ...]
    bad_ns: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What the drill's incidents mean for a month of 30 days.

    ``target`` is the availability objective (0.999 if the scenario has none), ``budget_ns`` the downtime that
    it leaves in a month (43.2 min at 99.9%). ``downtime_per_incident_ns`` is all bad slice time of the drill,
    net of maintenance, over its incidents. ``share_used`` is the part of the budget that one such incident
    uses, ``None`` when there is no budget at all; ``affordable`` how many fit into it, ``None`` for unlimited
    (no downtime). ``incidents_per_month`` and ``monthly_uptime`` are ``None`` when the scenario declares no
    number of incidents.
    """

    target: float
    budget_ns: int
    downtime_per_incident_ns: int
    share_used: float | None
    affordable: int | None
    incidents_per_month: float | None
    monthly_uptime: float | None


@dataclass(frozen=True, slots=True)
class LoadProcess:
    """What one load process recorded of itself, over ``observed_ns`` of the run.

    ``cpu_share`` is its CPU time as a part of one core, ``cpu_share_max`` that of its busiest second.
    ``cpu_wait_ns``: how long its main thread could have run and had no CPU; ``None`` where the system does
    not say. ``preemptions``: involuntary context switches. ``gc_*``: pauses by collections of garbage.
    ``loop_lag_*``: how late its event loop was, at even points of time. ``connections`` is the most that were
    open at a second's end. ``ended`` payments have a record of their end. ``closed`` is false when it left no
    closing record: it was killed.
    """

    name: str
    observed_ns: int
    cpu_share: float
    cpu_share_max: float
    cpu_wait_ns: int | None
    preemptions: int
    gc_pauses: int
    gc_pause_ns: int
    gc_pause_max_ns: int
    loop_lag_p99_ns: int | None
    loop_lag_max_ns: int | None
    lateness_max_ns: int
    connections: int
    connects: int
    socket_errors: int
    ended: int
    closed: bool


@dataclass(frozen=True, slots=True)
class WorkerClock:
    """How the clock of one load worker stood to the master's, over ``observed_ns`` of the run.

    ``one_clock``: both read the same clock, and the rest is 0. Else ``wrong_ns`` is by how much its times in
    the journal may be wrong at most, beside those of other hosts; what was measured on its clock alone, such
    as latency, is not touched by it. ``drift_ns`` is how much the clocks came apart, give or take
    ``drift_error_ns``.
    """

    name: str
    host: str
    one_clock: bool
    wrong_ns: int
    drift_ns: int
    drift_error_ns: int
    observed_ns: int


@dataclass(frozen=True, slots=True)
class LateSecond:
    """A second in which the generator did not keep its schedule: payments ``due`` in it, those of them sent
    within 100 ms (``on_time``), never sent or lost (``missed``), and the greatest lateness of the others
    (``None`` if none was sent)."""

    start_ns: int
    due: int
    on_time: int
    missed: int
    lateness_max_ns: int | None


@dataclass(frozen=True, slots=True)
class Generator:
    """Whether the load was the load that was asked for.

    ``planned`` payments by the plan; ``due`` of them before the load ended; ``sent``; ``never_sent``, of
    which ``missing`` left no record at all. ``lost``: what became of them was lost with their load process,
    or even whether they had been sent. Lateness is sent - due; ``None`` if nothing was sent; its p99 is that
    of the arrivals or of what users pay, whichever is greater. ``peak_offered`` and ``peak_achieved`` are the
    greatest numbers of payments due and of payments sent in a second.

    ``errors`` are the reasons that the generator gave for what it did not send, with their counts, the most
    frequent first. ``loop_lag_p99_ns`` and ``loop_lag_max_ns`` are over all load processes; an answer was
    seen at most so much later than it came. ``steal_ns`` is CPU time that the hypervisor kept from the load's
    hosts. ``worst`` are the worst seconds, worst first. All of these are empty or ``None`` where load
    processes kept no record of themselves. ``clocks`` are those of workers that a master looked after.

    ``sound`` is false when the p99 of lateness is above 100 ms, when more than 0.1% were never sent or lost,
    or when a load process was lost; ``why`` then says so, and names the ``bottleneck`` (empty if the
    generator is sound, or nothing on record explains it).
    """

    planned: int
    due: int
    sent: int
    never_sent: int
    answered: int
    lateness_p50_ns: int | None
    lateness_p99_ns: int | None
    lateness_max_ns: int | None
    peak_offered: int
    peak_achieved: int
    sound: bool
    why: str
    missing: int
    lost: int
    bottleneck: str
    errors: tuple[tuple[str, int], ...]
    loop_lag_p99_ns: int | None
    loop_lag_max_ns: int | None
    steal_ns: int | None
    worst: tuple[LateSecond, ...]
    processes: tuple[LoadProcess, ...]
    clocks: tuple[WorkerClock, ...]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """What became of one kind of task that users did besides paying. ``unknown``: no answer, or one that
    leaves it open. ``why``: the most frequent error, empty without any."""

    task: str
    done: int
    ok: int
    failed: int
    unknown: int
    why: str


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """The users of the load. ``payments`` of theirs count in every rate and in the money; ``timed`` tells
    whether the latencies are theirs: they are where there are no arrivals."""

    users: int
    payments: int
    timed: bool
    tasks: tuple[TaskRow, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One of the views of the money. ``name``: ``client``, ``platform ledger``, or a gateway's.
    ``orders`` is the number of orders it knows; ``complete`` is false if it is missing or damaged."""

    name: str
    orders: int
    complete: bool
    why: str


@dataclass(frozen=True, slots=True)
class MoneyCount:
    """Orders that break one rule of the money. ``what`` says the rule that they break; ``examples`` are the
    first 20 order ids, sorted. ``complete`` is false when a view that the rule needs is missing or damaged:
    the count is then a lower bound, and ``why`` says what is missing."""

    name: str
    what: str
    count: int
    examples: tuple[str, ...]
    complete: bool
    why: str


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """Sums of one currency, in its minor unit: what the client was told had succeeded, what the platform's
    ledger says succeeded, what the gateways captured, and what they refunded."""

    currency: str
    told_minor: int
    ledger_minor: int
    captured_minor: int
    refunded_minor: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many orders have this combination of views. ``captures`` counts captures over all gateways;
    ``client`` and ``platform`` are outcomes, or ``(none)`` where the view does not know the order. Probes'
    payments, and payments that were never sent, are left out."""

    client: str
    platform: str
    captures: int
    orders: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """Payments that were accepted at the checkout and are collected later (bank debits), by what the
    platform's ledger says of them at the end: the money came, the bank refused, or nobody knows yet."""

    accepted: int
    settled: int
    refused: int
    open: int


@dataclass(frozen=True, slots=True)
class Money:
    """Every order, in every view. ``told_failed_but_charged`` are also among ``orphan_captures``;
    ``refunded_doubles`` are double charges of which all but one capture were given back in full. The examples
    of ``fee_mismatches`` and ``payout_mismatches`` are the gateways' references of payouts."""

    orders: int
    probe_orders: int
    views: tuple[View, ...]
    lost_payments: MoneyCount
    double_charges: MoneyCount
    refunded_doubles: int
    orphan_captures: MoneyCount
    told_failed_but_charged: MoneyCount
    amount_mismatches: MoneyCount
    unresolved_unknowns: MoneyCount
    refund_mismatches: MoneyCount
    dispute_mismatches: MoneyCount
    fee_mismatches: MoneyCount
    payout_mismatches: MoneyCount
    settlement: Settlement
    totals: tuple[CurrencyTotal, ...]
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True)
class ObjectiveFinding:
    """One objective of the scenario, judged.

    ``value``, ``low`` and ``high`` have the objective's ``unit``; ``low`` and ``high`` are the one-sided 95%
    bounds that gated an estimate, ``None`` for what was counted. ``n`` is the number of payments (or faults)
    it rests on. ``enough`` is the number of payments that would have decided an inconclusive estimate, if one
    is known. ``fault`` is the id of the fault that decided, empty if none did. ``why`` is a sentence.
    """

    name: str
    bound: str
    target: float
    unit: Unit
    status: Status
    state: State
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    enough: int | None
    fault: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The drill's verdict. ``reasons`` are sentences, the weightiest first; never empty. ``exit_code`` is
    that of the command: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 4 aborted, 130 interrupted."""

    status: Status
    ended: Ended
    exit_code: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a report says: a pure function of the run folder."""

    run: Run
    verdict: Verdict
    objectives: tuple[ObjectiveFinding, ...]
    faults: tuple[FaultFindings, ...]
    incidents: tuple[Incident, ...]
    budget: Budget | None
    availability: Availability
    success: tuple[SuccessRow, ...]
    latency: tuple[LatencyRow, ...]
    generator: Generator
    money: Money
    maintenance: tuple[tuple[int, int], ...]
    marks: tuple[Mark, ...]
    damage: tuple[Damage, ...]
    closed_loop: ClosedLoop | None
