"""Checks of what a fault is limited to, and of when it is on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mocks.faults import FAULTS, PROCESS_FAULTS
from mocks.faults.matcher import TRAITS, normalized
from mocks.gateways import GATEWAYS
from scenarios.document import Path as Place
from scenarios.finding import Finding, nearest, reads
from scenarios.quantities import format_duration
from scenarios.schema import Fault, Scenario


def scope_of(match: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """``match`` of a scenario as faults want it: a bare number (``card: 4000``) is meant as it is written.

    Raises:
        ValueError: There is no such trait, or it cannot have such a value.
    """
    return normalized({trait: tuple(map(_text, _listed(given))) for trait, given in match.items()})


@reads("faults", "gateways")
def _scopes_are_known(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        for trait, given in fault.match.items():
            yield from _of_trait(scenario, fault, ("faults", number, "match", trait), trait, given)


@reads("faults")
def _timings_are_possible(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        place: Place = ("faults", number)
        length = format_duration(fault.for_)
        if fault.ramp > fault.for_:
            yield Finding(
                (*place, "ramp"),
                f"longer than the fault lasts ({length}): it would never come to its full strength",
                f"at most {length}",
            )
        if fault.flap is not None and fault.flap.on >= fault.for_:
            yield Finding(
                (*place, "flap", "on"),
                f"as long as the fault lasts ({length}): it would never go off",
                "leave flap out, or let the fault last longer",
            )
        if fault.repeat is not None and fault.repeat.every <= fault.for_:
            yield Finding(
                (*place, "repeat", "every"),
                f"counts from start to start, and the fault lasts {length}: it would be on all the time",
                f"more than {length}",
            )


@reads("faults", "gateways")
def _what_goes_on_inside_is_kept(scenario: Scenario) -> Iterator[Finding]:
    ended = {
        name
        for fault in scenario.faults
        if fault.fault in PROCESS_FAULTS
        for name in scenario.struck(fault.on)
    }
    for number, fault in enumerate(scenario.faults):
        both = [name for name in scenario.struck(fault.on) if name in ended]
        if both and fault.fault in FAULTS and FAULTS[fault.fault].inside:
            yield Finding(
                ("faults", number, "fault"),
                f"{both[0]} is killed or restarted in this drill, and what {fault.fault!r} changes inside it "
                "cannot be taken up again by the process that comes after",
                "make two drills of it",
            )


@reads("faults")
def _there_are_requests_to_choose_from(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        kind = FAULTS.get(fault.fault)
        if kind is None or kind.scoped:
            continue
        for key in fault.choosing:
            yield Finding(
                ("faults", number, key),
                f"{fault.fault} acts on no requests, so there are none to choose from",
                f"leave {key} out",
            )


CHECKS = (
    _scopes_are_known,
    _timings_are_possible,
    _what_goes_on_inside_is_kept,
    _there_are_requests_to_choose_from,
)


def _of_trait(scenario: Scenario, fault: Fault, place: Place, trait: str, given: object) -> Iterator[Finding]:
    if trait not in TRAITS:
        yield Finding(place, f"a request has no {trait!r} to match", nearest(trait, TRAITS))
        return
    try:
        (values,) = scope_of({trait: given}).values()
    except ValueError as error:
        yield Finding(place, str(error).removeprefix("match: "))
        return
    if trait == "endpoint" and fault.on in GATEWAYS:
        for value in values:
            if value not in GATEWAYS[fault.on].endpoints:
                hint = nearest(value, GATEWAYS[fault.on].endpoints)
                yield Finding(place, f"{fault.on} has no endpoint {value!r}", hint)
    elif trait == "region":
        regions = sorted({gateway.region for gateway in scenario.gateways.values() if gateway.region})
        for value in values:
            if value not in regions:
                yield Finding(place, f"no gateway is in a region {value!r}", nearest(value, regions))


def _listed(given: object) -> list[object]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _text(value: object) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
