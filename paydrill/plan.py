"""``paydrill plan``: what a peak needs, from figures that were measured on this machine."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer

from paydrill.calibrate import MeasurementFailedError, calibrate
from paydrill.calibration import Calibration, CalibrationError, keep, path, read
from paydrill.check import SetOption, refuse, settings
from paydrill.console import console as open_console
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.machine import this_machine
from paydrill.plan_table import show_calibration, show_capacity
from scenarios.arrivals import peak_rate
from scenarios.capacity import HEADROOM, Capacity, CapacityError, Demand, Machine, capacity
from scenarios.document import ScenarioError
from scenarios.quantities import format_duration, format_share, parse_duration, parse_rate, parse_share
from scenarios.reading import load_scenario
from scenarios.schema import Load, Scenario

_T = TypeVar("_T")

P99_NS = 400_000_000
"""The platform's p99 where nobody says another."""

DURATION_NS = 60_000_000_000


def plan(
    peak: Annotated[
        str | None, typer.Option(metavar="RATE", help="Payments per second at the peak: 544000/s.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="Take the peak, its length and the time-out from a scenario."),
    ] = None,
    set_: SetOption = None,
    p99: Annotated[
        str | None, typer.Option(metavar="TIME", help="The platform's latency, 99th percentile.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="When a customer gives up waiting.")
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long the peak lasts.")
    ] = None,
    addresses: Annotated[
        int, typer.Option(min=1, help="Addresses (IP and port) that the platform is reached at.")
    ] = 1,
    headroom: Annotated[
        str, typer.Option(metavar="SHARE", help="Workers beyond what the measured rate asks for.")
    ] = format_share(HEADROOM),
    calibrate_: Annotated[
        bool, typer.Option("--calibrate", help="Measure this machine first, some 30 s, on loopback.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how many workers, machines, connections and bytes a peak needs.

    For example: paydrill plan --calibrate, then paydrill plan --peak 544000/s --p99 400ms

    Every figure comes from a measurement on this machine (--calibrate) and
    from its limits; without one, nothing is said.
    """
    if not (peak or scenario or calibrate_):
        leave(USAGE, "say --peak RATE or --scenario SCENARIO; or --calibrate, to measure this machine")
    if peak and scenario:
        leave(USAGE, "say either --peak or --scenario; a scenario has a peak of its own")
    asked = None
    if peak or scenario:
        asked = _asked(peak, scenario, set_, p99, timeout, for_, addresses, headroom)
    file = path()
    if calibrate_:
        _measure(file)
    try:
        calibration = read(file)
        machine = this_machine()
        found = None if asked is None else capacity(asked.demand, calibration.figures, machine)
    except CalibrationError as error:
        leave(USAGE, str(error))
    except CapacityError as error:
        leave(ABORTED, str(error))
    demand = None if asked is None else asked.demand
    if json:
        typer.echo(orjson.dumps(_plain(calibration, machine, demand, found), option=orjson.OPT_INDENT_2))
        return
    console = open_console()
    show_calibration(console, calibration, machine)
    if asked is not None and found is not None:
        show_capacity(console, asked.demand, found, asked.notes)
    console.print(f"measured figures: {file}", highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, and in words where its p99 comes from and what it leaves out."""

    demand: Demand
    notes: tuple[str, ...]


def _asked(
    peak: str | None,
    scenario: str | None,
    set_: list[str] | None,
    p99: str | None,
    timeout: str | None,
    for_: str | None,
    addresses: int,
    headroom: str,
) -> _Asked:
    loaded = _loaded(scenario, set_)
    rate = _parsed("--peak", parse_rate, peak) if peak else 0.0
    latency_ns, timeout_ns, duration_ns = P99_NS, _DEFAULT_TIMEOUT, DURATION_NS
    source = f"a p99 of {format_duration(P99_NS)} is assumed; --p99 says what the platform has"
    max_in_flight = _DEFAULT_IN_FLIGHT
    if loaded is not None:
        rate = peak_rate(loaded.load.arrivals)
        timeout_ns, duration_ns = loaded.load.timeout, loaded.duration_ns
        if loaded.objectives.latency_p99 is not None:
            latency_ns = int(loaded.objectives.latency_p99.value)
            source = f"the p99 is the scenario's objective, {format_duration(latency_ns)}"
        max_in_flight = loaded.load.max_in_flight
    if p99:
        source = f"the p99 is as asked for, {p99}"
    if rate <= 0:
        leave(
            USAGE,
            f"--peak {peak}: must be above 0/s"
            if peak
            else f"{scenario} plans no arrivals, so it has no peak of its own; say --peak",
        )
    demand = Demand(
        peak=rate,
        latency_ns=_parsed("--p99", parse_duration, p99) if p99 else latency_ns,
        timeout_ns=_parsed("--timeout", parse_duration, timeout) if timeout else timeout_ns,
        duration_ns=_parsed("--for", parse_duration, for_) if for_ else duration_ns,
        addresses=addresses,
        headroom=_parsed("--headroom", parse_share, headroom),
        max_in_flight=max_in_flight,
    )
    for option, value in (("--p99", demand.latency_ns), ("--timeout", demand.timeout_ns)):
        if value <= 0:
            leave(USAGE, f"{option}: must be above 0s")
    if demand.latency_ns > demand.timeout_ns:
        leave(
            USAGE,
            f"the p99 ({format_duration(demand.latency_ns)}) is above the time-out "
            f"({format_duration(demand.timeout_ns)}), so customers would have given up; say --timeout",
        )
    notes = [source]
    if loaded is not None and loaded.load.users is not None:
        notes.append(
            f"the scenario's {loaded.load.users.count:,} users come on top of its arrivals, uncounted"
        )
    return _Asked(demand, tuple(notes))


_DEFAULT_TIMEOUT = int(Load.model_fields["timeout"].default)
_DEFAULT_IN_FLIGHT = int(Load.model_fields["max_in_flight"].default)


def _loaded(scenario: str | None, set_: list[str] | None) -> Scenario | None:
    if scenario is None:
        return None
    try:
        return load_scenario(scenario, settings(None, set_))
    except ScenarioError as error:
        refuse(error)


def _parsed(option: str, parse: Callable[[object], _T], text: str) -> _T:
    try:
        return parse(text)
    except ValueError as error:
        leave(USAGE, f"{option}: {error}")


def _measure(file: Path) -> None:
    def tell(text: str) -> None:
        typer.echo(text, err=True)

    try:
        keep(calibrate(datetime.datetime.now(datetime.UTC), tell), file)
    except MeasurementFailedError as error:
        leave(ABORTED, f"the measurement failed: {error}")
    except OSError as error:
        leave(ABORTED, f"{file} cannot be written: {error.strerror or error}")


def _plain(
    calibration: Calibration, machine: Machine, demand: Demand | None, found: Capacity | None
) -> dict[str, Any]:
    return {
        "calibration": calibration.model_dump(mode="json"),
        "machine": asdict(machine),
        "demand": None if demand is None else asdict(demand),
        "capacity": None if found is None else asdict(found),
    }
