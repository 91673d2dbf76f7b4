"""A capacity plan on the terminal, and the measured figures that it rests on."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from paydrill import __version__
from paydrill.calibration import Calibration
from scenarios.capacity import Capacity, Demand, Machine, Need, size
from scenarios.quantities import format_duration

BUSY = 0.2
"""Cores used by others beyond which a measurement speaks of a busy machine."""

IDLE = 0.5
"""Part of its core below which a worker was not what limited the rate."""


def show_calibration(console: Console, calibration: Calibration, machine: Machine) -> None:
    """Print what was measured, and on what."""
    figures = calibration.figures
    table = _table("one worker on one core", "measured", "how")
    for name, value, how in (
        (
            "payments",
            f"{figures.rate:,.0f}/s",
            f"{calibration.payments:,} Poisson arrivals, all recorded; lateness p99 "
            f"{figures.lateness_p99_ns / 1e6:.2f} ms, limit {format_duration(calibration.lateness_limit_ns)}",
        ),
        ("its core", f"{figures.core:.0%}", "CPU time at that rate"),
        (
            "a payment on the wire",
            size(figures.wire_bytes),
            f"{figures.http_bytes:,.0f} B of HTTP in {figures.segments:.1f} segments, both directions",
        ),
        ("a payment in the journal", size(figures.journal_bytes), "the load's own tables"),
        ("memory", size(figures.resident_bytes), "resident, next to nothing in flight"),
        ("a payment in flight", size(figures.in_flight_bytes), "resident besides, without the kernel's"),
    ):
        table.add_row(name, value, how)
    console.print(table)
    lines = [
        f"measured {calibration.measured_at} with paydrill {calibration.paydrill} on {calibration.machine}; "
        f"a process may open {machine.open_files:,} files here, and {machine.ports:,} ports to one address"
    ]
    if calibration.paydrill != __version__:
        lines.append(f"this is paydrill {__version__}: measure again with --calibrate")
    if not calibration.apart:
        lines.append("worker and platform shared the only core: a worker alone does more")
    if figures.core < IDLE:
        lines.append(
            f"it used only {figures.core:.0%} of its core: something else made it late, and it may do more"
        )
    if calibration.others > BUSY:
        lines.append(
            f"other processes used {calibration.others:.1f} cores meanwhile: measured when it is quiet, a "
            "worker may do more"
        )
    for line in lines:
        console.print(line, highlight=False, markup=False)


def show_capacity(console: Console, demand: Demand, found: Capacity, notes: tuple[str, ...]) -> None:
    """Print what a peak needs, and what does not fit. ``notes`` say what the demand rests on."""
    table = _table(f"{demand.peak:,.0f} payments/s", "needs", "how")
    for need in found.needs:
        table.add_row(need.name, shown(need), need.how)
    table.add_section()
    for need in found.dark:
        table.add_row(f"dark: {need.name}", shown(need), need.how)
    table.add_section()
    table.add_row(found.alone.name, shown(found.alone), found.alone.how)
    console.print(table)
    lines = [
        *notes,
        "dark: while the platform answers nobody, until each customer gives up",
        "a worker was measured that writes its journal itself; shipping it to a master takes more",
        "the master takes a core besides; how many workers one master can take was not measured",
        *found.warnings,
    ]
    for line in lines:
        console.print(f"- {line}", highlight=False, markup=False)


def shown(need: Need) -> str:
    """A need in the unit a person would choose."""
    if need.unit == "B":
        return size(need.value)
    if need.unit == "B/s":
        return f"{size(need.value)}/s"
    if need.unit == "bit/s":
        return _bits(need.value)
    return f"{need.value:,}{'/s' if need.unit == '1/s' else ''}"


def _bits(value: float) -> str:
    for unit in ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"):
        if value < 1000 or unit == "Tbit/s":
            break
        value /= 1000
    return f"{value:,.3g} {unit}"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(
            column,
            header_style="dim",
            overflow="fold",
            justify="right" if number == 1 else "left",
            no_wrap=number == 1,
        )
    return table
