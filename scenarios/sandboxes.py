"""Sandboxes in a scenario: whether its rate fits under their limits, and what has no meaning with them."""

from __future__ import annotations

from collections.abc import Iterator

from mocks.faults import FAULTS, PROCESS_FAULTS
from mocks.gateways import GATEWAYS
from mocks.gateways.rate_limit import Limit
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes.pace import limit_of, sustained
from scenarios.arrivals import peak_rate
from scenarios.finding import Finding, reads
from scenarios.quantities import format_rate
from scenarios.schema import Gateway, Scenario

PLANNED_SHARE = 0.8
"""The part of a sandbox's pace that payments may be planned to use. The rest is for arrivals that cluster,
for calls that are made again, and for look-ups of unknown outcomes."""

_PROBE_REQUESTS = 2
"""What a payment probe costs at a gateway that takes a payment by one request: that, and the refund."""


def request_rate(scenario: Scenario, name: str) -> tuple[float, float]:
    """Requests per second that a sandbox would get.

    The payments of a method are shared by the weights of the gateways that take it. Payment probes pay by
    card, so that each may go to this gateway if it takes cards.

    Returns:
        For one payment per second of the load; and for the probes.
    """
    per_payment = SANDBOXES[name].requests
    part = sum(share * _part(scenario, name, method) for method, share in scenario.load.mix.items())
    probes = sum(
        (per_payment - 1 + _PROBE_REQUESTS) * 1e9 / probe.every
        for probe in scenario.probes
        if probe.probe == "payment" and "card" in GATEWAYS[name].methods
    )
    return per_payment * part, probes


def request_limit(gateway: Gateway, name: str) -> float:
    """Requests per second that the proxy lets through for ever."""
    return sustained(limit(gateway, name))


def limit(gateway: Gateway, name: str) -> Limit:
    """The limit that the proxy keeps: the sandbox's, or the lower one that the scenario names."""
    own = gateway.sandbox.rate if gateway.sandbox is not None else None
    return SANDBOXES[name].limit if own is None else limit_of(own)


def _part(scenario: Scenario, name: str, method: str) -> float:
    weights = {
        other: gateway.weight
        for other, gateway in scenario.gateways.items()
        if other in GATEWAYS and method in GATEWAYS[other].methods
    }
    total = sum(weights.values())
    return weights[name] / total if total and name in weights else 0.0


@reads("gateways", "load", "probes")
def _rate_fits(scenario: Scenario) -> Iterator[Finding]:
    for name, gateway in scenario.gateways.items():
        if gateway.sandbox is None or name not in SANDBOXES:
            continue
        sandbox = SANDBOXES[name]
        for_one, for_probes = request_rate(scenario, name)
        pace = request_limit(gateway, name)
        usable = pace * PLANNED_SHARE
        if for_probes >= usable:
            yield Finding(
                ("probes",),
                f"the payment probes alone would ask {for_probes:.3g} requests/s of {name}'s sandbox, which "
                f"leaves room for {usable:.3g}/s",
                "probe less often (every:)",
            )
            continue
        if for_one <= 0:
            continue
        fits = (usable - for_probes) / for_one
        for number, stage in enumerate(scenario.load.arrivals):
            peak = peak_rate((stage,))
            if peak > fits * (1 + 1e-9):
                yield Finding(
                    ("load", "arrivals", number, *(("rate",) if stage.rate is not None else ())),
                    f"{format_rate(peak)} does not fit: {name}'s sandbox would get "
                    f"{peak * for_one + for_probes:.3g} requests/s, and {PLANNED_SHARE:.0%} of the "
                    f"{pace:.3g}/s that it is asked at most can be planned ({sandbox.limit_source})",
                    f"{_rounded_down(fits)} would fit",
                )


@reads("gateways", "load")
def _users_have_no_rate(scenario: Scenario) -> Iterator[Finding]:
    boxes = [name for name, gateway in scenario.gateways.items() if gateway.sandbox is not None]
    if scenario.load.users is not None and boxes:
        yield Finding(
            ("load", "users"),
            f"pay as often as they are answered, and the limit of {boxes[0]}'s sandbox has to be kept",
            "load a sandbox by arrivals",
        )


@reads("gateways")
def _sandboxes_are_known(scenario: Scenario) -> Iterator[Finding]:
    for name, gateway in scenario.gateways.items():
        if gateway.sandbox is None or name not in GATEWAYS:
            continue
        if name not in SANDBOXES:
            yield Finding(("gateways", name, "sandbox"), f"no sandbox of {name} is known")
            continue
        rate, most = gateway.sandbox.rate, SANDBOXES[name].limit
        if rate is not None and rate > most.requests / most.period_s:
            yield Finding(
                ("gateways", name, "sandbox", "rate"),
                f"is above the sandbox's limit ({SANDBOXES[name].limit_source})",
            )
        for key in ("latency", "webhooks", "capacity", "clock_speed", "settlement"):
            field = Gateway.model_fields[key]
            if getattr(gateway, key) != field.get_default(call_default_factory=True):
                yield Finding(("gateways", name, key), "is a mock's; a sandbox has its own", "leave it out")


@reads("gateways", "platform")
def _platform_pays_alone(scenario: Scenario) -> Iterator[Finding]:
    if scenario.platform.reference is None:
        return
    for name, gateway in scenario.gateways.items():
        if gateway.sandbox is not None and name in SANDBOXES and SANDBOXES[name].unapproved:
            yield Finding(
                ("gateways", name, "sandbox"),
                SANDBOXES[name].unapproved,
                "let it be a mock, or drill a platform of your own (platform: {url: ...})",
            )


@reads("faults", "gateways")
def _faults_can_be_in_front(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        for name, gateway in scenario.gateways.items():
            if gateway.sandbox is None or fault.on not in (name, gateway.region):
                continue
            inside = fault.fault in FAULTS and FAULTS[fault.fault].inside
            if inside or fault.fault in PROCESS_FAULTS:
                yield Finding(
                    ("faults", number, "fault"),
                    f"{fault.fault} changes what goes on inside a gateway, which a proxy in front of "
                    f"{name}'s sandbox cannot",
                    "choose another fault, or let the gateway be a mock",
                )


_TOLD_BY_EVENT = ("dispute_mismatches", "fee_mismatches", "payout_mismatches")


@reads("gateways", "objectives")
def _events_do_not_come(scenario: Scenario) -> Iterator[Finding]:
    played = [name for name, gateway in scenario.gateways.items() if gateway.sandbox is not None]
    if not played:
        return
    for name in _TOLD_BY_EVENT:
        if getattr(scenario.objectives, name) is not None:
            yield Finding(
                ("objectives", name),
                f"can never be decided with the sandbox of {', '.join(played)}: its events don't reach this "
                "machine, and it pays out days later",
                "leave it out",
            )


def _rounded_down(rate: float) -> str:
    """A rate that a scenario can name, not above this one."""
    places = 0 if rate >= 10 else 1 if rate >= 1 else 3
    scaled = int(rate * 10**places + 1e-9) / 10**places
    return format_rate(scaled)


CHECKS = (
    _rate_fits,
    _users_have_no_rate,
    _sandboxes_are_known,
    _platform_pays_alone,
    _faults_can_be_in_front,
    _events_do_not_come,
)
