"""Contradictions between the parts of a scenario, and names that lead nowhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from urllib.parse import urlsplit

from mocks.faults import FAULTS, PROCESS_FAULTS
from mocks.gateways import GATEWAYS
from mocks.loopback import is_loopback
from mocks.platform.connectors import CONNECTORS
from mocks.platform.vault import INSTRUMENTS
from probes import PROBES
from probes.target import check_loopback
from scenarios.customers import EXPONENTS
from scenarios.document import Path as Place
from scenarios.finding import Finding, nearest, reads
from scenarios.parameters import complaint, parameter_findings
from scenarios.quantities import format_duration
from scenarios.schema import PLATFORM, Scenario


@reads("gateways")
def _gateways_are_known(scenario: Scenario) -> Iterator[Finding]:
    for name in scenario.gateways:
        if name not in GATEWAYS:
            yield Finding(("gateways", name), f"no gateway {name!r}", nearest(name, GATEWAYS))
    if scenario.gateways and not any(gateway.weight for gateway in scenario.gateways.values()):
        yield Finding(("gateways",), "every weight is 0, so nothing would be sent anywhere")


@reads("gateways", "platform")
def _platform_has_gateways(scenario: Scenario) -> Iterator[Finding]:
    if scenario.platform.reference is not None and not scenario.gateways:
        yield Finding(
            ("gateways",), "the reference platform needs a gateway", "gateways: {stripe: {}, adyen: {}}"
        )
    if scenario.platform.reference is not None:
        for name in scenario.gateways:
            if name in GATEWAYS and name not in CONNECTORS:
                yield Finding(
                    ("gateways", name),
                    f"the reference platform does not pay through {name}",
                    f"it knows {', '.join(CONNECTORS)}",
                )


@reads("load", "gateways", "platform")
def _mix_is_served(scenario: Scenario) -> Iterator[Finding]:
    served = {method for name in scenario.gateways if name in CONNECTORS for method in GATEWAYS[name].methods}
    if scenario.platform.reference is None or not served:
        return
    for method, share in scenario.load.mix.items():
        if share and method not in served:
            yield Finding(
                ("load", "mix", method),
                f"no gateway of this scenario takes {method!r}",
                nearest(method, sorted(served)),
            )


@reads("load", "gateways", "platform")
def _currencies_are_served(scenario: Scenario) -> Iterator[Finding]:
    if scenario.platform.reference is None:
        return
    connectors = [CONNECTORS[name] for name in scenario.gateways if name in CONNECTORS]
    methods = [method for method, share in scenario.load.mix.items() if share]
    for currency in (name for name, share in scenario.load.currencies.items() if share and name in EXPONENTS):
        for method in methods:
            takers = [connector for connector in connectors if method in connector.methods]
            if takers and not any(not taker.currencies or currency in taker.currencies for taker in takers):
                known = ", ".join(sorted(set().union(*(taker.currencies for taker in takers))))
                yield Finding(
                    ("load", "currencies", currency),
                    f"no gateway of this scenario takes {method!r} in {currency}",
                    f"it is taken in {known}",
                )


@reads("load")
def _load_is_sound(scenario: Scenario) -> Iterator[Finding]:
    load = scenario.load
    methods = sorted({instrument.method for instrument in INSTRUMENTS.values()})
    for method in load.mix:
        if method not in methods:
            yield Finding(("load", "mix", method), f"no payment method {method!r}", nearest(method, methods))
    for key, shares in (("mix", load.mix), ("currencies", load.currencies)):
        total = sum(shares.values())
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            yield Finding(("load", key), f"the shares add up to {total * 100:g}%, not to 100%")
    for currency in load.currencies:
        if currency not in EXPONENTS:
            yield Finding(
                ("load", "currencies", currency), f"no currency {currency!r}", nearest(currency, EXPONENTS)
            )
    if scenario.expected_payments() < 1:
        yield Finding(("load", "arrivals"), "not one payment would be due")


@reads("faults", "gateways")
def _faults_are_known(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        place: Place = ("faults", number)
        struck = scenario.struck(fault.on)
        of_process = fault.fault in PROCESS_FAULTS
        if not struck:
            regions = {gateway.region for gateway in scenario.gateways.values() if gateway.region}
            known = ", ".join([*scenario.gateways, *sorted(regions), *([PLATFORM] if of_process else [])])
            yield Finding(
                (*place, "on"),
                f"this scenario has no gateway {fault.on!r}, and no such region",
                f"it has: {known}",
            )
        elif fault.on == PLATFORM and not of_process and fault.fault in FAULTS:
            yield Finding(
                (*place, "on"),
                f"the platform cannot have the fault {fault.fault!r}, a gateway can",
                f"the platform can have: {', '.join(PROCESS_FAULTS)}",
            )
        for name in struck:
            if (
                fault.endpoint is not None
                and name in GATEWAYS
                and fault.endpoint not in GATEWAYS[name].endpoints
            ):
                yield Finding(
                    (*place, "endpoint"),
                    f"{name} has no endpoint {fault.endpoint!r}",
                    nearest(fault.endpoint, GATEWAYS[name].endpoints),
                )
        if fault.fault not in FAULTS and not of_process:
            known_faults = [*FAULTS, *PROCESS_FAULTS]
            yield Finding((*place, "fault"), f"no fault {fault.fault!r}", nearest(fault.fault, known_faults))
        else:
            kind = PROCESS_FAULTS[fault.fault] if of_process else FAULTS[fault.fault]
            values = yield from parameter_findings((*place, "params"), fault.params, kind.PARAMETERS)
            if values is not None:
                yield from complaint((*place, "params"), kind.parse, values)


@reads("faults", "load")
def _faults_fit_the_load(scenario: Scenario) -> Iterator[Finding]:
    end = scenario.duration_ns
    for number, fault in enumerate(scenario.faults):
        if fault.at >= end:
            yield Finding(
                ("faults", number, "at"), f"starts after the load has ended (at {format_duration(end)})"
            )
        elif fault.end > end:
            yield Finding(
                ("faults", number, "for"),
                f"ends at {format_duration(fault.end)}, after the load (at {format_duration(end)})",
                "nothing could be said of what comes after it; shorten it or lengthen the load",
            )


@reads("faults", "gateways")
def _faults_do_not_collide(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        for earlier_number, earlier in enumerate(scenario.faults[:number]):
            both = [name for name in scenario.struck(fault.on) if name in scenario.struck(earlier.on)]
            same = (fault.fault, fault.endpoint) == (earlier.fault, earlier.endpoint)
            same = same and fault.match == earlier.match
            if both and same and fault.at < earlier.end and earlier.at < fault.end:
                yield Finding(
                    ("faults", number, "at"),
                    f"the same fault is on {both[0]} already then (faults.{earlier_number})",
                )


@reads("maintenance", "load")
def _maintenance_fits(scenario: Scenario) -> Iterator[Finding]:
    for number, window in enumerate(scenario.maintenance):
        if window.end > scenario.duration_ns:
            yield Finding(("maintenance", number), "ends after the load has ended")


@reads("probes", "gateways", "allow_hosts", "platform")
def _probes_are_known(scenario: Scenario) -> Iterator[Finding]:
    for number, probe in enumerate(scenario.probes):
        place: Place = ("probes", number)
        if probe.probe not in PROBES:
            yield Finding((*place, "probe"), f"no probe {probe.probe!r}", nearest(probe.probe, PROBES))
        else:
            kind = PROBES[probe.probe]
            values = yield from parameter_findings((*place, "params"), probe.params, kind.parameters)
            if values is not None:
                yield from complaint((*place, "params"), kind.complete, values)
        if "://" in probe.on:
            yield from host_is_allowed(scenario, (*place, "on"), probe.on)
        elif probe.on != "platform" and probe.on not in scenario.gateways:
            known = ["platform", *scenario.gateways]
            yield Finding((*place, "on"), f"nothing here is called {probe.on!r}", nearest(probe.on, known))
        elif probe.probe == "payment" and probe.on != "platform":
            yield Finding((*place, "on"), "a payment probe pays through the platform", "on: platform")


@reads("platform", "allow_hosts")
def _platform_is_allowed(scenario: Scenario) -> Iterator[Finding]:
    if scenario.platform.url is not None:
        yield from host_is_allowed(scenario, ("platform", "url"), scenario.platform.url)


def host_is_allowed(scenario: Scenario, place: Place, url: str) -> Iterator[Finding]:
    """What is wrong with calling a URL at a place: it is none, or of a host that may not be called."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        yield Finding(place, f"not a URL: {error}")
        return
    if parts.scheme not in ("http", "https") or not host:
        yield Finding(place, "must be an http:// or https:// URL")
    elif not is_loopback(host) and host not in scenario.allow_hosts:
        yield Finding(
            place,
            f"{host} is not this machine, and not allowed",
            f"if it is yours: allow_hosts: {{{host}: 10/s}}",
        )
    else:
        # Allowed or not, what the probes would refuse (live payment APIs, credentials in the URL) is refused.
        try:
            check_loopback(url, scenario.allow_hosts)
        except ValueError as error:
            yield Finding(place, str(error))


CHECKS = (
    _gateways_are_known,
    _platform_has_gateways,
    _mix_is_served,
    _currencies_are_served,
    _load_is_sound,
    _faults_are_known,
    _faults_fit_the_load,
    _faults_do_not_collide,
    _maintenance_fits,
    _probes_are_known,
    _platform_is_allowed,
)
