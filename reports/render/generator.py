"""The load generator's own record, in words and tables."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings import Findings, LateSecond, LoadProcess, WorkerClock
from reports.render import units
from reports.render.tables import Cell, Table
from scenarios.distributed.clock_offset import CLOCK_ERROR_NS


def generator(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Pairs of a term and what there is to say: was the load the one that was asked for?"""
    made = findings.generator
    late = "nothing was sent"
    if made.lateness_p99_ns is not None:
        p50, p99, most = (
            units.duration(ns) for ns in (made.lateness_p50_ns, made.lateness_p99_ns, made.lateness_max_ns)
        )
        late = f"median {p50}, 99th percentile {p99} (the limit is 100 ms), at most {most}"
    unsent = units.plural(made.never_sent, "payment")
    if made.errors:
        unsent += ": " + "; ".join(f"{why} ({units.count(times)})" for why, times in made.errors)
    said = [
        ("Sound", "yes: it kept its schedule" if made.sound else f"no: {made.why}"),
        ("Planned", units.plural(made.planned, "payment")),
        ("Due before the load ended", units.plural(made.due, "payment")),
        ("Sent", units.plural(made.sent, "payment")),
        ("Never sent", unsent),
        ("Answered", units.plural(made.answered, "payment")),
        ("Lateness", late),
        (
            "Most in one second",
            f"{units.count(made.peak_offered)} due, {units.count(made.peak_achieved)} sent",
        ),
    ]
    if made.bottleneck:
        said.insert(1, ("Bottleneck", made.bottleneck))
    if made.lost:
        said.insert(
            5, ("Lost", f"{units.plural(made.lost, 'payment')}: what became of them is not on record")
        )
    if made.loop_lag_p99_ns is not None:
        lag, most = units.duration(made.loop_lag_p99_ns), units.duration(made.loop_lag_max_ns)
        said.append(("Lag of the event loop", f"99th percentile {lag}, at most {most}"))
    if made.steal_ns:
        said.append(("Taken by the hypervisor", f"{units.duration(made.steal_ns)} of CPU time of the host"))
    if made.clocks:
        said.append(("Clocks of the workers", "; ".join(_clocks(made.clocks))))
    if not made.processes:
        said.append(("Load processes", "kept no record of themselves in this run"))
    return tuple(said)


def _clocks(clocks: Sequence[WorkerClock]) -> list[str]:
    """A phrase for all workers that read the master's clock, and one for each that reads another."""
    said = [_clock(clock) for clock in clocks if not clock.one_clock]
    same = [clock.name for clock in clocks if clock.one_clock]
    if said:
        said.append("latency is measured on one clock each, and is not touched")
    if same:
        said.insert(0, f"{units.listing(same)}: the master's own")
    return said


def _clock(clock: WorkerClock) -> str:
    apart, known_to = abs(clock.drift_ns), clock.drift_error_ns
    if apart > known_to:
        drift = f"by {units.duration(apart)} (give or take {units.duration(known_to)})"
    else:
        drift = f"by less than {units.duration(apart + known_to)}"
    compare = ", and do not compare with those of other hosts" if clock.wrong_ns > CLOCK_ERROR_NS else ""
    return (
        f"{clock.name} on {clock.host}: its times are wrong by {units.duration(clock.wrong_ns)} at most"
        f"{compare}; the clocks came apart {drift} in {units.duration(clock.observed_ns)}"
    )


def latency_error(findings: Findings) -> str:
    """By how much the latencies may be wrong: a sentence, empty where it was not measured."""
    made = findings.generator
    if made.loop_lag_p99_ns is None:
        return ""
    p99, most = units.duration(made.loop_lag_p99_ns), units.duration(made.loop_lag_max_ns)
    return (
        "An answer is seen when the load generator's event loop comes round to it. The loop's lag was "
        f"measured all along: each latency is overstated by at most about {p99} (99th percentile of the lag; "
        f"the greatest lag seen was {most}), and none is understated. Lateness is part of a latency and "
        "comes on top."
    )


def load_processes(findings: Findings) -> Table:
    """What each load process used, and what it had to wait for."""
    columns = (
        "Load process",
        "#CPU of a core",
        "#Waited for a CPU",
        "#Collections",
        "#Loop lag p99",
        "#Most connections",
    )
    rows = tuple(_process(one) for one in findings.generator.processes)
    return Table("Load processes", columns, rows)


def _process(one: LoadProcess) -> tuple[Cell, ...]:
    waited = "-" if one.cpu_wait_ns is None else units.duration(one.cpu_wait_ns)
    collecting = f"{units.duration(one.gc_pause_ns)}, longest {units.duration(one.gc_pause_max_ns)}"
    without = f", {units.plural(one.socket_errors, 'payment')} without" if one.socket_errors else ""
    return (
        Cell(one.name, "" if one.closed else "left no closing record"),
        Cell(units.share(one.cpu_share), f"busiest second {units.share(one.cpu_share_max)}"),
        Cell(waited, units.plural(one.preemptions, "preemption")),
        Cell(units.count(one.gc_pauses), collecting),
        Cell(units.duration(one.loop_lag_p99_ns), f"at most {units.duration(one.loop_lag_max_ns)}"),
        Cell(units.count(one.connections), f"{units.count(one.connects)} made{without}"),
    )


def worst_seconds(findings: Findings) -> Table:
    """The seconds in which the generator kept its schedule worst; no rows if it always did."""
    columns = ("Second", "#Due", "#Sent within 100 ms", "#Later", "#Never sent or lost", "#Latest")
    return Table("Worst seconds", columns, tuple(_second(one) for one in findings.generator.worst))


def _second(one: LateSecond) -> tuple[Cell, ...]:
    return (
        Cell(f"{one.start_ns // 1_000_000_000} s"),
        Cell(units.count(one.due)),
        Cell(units.count(one.on_time)),
        Cell(units.count(one.due - one.on_time - one.missed)),
        Cell(units.count(one.missed)),
        Cell(units.duration(one.lateness_max_ns)),
    )
