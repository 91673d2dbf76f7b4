"""Checks of what ends a process, and of regions: what such faults can be on, and what cannot go with them."""

from __future__ import annotations

from collections.abc import Iterator

from mocks.faults import PROCESS_FAULTS
from scenarios.finding import Finding, reads
from scenarios.schema import PLATFORM, Scenario


@reads("gateways")
def _regions_are_no_names(scenario: Scenario) -> Iterator[Finding]:
    taken = {PLATFORM, *scenario.gateways}
    for name, gateway in scenario.gateways.items():
        if gateway.region in taken:
            yield Finding(
                ("gateways", name, "region"),
                f"{gateway.region!r} is {'the platform' if gateway.region == PLATFORM else 'a gateway'}",
                "give the region a name of its own, e.g. eu",
            )


@reads("faults", "platform")
def _only_our_processes_are_ended(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        if fault.fault not in PROCESS_FAULTS:
            continue
        if fault.on == PLATFORM and scenario.platform.reference is None:
            yield Finding(
                ("faults", number, "on"),
                f"this platform is not started by the drill: it cannot {fault.fault} it",
                "drill the reference platform, or end it by other means",
            )
        for key in fault.choosing:
            yield Finding(
                ("faults", number, key),
                f"{fault.fault} ends the whole process, so there are no requests to choose from",
                f"leave {key} out",
            )


@reads("faults", "gateways")
def _what_is_ended_has_no_other_fault(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        if fault.fault not in PROCESS_FAULTS:
            continue
        for other_number, other in enumerate(scenario.faults):
            both = [name for name in scenario.struck(fault.on) if name in scenario.struck(other.on)]
            twice = other.fault in PROCESS_FAULTS and other_number >= number
            if both and not twice and other is not fault and fault.at < other.end and other.at < fault.end:
                yield Finding(
                    ("faults", number, "at"),
                    f"{both[0]} has the fault {other.fault!r} then (faults.{other_number}), and its process "
                    "takes that along when it ends",
                    "let the one be over before the other starts",
                )


CHECKS = (
    _regions_are_no_names,
    _only_our_processes_are_ended,
    _what_is_ended_has_no_other_fault,
)
