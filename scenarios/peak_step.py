"""The steps of a search for the peak as scenarios: the same drill, with other arrivals and without faults."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scenarios.decidable import fewest_payments
from scenarios.peak_search import LONGEST, Limits, Step
from scenarios.quantities import format_duration, format_rate
from scenarios.schema import Scenario

_S = 1_000_000_000

OF_FAULTS = ("monthly_uptime", "detection_time", "failover_time", "recovery_time", "failback_time")
"""The objectives that only a fault can decide."""

_OVERHEAD_NS = 15 * _S
"""For starting and ending the processes of a step, and its report, besides what the scenario allows."""


class NoSearchError(ValueError):
    """A scenario that cannot be searched, or limits that contradict each other; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Steady:
    """A scenario as a search plays it: without its faults, the objectives that need them, and its users.
    ``faults`` and ``objectives`` name what was left out, ``users`` is how many."""

    scenario: Scenario
    faults: tuple[str, ...]
    objectives: tuple[str, ...]
    users: int


def steady(scenario: Scenario) -> Steady:
    """Leave out what has its time in the scenario's own load, faults and maintenance; and users, whose
    payments would come on top of the rate, fewer the slower the platform is.

    Raises:
        NoSearchError: No objective is left, or no arrivals, or a gateway is a sandbox.
    """
    if not scenario.load.arrivals:
        raise NoSearchError(
            "this load is users only, and a search raises an arrival rate; say one under load.arrivals"
        )
    sandboxes = [name for name, gateway in scenario.gateways.items() if gateway.sandbox is not None]
    if sandboxes:
        raise NoSearchError(
            f"{', '.join(sandboxes)}: a sandbox has a limit of its own, which is all that the search would "
            "find; use mock gateways"
        )
    plain = scenario.to_plain()
    asked: dict[str, Any] = plain["objectives"]
    left_out = tuple(name for name in asked if name in OF_FAULTS)
    plain["objectives"] = {name: bound for name, bound in asked.items() if name not in OF_FAULTS}
    if not plain["objectives"]:
        why = f"all of them ({', '.join(left_out)}) need a fault" if left_out else "the scenario has none"
        raise NoSearchError(
            f"no objective is left to break, since {why}; a search plays without faults. Add one, such as "
            "success_rate: '>= 99%' or latency_p95: '< 800ms'"
        )
    faults = tuple(f"{fault.fault} on {fault.on}" for fault in scenario.faults)
    plain["faults"], plain["maintenance"] = [], []
    plain["load"].pop("users", None)
    users = scenario.load.users.count if scenario.load.users is not None else 0
    return Steady(Scenario.model_validate(plain), faults, left_out, users)


def limits_of(
    scenario: Scenario, *, start: float | None, most: float, precision: float, steps: int, step_ns: int
) -> Limits:
    """The limits of a search of a steady scenario. It starts at the scenario's own mean rate, unless
    ``start`` says otherwise, and never goes beyond what the scenario allows for the platform's host.

    Raises:
        NoSearchError: They contradict each other.
    """
    payments = fewest_payments(scenario.objectives)
    # A tenth more than the fewest: arrivals at random are sometimes fewer.
    least = math.ceil(10 * payments * 1.1 / (LONGEST * step_ns / _S)) / 10
    host = urlsplit(scenario.platform.url or "").hostname or ""
    allowed = scenario.allow_hosts.get(host)
    if allowed is not None and allowed < most:
        most = allowed
    if least > most:
        raise NoSearchError(
            f"a step of {format_duration(LONGEST * step_ns)} at {format_rate(most)} has fewer than the "
            f"{payments:,} payments that can decide all objectives; let steps be longer with --step"
        )
    if start is None:
        start = min(max(scenario.expected_payments() / (scenario.duration_ns / _S), least), most)
    elif start > most:
        raise NoSearchError(
            f"it cannot start at {format_rate(start)}, beyond its limit of {format_rate(most)}"
        )
    elif start < least:
        raise NoSearchError(
            f"at {format_rate(start)} even a step of {format_duration(LONGEST * step_ns)} has fewer than the "
            f"{payments:,} payments that can decide all objectives; start at {math.ceil(least)}/s or above, "
            "or let steps be longer with --step"
        )
    return Limits(
        start=start,
        least=least,
        most=most,
        precision=precision,
        steps=steps,
        step_ns=step_ns,
        ramp_ns=min(2 * _S, step_ns // 4),
        overhead_ns=scenario.load.timeout + scenario.settle + _OVERHEAD_NS,
        payments=payments,
    )


def scenario_of(scenario: Scenario, step: Step, number: int, limits: Limits, carried: int) -> Scenario:
    """The scenario of one step: a ramp from nothing, then the rate.

    Every step draws its own payments (seed + number - 1): a step that is played again shall be another
    sample. The generator may hold as many payments open as can be waiting at this rate, if the machine
    carries them, so that a platform which answers nothing any more is measured and not spared.

    Args:
        scenario: The steady one.
        step: What to play.
        number: Of the step, from 1.
        limits: For the ramp.
        carried: Most payments that may be in flight on this machine.
    """
    plain = scenario.to_plain()
    rate = format_rate(step.rate)
    load: dict[str, Any] = plain["load"]
    waiting = math.ceil(1.25 * step.rate * scenario.load.timeout / _S) + 100
    load["max_in_flight"] = min(max(scenario.load.max_in_flight, waiting), carried)
    load["arrivals"] = [
        {"name": "ramp", "duration": format_duration(limits.ramp_ns), "rate": f"0/s..{rate}"},
        {"name": "hold", "duration": format_duration(step.hold_ns), "rate": rate},
    ]
    plain["seed"] = (scenario.seed + number - 1) % 2**63
    return Scenario.model_validate(plain)
