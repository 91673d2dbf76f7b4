"""What no single key can tell: contradictions between the parts of a scenario, and drills that could not
be judged. Each check is a pure function of the scenario that yields findings.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from mocks.faults import FAULTS
from mocks.gateways import GATEWAYS
from mocks.platform.connectors import CONNECTORS
from mocks.platform.vault import INSTRUMENTS
from probes import PROBES
from scenarios.customers import EXPONENTS
from scenarios.document import Document, Problem
from scenarios.document import Path as Place
from scenarios.quantities import Bound, format_duration, parse_duration, parse_share
from scenarios.schema import Scenario

_LIVE = re.compile(
    r"\b(sk_live_|rk_live_)\w*|\b(api-m\.paypal\.com|[\w.-]*-checkout-live\.adyenpayments\.com)"
)
_MINIMUM_SLICE = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a place of the scenario."""

    path: Place
    message: str
    hint: str = ""


Check = Callable[[Scenario], Iterator[Finding]]
_CHECKS: list[tuple[frozenset[str], Check]] = []


def _reads(*sections: str) -> Callable[[Check], Check]:
    """Register a check, with the sections that must be sound for it to mean anything."""

    def register(check: Check) -> Check:
        _CHECKS.append((frozenset(sections), check))
        return check

    return register


def findings(scenario: Scenario, broken_sections: frozenset[str]) -> Iterator[Finding]:
    """All findings of the checks that do not read a broken section."""
    for sections, check in _CHECKS:
        if not sections & broken_sections:
            yield from check(scenario)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest valid name, or all of them."""
    options = [name for name in known if name]
    close = difflib.get_close_matches(word, options, 1, 0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"one of: {', '.join(options)}" if options else ""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def text_problems(document: Document) -> list[Problem]:
    """Live credentials and live hosts, anywhere in the text; the secret itself is not repeated."""
    problems: list[Problem] = []

    def walk(value: object, place: Place) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*place, key))
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                walk(inner, (*place, number))
        elif isinstance(value, str) and (match := _LIVE.search(value)):
            what = f"a live key ({match[1]}...)" if match[1] else f"a live host ({match[2]})"
            problems.append(
                document.problem(
                    place,
                    f"{what} is refused, always",
                    "drills run against mocks and test modes only",
                    show=False,
                )
            )

    walk(document.data, ())
    return problems


@_reads("gateways")
def _gateways_are_known(scenario: Scenario) -> Iterator[Finding]:
    for name in scenario.gateways:
        if name not in GATEWAYS:
            yield Finding(("gateways", name), f"no gateway {name!r}", nearest(name, GATEWAYS))
    if scenario.gateways and not any(gateway.weight for gateway in scenario.gateways.values()):
        yield Finding(("gateways",), "every weight is 0, so nothing would be sent anywhere")


@_reads("gateways", "platform")
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


@_reads("load", "gateways", "platform")
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


@_reads("load")
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


@_reads("faults", "gateways")
def _faults_are_known(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        place: Place = ("faults", number)
        if fault.on not in scenario.gateways:
            known = ", ".join(scenario.gateways)
            yield Finding((*place, "on"), f"this scenario has no gateway {fault.on!r}", f"it has: {known}")
        elif fault.endpoint is not None and fault.on in GATEWAYS:
            endpoints = GATEWAYS[fault.on].endpoints
            if fault.endpoint not in endpoints:
                yield Finding(
                    (*place, "endpoint"),
                    f"{fault.on} has no endpoint {fault.endpoint!r}",
                    nearest(fault.endpoint, endpoints),
                )
        if fault.fault not in FAULTS:
            yield Finding((*place, "fault"), f"no fault {fault.fault!r}", nearest(fault.fault, FAULTS))
        else:
            kind = FAULTS[fault.fault]
            values = yield from _parameters((*place, "params"), fault.params, kind.PARAMETERS)
            if values is not None:
                yield from _complaint((*place, "params"), kind.parse, values)


@_reads("faults", "load")
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


@_reads("faults")
def _faults_do_not_collide(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        for earlier_number, earlier in enumerate(scenario.faults[:number]):
            same = (fault.on, fault.fault, fault.endpoint) == (earlier.on, earlier.fault, earlier.endpoint)
            if same and fault.at < earlier.end and earlier.at < fault.end:
                yield Finding(
                    ("faults", number, "at"),
                    f"the same fault is on {fault.on} already then (faults.{earlier_number})",
                )


@_reads("maintenance", "load")
def _maintenance_fits(scenario: Scenario) -> Iterator[Finding]:
    for number, window in enumerate(scenario.maintenance):
        if window.end > scenario.duration_ns:
            yield Finding(("maintenance", number), "ends after the load has ended")


@_reads("probes", "gateways", "allow_hosts", "platform")
def _probes_are_known(scenario: Scenario) -> Iterator[Finding]:
    for number, probe in enumerate(scenario.probes):
        place: Place = ("probes", number)
        if probe.probe not in PROBES:
            yield Finding((*place, "probe"), f"no probe {probe.probe!r}", nearest(probe.probe, PROBES))
        else:
            kind = PROBES[probe.probe]
            values = yield from _parameters((*place, "params"), probe.params, kind.parameters)
            if values is not None:
                yield from _complaint((*place, "params"), kind.complete, values)
        if "://" in probe.on:
            yield from _host_is_allowed(scenario, (*place, "on"), probe.on)
        elif probe.on != "platform" and probe.on not in scenario.gateways:
            known = ["platform", *scenario.gateways]
            yield Finding((*place, "on"), f"nothing here is called {probe.on!r}", nearest(probe.on, known))
        elif probe.probe == "payment" and probe.on != "platform":
            yield Finding((*place, "on"), "a payment probe pays through the platform", "on: platform")


@_reads("platform", "allow_hosts")
def _platform_is_allowed(scenario: Scenario) -> Iterator[Finding]:
    if scenario.platform.url is not None:
        yield from _host_is_allowed(scenario, ("platform", "url"), scenario.platform.url)


@_reads("objectives", "faults", "probes")
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


_MONEY = ("lost_payments", "double_charges", "orphan_captures", "amount_mismatches", "unresolved_unknowns")


@_reads("objectives", "gateways")
def _money_has_a_witness(scenario: Scenario) -> Iterator[Finding]:
    if not scenario.gateways:
        for name in _MONEY:
            if getattr(scenario.objectives, name) is not None:
                yield Finding(
                    ("objectives", name),
                    "can never be decided: no gateway of this scenario records what truly happened",
                    "list the gateways that the platform pays through, or leave the objective out",
                )


@_reads("objectives", "load")
def _enough_payments_are_planned(scenario: Scenario) -> Iterator[Finding]:
    planned = scenario.expected_payments()
    objectives = scenario.objectives
    for name in ("success_rate", "approval_rate"):
        bound: Bound | None = getattr(objectives, name)
        if bound is not None and bound.value < 1:
            needed = _clean_payments_for(bound.value)
            if planned < needed:
                yield Finding(("objectives", name), *_too_few(planned, needed, f"to assert {bound}"))
    for name, part in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
        limit: Bound | None = getattr(objectives, f"latency_{name}")
        if limit is None:
            continue
        needed = math.ceil(math.log(0.05) / math.log(part))
        if planned < needed:
            yield Finding(
                ("objectives", f"latency_{name}"), *_too_few(planned, needed, f"to bound the {name}")
            )
        if limit.value > scenario.load.timeout:
            yield Finding(
                ("objectives", f"latency_{name}"),
                f"customers give up after {format_duration(scenario.load.timeout)}; "
                "this could not tell slow from lost",
                "lower it, or raise load.timeout",
            )
    if objectives.uptime is not None and planned < _MINIMUM_SLICE:
        yield Finding(("objectives", "uptime"), *_too_few(planned, _MINIMUM_SLICE, "to fill one slice"))


@_reads("objectives", "gateways", "load")
def _approval_is_reachable(scenario: Scenario) -> Iterator[Finding]:
    bound = scenario.objectives.approval_rate
    best = 1 - scenario.load.declines
    if bound is not None and bound.value > best:
        yield Finding(
            ("objectives", "approval_rate"),
            f"cannot be held: {scenario.load.declines * 100:g}% of the payments are planned to be declined",
            f"at most {best * 100:g}% can be approved",
        )


def _clean_payments_for(target: float) -> int:
    """Payments without any failure that assert a success rate at 95% (exact binomial bound)."""
    return math.ceil(math.log(0.05) / math.log(target)) if target > 0 else 1


def _too_few(planned: float, needed: int, what: str) -> tuple[str, str]:
    return (
        f"can never be decided: about {planned:.0f} payments are planned, {needed:,} are the fewest {what}",
        "raise a rate or a duration under load.arrivals",
    )


def _host_is_allowed(scenario: Scenario, place: Place, url: str) -> Iterator[Finding]:
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


class _Parameter(Protocol):
    """What the registries of faults and probes have in common."""

    @property
    def kind(self) -> str: ...


def _parameters(
    place: Place, given: Mapping[str, Any], known: Mapping[str, _Parameter]
) -> Generator[Finding, None, dict[str, Any] | None]:
    """Findings about parameters; returns the values as their fault or probe wants them, if all are sound."""
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            hint = nearest(key, known) if known else "it has no parameters"
            yield Finding((*place, key), f"unknown parameter {key!r}", hint)
            continue
        try:
            values[key] = parameter_value(known[key].kind, value)
        except ValueError as error:
            yield Finding((*place, key), str(error))
    return values if len(values) == len(given) else None


def _complaint(
    place: Place, parse: Callable[[dict[str, Any]], object], values: dict[str, Any]
) -> Iterator[Finding]:
    try:
        parse(values)
    except ValueError as error:
        yield Finding(place, str(error))


def parameter_value(kind: str, value: object) -> Any:
    """A parameter as its fault or probe wants it: durations in ns, shares as parts of 1, the rest as it is.

    Raises:
        ValueError: It is not of that kind.
    """
    if kind == "duration":
        return parse_duration(value)
    if kind == "share":
        return parse_share(value)
    if kind == "status":
        if isinstance(value, bool) or not isinstance(value, int) or not 400 <= value <= 599:
            raise ValueError("must be an HTTP error status, 400 to 599")
        return value
    wanted: dict[str, tuple[type | tuple[type, ...], str]] = {
        "number": ((int, float), "a number"),
        "count": (int, "a whole number"),
        "text": (str, "a text"),
        "flag": (bool, "true or false"),
    }
    types, words = wanted[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "flag"):
        raise ValueError(f"must be {words}")
    if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
        raise ValueError("must be 0 or more")
    return value
