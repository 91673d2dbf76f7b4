"""``paydrill check``: validate a scenario, and say in words what would happen when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, NoReturn

import typer

from mocks.sandboxes import SANDBOXES
from paydrill import open_files
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.live import clock
from paydrill.machine import this_machine
from scenarios.arrivals import peak_rate
from scenarios.checkout import PlanSummary, plan, summarise
from scenarios.document import ScenarioError
from scenarios.in_flight import most_waiting
from scenarios.load import Users
from scenarios.quantities import format_duration, format_duration_range, format_share
from scenarios.reading import load_scenario
from scenarios.sandboxes import request_limit
from scenarios.schema import Objectives, Scenario
from scenarios.stage import Stage

ScenarioArgument = Annotated[
    str, typer.Argument(help="Path of a scenario, or name of one that comes with paydrill.")
]
SeedOption = Annotated[int | None, typer.Option(help="Plan other payments than the scenario's own seed.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key, e.g. load.arrivals.2.rate=800/s. Repeatable."
    ),
]
MOST_PROCESSES = 64
ProcessesOption = Annotated[int, typer.Option(min=1, max=MOST_PROCESSES, help="Load worker processes.")]


def check(
    scenario: ScenarioArgument,
    seed: SeedOption = None,
    set_: SetOption = None,
    processes: ProcessesOption = 1,
) -> None:
    """Validate a scenario, and say what would run, and whether this machine can carry it."""
    try:
        loaded = load_scenario(scenario, settings(seed, set_))
    except ScenarioError as error:
        refuse(error)
    for line in in_words(loaded, summarise(plan(loaded))):
        typer.echo(line)
    waiting = most_waiting(loaded.load, loaded.seed)
    typer.echo(open_files.in_words(loaded, waiting))
    problems = open_files.problems(loaded, waiting, processes, this_machine())
    if problems:
        leave(ABORTED, "\n".join(problems))


def settings(seed: int | None, overrides: list[str] | None, target: str | None = None) -> list[str]:
    """The command line's overrides as KEY=VALUE settings, in the order in which they apply."""
    given = list(overrides or [])
    if seed is not None:
        given.append(f"seed={seed}")
    if target is not None:
        given.append(f'platform={{url: "{target}"}}')
    return given


def refuse(error: ScenarioError) -> NoReturn:
    """Say everything that is wrong with a scenario, and end with the exit code for it."""
    count = len(error.problems)
    leave(USAGE, f"{error}\n{count} problem{'s' if count > 1 else ''}; nothing was started")


def in_words(scenario: Scenario, summary: PlanSummary) -> list[str]:
    """What a drill would do and when, a sentence a line."""
    lines = [scenario.name + (f": {scenario.about}" if scenario.about else ""), ""]
    lines += _stages(scenario.load.arrivals, "", 0)
    if scenario.load.users is not None:
        lines.append(f"{_span(0, scenario.load.users_end_ns)}  {_users(scenario.load.users)}")
    for fault in scenario.faults:
        struck = scenario.struck(fault.on)
        who = fault.on if fault.on in struck else f"{fault.on} ({', '.join(struck)})"
        where = f"{who}, {fault.endpoint}" if fault.endpoint else who
        part = "" if fault.share == 1 else f" for {format_share(fault.share)} of its requests"
        lines.append(f"{_span(fault.at, fault.end)}  {where}: {fault.fault}{part}")
    lines += [
        f"{_span(window.at, window.end)}  announced maintenance, left out of the uptime"
        for window in scenario.maintenance
    ]
    if scenario.abort_when is not None:
        lines.append(f"the drill ends early when {scenario.abort_when}")
    lines.append("")
    lines += [
        f"every {format_duration(probe.every)} the {probe.probe} probe checks {probe.on}"
        for probe in scenario.probes
    ]
    target = scenario.platform.url or "the reference platform"
    methods = ", ".join(f"{format_share(share)} {method}" for method, share in scenario.load.mix.items())
    load = scenario.load
    payments = [f"{summary.payments:,} payments"] if load.arrivals else []
    if load.users is not None:
        payments.append(f"at most about {load.most_of_users():,.0f} payments of users")
    peak = f"{peak_rate(load.arrivals):g}/s at the peak, " if load.arrivals else ""
    lines.append(
        f"{' and '.join(payments)} go to {target} ({methods}; "
        f"{format_share(load.declines)} of them must be declined), {peak}"
        f"seed {scenario.seed}, plan {summary.digest[:12]}"
    )
    for name, gateway in scenario.gateways.items():
        if gateway.sandbox is not None:
            variables = ", ".join(key.variable for key in SANDBOXES[name].keys)
            lines.append(
                f"{name} is its sandbox at {SANDBOXES[name].host}, asked at most "
                f"{request_limit(gateway, name):.3g} times a second on average; its keys are taken from "
                f"{variables}"
            )
    gated = gates(scenario.objectives)
    lines.append(
        "the verdict asks for: " + (", ".join(gated) if gated else "nothing, so it will be INCONCLUSIVE")
    )
    return lines


def _stages(stages: tuple[Stage, ...], place: str, begin: int) -> Iterator[str]:
    for number, stage in enumerate(stages, start=1):
        end = begin + stage.length_ns
        name = stage.name or f"stage {place}{number}"
        indent = "  " * place.count(".")
        yield f"{_span(begin, end)}  {indent}{name}: {_how(stage)}"
        if stage.repeat is not None:
            yield from _stages(stage.arrivals or (), f"{place}{number}.", begin)
        begin = end


def _users(users: Users) -> str:
    """What the users do."""
    tasks = [
        f"{task.replace('_', ' ')} {weight}" for task, weight in users.tasks.model_dump().items() if weight
    ]
    ramp = f", all of them from {format_duration(users.ramp)} on" if users.ramp else ""
    return (
        f"{users.count:,} users{ramp}: {', '.join(tasks)}; they think "
        f"{format_duration_range(users.think_time)} in between"
    )


def _how(stage: Stage) -> str:
    """How payments arrive in a stage."""
    rate, spike, steps, sine = stage.rate, stage.spike, stage.steps, stage.sine
    if stage.repeat is not None:
        return f"{stage.repeat} times over"
    if stage.is_trace:
        speed = "" if stage.speed in (None, 1) else f", {stage.speed:g} times as fast"
        what = "at the rates" if stage.offsets is None else "as"
        return f"payments arrive {what} recorded in {stage.trace or 'a trace'}{speed}"
    if steps is not None:
        up = "up" if steps.to >= steps.from_ else "down"
        return (
            f"payments arrive at {steps.from_:g}/s, then step by step {up} to {steps.to:g}/s, "
            f"{format_duration(steps.every)} each"
        )
    if sine is not None:
        return (
            f"payments arrive at {sine.mean - sine.amplitude:g}/s to {sine.mean + sine.amplitude:g}/s, "
            f"swinging every {format_duration(sine.period)}"
        )
    assert rate is not None
    if spike is not None:
        return (
            f"payments arrive at {rate.start:g}/s, but for a spike to {spike.to:g}/s "
            f"from {format_duration(spike.at)} to {format_duration(spike.end)} of the stage"
        )
    if rate.start == rate.end:
        return f"payments arrive at {rate.start:g}/s"
    return f"payments arrive at {rate.start:g}/s, changing to {rate.end:g}/s"


def gates(objectives: Objectives) -> list[str]:
    """The objectives that a scenario sets, in words."""
    words = []
    for name in Objectives.model_fields:
        bound = getattr(objectives, name)
        if bound is None:
            continue
        label = name.replace("_", " ")
        if name == "monthly_uptime":
            words.append(f"{label} {bound.target} at {bound.incidents:g} incidents a month")
        else:
            words.append(f"{label} {bound}")
    return words


def _span(start: int, stop: int) -> str:
    return f"{clock(start)} – {clock(stop)}"
