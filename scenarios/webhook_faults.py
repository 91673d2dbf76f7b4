"""Faults on webhooks that could touch nothing, or that a gateway cannot have."""

from __future__ import annotations

from collections.abc import Iterator

from mocks.faults import FAULTS, FaultPlan
from mocks.faults.webhook import WebhookFault
from mocks.gateways import GATEWAYS
from mocks.latency import from_message
from mocks.platform.webhooks import EVENTS
from scenarios.document import Path as Place
from scenarios.fault_scope import scope_of
from scenarios.finding import Finding, nearest, reads
from scenarios.schema import Fault, Scenario


@reads("faults", "gateways", "platform")
def _webhook_faults_fit_their_gateways(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        kind = FAULTS.get(fault.fault)
        if kind is None or not issubclass(kind, WebhookFault):
            continue
        place: Place = ("faults", number)
        if scenario.platform.reference is None:
            yield Finding(
                (*place, "fault"),
                "no webhooks are delivered to a platform that runs already",
                "a drill delivers webhooks to the reference platform only",
            )
        for name in scenario.struck(fault.on):
            if name in GATEWAYS:
                yield from _on_gateway(scenario, place, fault, name, kind)


def _on_gateway(
    scenario: Scenario, place: Place, fault: Fault, name: str, kind: type[WebhookFault]
) -> Iterator[Finding]:
    try:
        match = scope_of(fault.match)
    except ValueError:
        return  # that is said elsewhere
    gateway = GATEWAYS[name].make(name, from_message(None), scenario.seed)
    try:
        plan = FaultPlan("", fault.fault, fault.at, fault.for_, fault.endpoint, match=match)
        kind(plan, gateway, scenario.seed)
    except ValueError as error:
        yield Finding(place, str(error).removeprefix("fault : "))
    delivered = EVENTS.get(name, ())
    for event in match.get("event", ()):
        if not any(_overlap(event, one) for one in delivered):
            yield Finding(
                (*place, "match", "event"),
                f"{name} delivers no {event!r} to the reference platform",
                nearest(event, delivered),
            )


def _overlap(one: str, other: str) -> bool:
    """Whether an event can be of both kinds; each may end in ``*``."""
    if one.endswith("*") and other.endswith("*"):
        return one[:-1].startswith(other[:-1]) or other[:-1].startswith(one[:-1])
    if one.endswith("*"):
        return other.startswith(one[:-1])
    return one.startswith(other[:-1]) if other.endswith("*") else one == other


CHECKS = (_webhook_faults_fit_their_gateways,)
