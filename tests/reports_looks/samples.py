"""Findings made by hand, so that what is rendered can be told from what was judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reports.findings import (
    Agreement,
    Availability,
    Budget,
    CurrencyTotal,
    FaultFindings,
    Figure,
    Findings,
    Generator,
    Incident,
    InFlight,
    LatencyRow,
    LateSecond,
    LoadProcess,
    Mark,
    Money,
    MoneyCount,
    ObjectiveFinding,
    Percentile,
    ProbeOutage,
    ProbeUptime,
    Rate,
    Run,
    Settlement,
    Slice,
    SuccessRow,
    Unit,
    Uptime,
    Verdict,
    View,
    WithinFault,
)
from reports.payments import NEVER, Coded
from reports.series import Series, series_of

S = 1_000_000_000
MS = 1_000_000


def rate(successes: int, n: int, dispersion: float = 1.0) -> Rate:
    if not n:
        return Rate(0, 0, None, None, None, 1.0, 0)
    value = successes / n
    spread = 2 * (max(value * (1 - value), 1e-5) / n) ** 0.5
    low, high = max(0.0, value - spread), min(1.0, value + spread)
    return Rate(successes, n, value, low, high, dispersion, int(n / dispersion))


def count(name: str, number: int = 0, complete: bool = True, why: str = "") -> MoneyCount:
    examples = tuple(f"a1b2c3-{index:07d}" for index in range(min(number, 20)))
    return MoneyCount(name, f"what {name.replace('_', ' ')} are", number, examples, complete, why)


def money() -> Money:
    return Money(
        orders=26_990,
        probe_orders=90,
        views=(
            View("client", 26_900, True, ""),
            View("platform ledger", 26_990, True, ""),
            View("stripe", 13_050, True, ""),
            View("adyen", 13_940, True, ""),
        ),
        lost_payments=count("lost_payments"),
        double_charges=count("double_charges"),
        refunded_doubles=0,
        orphan_captures=count("orphan_captures", 2),
        told_failed_but_charged=count("told_failed_but_charged", 1),
        amount_mismatches=count("amount_mismatches"),
        unresolved_unknowns=count("unresolved_unknowns", 0, False, "the ledger was not exported"),
        refund_mismatches=count("refund_mismatches", 1),
        dispute_mismatches=count("dispute_mismatches"),
        fee_mismatches=count("fee_mismatches"),
        payout_mismatches=count("payout_mismatches"),
        settlement=Settlement(120, 100, 5, 15),
        totals=(CurrencyTotal("EUR", 61_234_50, 61_246_00, 61_246_00, 90_00),),
        agreements=(
            Agreement("succeeded", "succeeded", 1, 25_800),
            Agreement("declined", "declined", 0, 1_069),
            Agreement("unknown", "succeeded", 1, 31),
        ),
    )


def percentiles(base_ms: float) -> tuple[Percentile, ...]:
    factors = {0.5: 1.0, 0.9: 2.1, 0.95: 2.7, 0.99: 4.4, 0.999: 8.1}
    return tuple(
        Percentile(
            q, "measured", int(base_ms * f * MS), int(base_ms * f * 0.97 * MS), int(base_ms * f * 1.04 * MS)
        )
        for q, f in factors.items()
    )


def slices(bad: tuple[int, ...], seconds: int = 90) -> tuple[Slice, ...]:
    return tuple(
        Slice(
            i * S,
            (i + 1) * S,
            300,
            280 if i in bad else 300,
            i not in bad,
            280 if i in bad else 300,
            i not in bad,
            0,
            0,
            True,
        )
        for i in range(seconds)
    )


def load_process(**changes: object) -> LoadProcess:
    plain = LoadProcess(
        name="load-0",
        observed_ns=90 * S,
        cpu_share=0.381,
        cpu_share_max=0.742,
        cpu_wait_ns=2 * S,
        preemptions=812,
        gc_pauses=1_204,
        gc_pause_ns=310 * MS,
        gc_pause_max_ns=9 * MS,
        loop_lag_p99_ns=6 * MS,
        loop_lag_max_ns=29 * MS,
        lateness_max_ns=31 * MS,
        connections=118,
        connects=140,
        socket_errors=0,
        ended=27_013,
        closed=True,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def generator(**changes: object) -> Generator:
    plain = Generator(
        planned=27_013,
        due=27_013,
        sent=26_990,
        never_sent=23,
        answered=26_963,
        lateness_p50_ns=400_000,
        lateness_p99_ns=7 * MS,
        lateness_max_ns=31 * MS,
        peak_offered=447,
        peak_achieved=446,
        sound=True,
        why="",
        missing=0,
        lost=0,
        bottleneck="",
        errors=(("4000 payments in flight already", 23),),
        loop_lag_p99_ns=6 * MS,
        loop_lag_max_ns=29 * MS,
        steal_ns=0,
        worst=(LateSecond(41 * S, 300, 277, 23, 31 * MS),),
        processes=(load_process(),),
        clocks=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def measured(ns: int, true: int, resolution: int = 2 * MS, why: str = "") -> Figure:
    return Figure("measured", ns, "measured", true, resolution, why)


def fault(**changes: object) -> FaultFindings:
    plain = FaultFindings(
        id="f1",
        name="outage",
        on="stripe",
        planned_start_ns=40 * S,
        planned_stop_ns=60 * S,
        true_start_ns=40 * S + 400_000,
        true_stop_ns=60 * S + 700_000,
        hits=412,
        detection=measured(412 * MS, 411_600_000, S),
        detected_by="payment on platform",
        failover=measured(12 * MS, 11_600_000),
        recovery=measured(2_210 * MS, 2_190 * MS),
        failback=measured(1_204 * MS, 1_198 * MS, 40 * MS),
        in_flight=InFlight(31, 0, 4, 27, 19, 12),
        within=WithinFault(8_031, 7_990, 4, 37, 120, 800 * MS),
        incident=0,
        spells=(),
    )
    changed = replace(plain, **changes)  # type: ignore[arg-type]
    if "spells" in changes or changed.true_start_ns is None:
        return replace(changed, spells=changes.get("spells", ()))  # type: ignore[arg-type]
    return replace(changed, spells=((changed.true_start_ns, changed.true_stop_ns),))


def objectives() -> tuple[ObjectiveFinding, ...]:
    def one(
        name: str, bound: str, target: float, unit: Unit, value: float | None, **more: object
    ) -> ObjectiveFinding:
        plain = ObjectiveFinding(
            name,
            bound,
            target,
            unit,
            "PASS",
            "measured",
            value,
            None,
            None,
            None,
            None,
            "",
            "It holds.",
        )
        return replace(plain, **more)  # type: ignore[arg-type]

    return (
        one(
            "monthly_uptime",
            ">= 99.9%",
            0.999,
            "share",
            0.99977,
            n=1,
            why="1 incident of 1.00 s, 10 a month.",
        ),
        one("success_rate", ">= 98%", 0.98, "share", 0.99848, low=0.99801, high=0.99887, n=26_990),
        one("latency_p95", "< 800ms", 800 * MS, "ns", 412 * MS, low=405 * MS, high=420 * MS, n=26_990),
        one("recovery_time", "< 5s", 5 * S, "ns", 2_210 * MS, n=1, fault="f1"),
        one("lost_payments", "<= 0", 0, "count", 0),
        one(
            "orphan_captures",
            "<= 0",
            0,
            "count",
            2,
            status="FAIL",
            why="2 orders were captured without an entry.",
        ),
        one(
            "latency_p999",
            "< 2s",
            2 * S,
            "ns",
            1_480 * MS,
            status="INCONCLUSIVE",
            n=1_200,
            enough=2_995,
            why="1,200 payments are too few for a bound.",
        ),
    )


def failover() -> Findings:
    """A drill with one outage, one failed and one inconclusive objective."""
    whole = rate(26_949, 26_990, 3.1)
    uptime = Uptime(89 * S, S, 89 * S, S, 0, 89 / 90, 89 / 90, 0)
    outage = ProbeOutage(
        40 * S + 410 * MS,
        60 * S + 90 * MS,
        False,
        197,
        19_680 * MS,
        20_600 * MS,
        20_140 * MS,
        "connect",
        "refused",
    )
    return Findings(
        run=Run(
            id="a1b2c3",
            scenario="gateway_failover",
            about="Stripe goes dark for 20 s at peak; cards must move to Adyen.",
            seed=7,
            started_at="2026-11-22T05:40:01.123456Z",
            command="paydrill run gateway_failover",
            plan_digest="0123456789abcdef" * 4,
            processes=1,
            versions=(("locust", "2.47.0"), ("paydrill", "0.1.0"), ("python", "3.11.7")),
            machine=(("cores", "2"), ("memory_gib", "24"), ("system", "Linux 6.1")),
            ended="complete",
            ended_why="",
            planned_duration_ns=90 * S,
            load_end_ns=90 * S,
        ),
        verdict=Verdict(
            "FAIL", "complete", 1, ("orphan_captures: 2 orders were captured without an entry.",)
        ),
        objectives=objectives(),
        faults=(fault(),),
        incidents=(Incident(40 * S, 60 * S, ("f1",), S),),
        budget=Budget(0.999, 2592 * S, S, 1 / 2592, 2592, 10.0, 1 - 10 / 2_592_000),
        availability=Availability(
            slices=slices((40,)),
            measured=uptime,
            true=uptime,
            error=0.0,
            probes=(
                ProbeUptime("payment", "platform", 90, 90, 0, 0, 1.0, 1.0, 1.0, 140 * MS, 3 * MS, ()),
                ProbeUptime(
                    "http", "stripe", 270, 73, 197, 0, 0.776, 0.771, 0.781, 4 * MS, 2 * MS, (outage,)
                ),
            ),
            requests=whole,
        ),
        success=(
            SuccessRow("all", "all", whole, rate(25_880, 26_990), rate(26_960, 26_990)),
            SuccessRow("phase", "before", rate(9_000, 9_000), rate(8_640, 9_000), rate(9_000, 9_000)),
            SuccessRow("phase", "during", rate(7_959, 8_000, 3.1), rate(7_640, 8_000), rate(7_970, 8_000)),
            SuccessRow("phase", "after", rate(9_990, 9_990), rate(9_600, 9_990), rate(9_990, 9_990)),
            SuccessRow("gateway", "adyen", rate(13_940, 13_940), rate(13_400, 13_940), None),
            SuccessRow("gateway", "stripe", rate(13_009, 13_050), rate(12_480, 13_050), None),
            SuccessRow("method", "card", rate(22_910, 22_950), rate(22_000, 22_950), None),
        ),
        latency=(
            LatencyRow("all", "all", 26_990, 27, percentiles(150)),
            LatencyRow("phase", "before", 9_000, 0, percentiles(140)),
            LatencyRow("phase", "during", 8_000, 27, percentiles(170)),
            LatencyRow("phase", "after", 9_990, 0, percentiles(140)),
            LatencyRow("gateway", "adyen", 13_940, 0, percentiles(120)),
        ),
        generator=generator(),
        money=money(),
        maintenance=(),
        marks=(
            Mark(0, "stage", "conductor", "quiet: 10 s"),
            Mark(10 * S, "stage", "conductor", "peak: 80 s"),
        ),
        damage=(),
        closed_loop=None,
    )


def series(findings: Findings, per_second: int = 300, seed: int = 3) -> Series:
    """Payments drawn to fit ``failover()``: a ramp, a loss at 40 s, stripe's share gone until 60 s."""
    rng = np.random.default_rng(seed)
    end = findings.run.load_end_ns
    n = int(per_second * end / S)
    due = np.sort((rng.random(n) ** 0.8 * end).astype(np.int64))
    latency = rng.lognormal(np.log(150 * MS), 0.5, n)
    dark = (due >= 40 * S) & (due < 60 * S)
    lost = (due >= 39.9 * S) & (due < 40 * S)
    latency[dark] *= 1.6
    latency_ns = np.where(lost, NEVER, latency.astype(np.int64))
    gateway = np.where(lost, 0, np.where((rng.random(n) < 0.6) & ~dark, 2, 1)).astype(np.int16)
    lateness = rng.lognormal(np.log(0.5 * MS), 0.8, n).astype(np.int64)
    sent = np.ones(n, np.bool_)
    return series_of(due, sent, ~lost, latency_ns, lateness, Coded(gateway, ("", "adyen", "stripe")), end)
