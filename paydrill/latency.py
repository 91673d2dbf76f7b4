"""``paydrill latency``: answer times of one's own, for ``latency: {from: samples.csv}``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mocks.latency import interpolate
from paydrill.exits import USAGE, leave
from scenarios.measurements import UNITS, MeasurementError, read
from scenarios.quantities import format_duration

latency = typer.Typer(
    help="Answer times taken from one's own measurements.", no_args_is_help=True, rich_markup_mode="rich"
)

_FEW = 1000


@latency.callback()
def _latency() -> None:
    """Answer times taken from one's own measurements."""


@latency.command()
def sample(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Access logs.")],
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column, or JSON key (a.b goes deeper), of the duration."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(metavar="ns|us|ms|s", help="Of numbers whose column does not tell it.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the samples go.")] = Path("samples.csv"),
) -> None:
    """Read durations from access logs and write them to samples.csv.

    A log is CSV with a header, JSON lines, one duration a line, or a
    HdrHistogram log.
    Columns whose names tell what they are (request_time, duration_ms,
    latency_us, ...) are found by themselves.

    To get such a log, write down how long your own calls to the gateway
    take: time each call in your client and append the milliseconds to a
    file with the header duration_ms; or log them in the proxy that they
    leave through, in nginx with
    log_format calls escape=json '{"request_time": $request_time}';
    Take one gateway and one kind of call at a time, over a day at least,
    time-outs included. Measure the traffic that you have; don't load a
    gateway to measure it.

    Only the durations are written: no addresses, no keys, no card data.
    """
    if unit is not None and unit not in UNITS:
        leave(USAGE, f"--unit {unit}: must be one of {', '.join(UNITS)}")
    durations: list[int] = []
    skipped = 0
    try:
        for file in files:
            found = read(file, column, unit)
            durations += found.durations_ns
            skipped += found.skipped
    except MeasurementError as error:
        leave(USAGE, str(error))
    durations.sort()
    try:
        with out.open("w", encoding="utf-8") as written:
            written.write("duration_ns\n")
            written.writelines(f"{duration}\n" for duration in durations)
    except OSError as error:
        leave(USAGE, f"cannot write {out}: {error.strerror}; choose another file with --out")
    typer.echo(f"n    {len(durations):,}")
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        typer.echo(f"{name}  {format_duration(interpolate(durations, share))}")
    if skipped:
        typer.echo(f"{skipped:,} lines without a duration were left out", err=True)
    if len(durations) < _FEW:
        typer.echo(f"the p99 rests on fewer than {_FEW // 100} values; take {_FEW:,} calls or more", err=True)
    typer.echo(f"written to {out}; in a scenario: latency: {{from: {out}}}", err=True)
