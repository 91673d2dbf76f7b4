"""``paydrill run --find-peak``: the highest arrival rate at which the objectives hold."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from rich.console import Console

from paydrill.conductor import Interrupts
from paydrill.drill import UnreportedError, listen
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.peak_options import PeakOptions
from paydrill.run_folder import RunFolderError, machine, reserve, versions
from paydrill.search import Search
from paydrill.search_table import show_search
from paydrill.search_view import SearchView
from reports import peak_wording
from reports.render import units
from reports.search_folder import SearchRecord
from scenarios.peak_search import Limits
from scenarios.peak_step import NoSearchError, Steady, limits_of, steady
from scenarios.quantities import parse_duration, parse_rate, parse_share
from scenarios.schema import Scenario

FROM, TO, STEP, PRECISION, STEPS = "the mean rate", "10000/s", "20s", "5%", 14
"""What ``--from``, ``--to``, ``--step``, ``--precision`` and ``--steps`` are by default."""

_SHORTEST = 2_000_000_000
_T = TypeVar("_T")


def find_peak(
    scenario: Scenario,
    wish: PeakOptions,
    *,
    out: Path,
    processes: int,
    console: Console,
    quiet: bool,
    command: str,
) -> NoReturn:
    """Search, say what was found, and leave with its exit code: 0 for a bracket or a platform that held up to
    the limit, 1 when not even the lowest rate holds, 3 when it stayed undecided or the load generator was the
    bottleneck, 4 aborted, 130 interrupted."""
    try:
        calm = steady(scenario)
        limits = _limits(calm.scenario, wish)
    except NoSearchError as error:
        leave(USAGE, f"{error}\nnothing was started")
    if not quiet:
        for line in announced(calm, limits):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    now = datetime.datetime.now(datetime.UTC)
    try:
        path = reserve(out, scenario, now, "-peak")
    except RunFolderError as error:
        leave(ABORTED, str(error))
    record = SearchRecord(
        started_at=now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        command=command,
        processes=processes,
        versions=versions(),
        machine=machine(),
        limits=limits,
        without_faults=calm.faults,
        without_objectives=calm.objectives,
        without_users=calm.users,
    )
    interrupts = Interrupts()
    listen(interrupts)
    with SearchView(console, limits, quiet) as view:
        try:
            found = Search(calm.scenario, record, path, view, interrupts).run()
        except (RunFolderError, UnreportedError) as error:
            leave(ABORTED, f"aborted: {error}")
    show_search(console, found, path)
    leave(found.exit_code)


def announced(calm: Steady, limits: Limits) -> list[str]:
    """What will be played, and how long it may take, before it begins."""
    lines = [
        f"searching the peak of {calm.scenario.name}: from {peak_wording.rate(limits.start)}, between "
        f"{peak_wording.rate(limits.least)} and {peak_wording.rate(limits.most)}, to within "
        f"{units.target_share(limits.precision)}",
        f"at most {units.plural(limits.steps, 'step')} of {units.duration(limits.hold_ns(limits.start))} and "
        f"a ramp of {units.duration(limits.ramp_ns)}, in at most {units.duration(limits.time_ns)}; fresh "
        "processes for each",
    ]
    if calm.faults:
        lines.append(f"played without the scenario's faults: {', '.join(calm.faults)}")
    if calm.users:
        lines.append(f"played without the scenario's {units.plural(calm.users, 'user')}")
    if calm.objectives:
        lines.append(f"left out, since only faults decide them: {', '.join(calm.objectives)}")
    return lines


def _limits(scenario: Scenario, wish: PeakOptions) -> Limits:
    step_ns = _parsed("--step", parse_duration, wish.step or STEP)
    precision = _parsed("--precision", parse_share, wish.precision or PRECISION)
    if step_ns < _SHORTEST:
        leave(USAGE, f"--step: a step lasts at least {units.duration(_SHORTEST)}")
    if not 0.005 <= precision <= 0.5:
        leave(USAGE, "--precision: say 0.5% to 50%")
    most = _parsed("--to", parse_rate, wish.most or TO)
    start = None if wish.start is None else _parsed("--from", parse_rate, wish.start)
    for name, value in (("--from", start), ("--to", most)):
        if value is not None and value <= 0:
            leave(USAGE, f"{name}: a rate above 0")
    steps = STEPS if wish.steps is None else wish.steps
    return limits_of(scenario, start=start, most=most, precision=precision, steps=steps, step_ns=step_ns)


def _parsed(option: str, parse: Callable[[object], _T], text: str) -> _T:
    try:
        return parse(text)
    except ValueError as error:
        leave(USAGE, f"{option}: {error}")
