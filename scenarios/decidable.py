"""Drills that could never be judged: objectives without the faults, probes, payments or gateways for them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scenarios.finding import Finding, reads
from scenarios.quantities import Bound, format_duration
from scenarios.schema import LEAST_IN_SLICE, MONEY_OBJECTIVES, Objectives, Scenario

_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@reads("objectives", "faults", "probes")
def _objectives_can_be_decided(scenario: Scenario) -> Iterator[Finding]:
    objectives = scenario.objectives
    never = "can never be decided"
    for name in ("monthly_uptime", "detection_time", "failover_time", "recovery_time", "failback_time"):
        if getattr(objectives, name) is not None and not scenario.faults:
            yield Finding(
                ("objectives", name), f"{never}: this scenario has no fault", "add one under faults:"
            )
    if objectives.detection_time is not None and scenario.faults and not scenario.probes:
        yield Finding(("objectives", "detection_time"), f"{never}: no probe watches", "add one under probes:")
    for name in ("success_rate", "approval_rate"):
        bound: Bound | None = getattr(objectives, name)
        if bound is not None and bound.value >= 1:
            yield Finding(
                ("objectives", name),
                f"{never}: no number of payments proves 100%",
                "ask for 99.9%, or for uptime",
            )


@reads("objectives", "gateways")
def _money_has_a_witness(scenario: Scenario) -> Iterator[Finding]:
    if not scenario.gateways:
        for name in MONEY_OBJECTIVES:
            if getattr(scenario.objectives, name) is not None:
                yield Finding(
                    ("objectives", name),
                    "can never be decided: no gateway of this scenario records what truly happened",
                    "list the gateways that the platform pays through, or leave the objective out",
                )


@reads("objectives", "load")
def _enough_payments_are_planned(scenario: Scenario) -> Iterator[Finding]:
    planned = scenario.expected_payments()
    timed = scenario.load.expected_arrivals() if scenario.load.arrivals else planned
    objectives = scenario.objectives
    for name in ("success_rate", "approval_rate"):
        bound: Bound | None = getattr(objectives, name)
        if bound is not None and bound.value < 1:
            needed = _clean_payments_for(bound.value)
            if planned < needed:
                yield Finding(("objectives", name), *_too_few(planned, needed, f"to assert {bound}"))
    for name, part in _PERCENTILES.items():
        limit: Bound | None = getattr(objectives, f"latency_{name}")
        if limit is None:
            continue
        needed = _clean_payments_for(part)
        if timed < needed:
            yield Finding(("objectives", f"latency_{name}"), *_too_few(timed, needed, f"to bound the {name}"))
        if limit.value > scenario.load.timeout:
            yield Finding(
                ("objectives", f"latency_{name}"),
                f"customers give up after {format_duration(scenario.load.timeout)}; "
                "this could not tell slow from lost",
                "lower it, or raise load.timeout",
            )
    if objectives.uptime is not None and planned < LEAST_IN_SLICE:
        yield Finding(("objectives", "uptime"), *_too_few(planned, LEAST_IN_SLICE, "to fill one slice"))


@reads("objectives", "gateways", "load")
def _approval_is_reachable(scenario: Scenario) -> Iterator[Finding]:
    bound = scenario.objectives.approval_rate
    best = 1 - scenario.load.declines
    if bound is not None and bound.value > best:
        yield Finding(
            ("objectives", "approval_rate"),
            f"cannot be held: {scenario.load.declines * 100:g}% of the payments are planned to be declined",
            f"at most {best * 100:g}% can be approved",
        )


def fewest_payments(objectives: Objectives) -> int:
    """The fewest payments that could let every objective hold, if all of them succeed in time."""
    shares = {f"latency_{name}": part for name, part in _PERCENTILES.items()}
    needed = [1]
    for name in Objectives.model_fields:
        bound = getattr(objectives, name)
        if bound is None:
            continue
        if name in shares:
            needed.append(_clean_payments_for(shares[name]))
        elif name in ("success_rate", "approval_rate") and bound.value < 1:
            needed.append(_clean_payments_for(bound.value))
        elif name == "uptime":
            needed.append(LEAST_IN_SLICE)
    return max(needed)


def _clean_payments_for(target: float) -> int:
    """Payments without any failure that assert a success rate at 95% (exact binomial bound); just as many as
    the order statistics need for an upper bound of that percentile."""
    return math.ceil(math.log(0.05) / math.log(target)) if target > 0 else 1


def _too_few(planned: float, needed: int, what: str) -> tuple[str, str]:
    return (
        f"can never be decided: about {planned:.0f} payments are planned, {needed:,} are the fewest {what}",
        "raise a rate or a duration under load.arrivals",
    )


CHECKS = (
    _objectives_can_be_decided,
    _money_has_a_witness,
    _enough_payments_are_planned,
    _approval_is_reachable,
)
