"""The load generator's own record: what it sent of what was due, how late, and what it used for that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from reports.findings import Generator
from reports.load_processes import Samples
from reports.plots import style
from reports.plots.axis import SECOND, EndLabel, end_labels, latency_ticks, time_axis
from reports.render import units
from reports.series import Series

LIMIT = 0.1
"""Seconds of p99 lateness beyond which a generator is not sound."""

_INCHES = 1.35


def lateness(
    generator: Generator, series: Series, processes: Sequence[Samples] = (), narrow: bool = False
) -> style.Plot:
    """Three panels over time: payments sent against due; median, 99th percentile and maximum of lateness
    against the limit of a sound generator; and, where load processes recorded it, the CPU that they used and
    waited for."""
    panels = 3 if processes else 2
    with style.styled():
        height = _INCHES * panels + (1.25 if narrow else 1.1)
        figure = style.new_figure(style.NARROW if narrow else style.WIDE * 0.8, height)
        rows: list[Axes] = list(figure.subplots(panels, 1, sharex=True))
        style.headline(figure, _finding(generator), 11 if narrow else 12.5)
        _rates(rows[0], series, narrow)
        _late(rows[1], series, narrow)
        if processes:
            _cpu(rows[2], processes, narrow)
        for axes in rows:
            time_axis(axes, float(series.edges[-1]), narrow, label=axes is rows[-1])
        # Only lateness goes by due times; the other panels go by the clock.
        bottom = rows[-1].xaxis.label
        bottom.set_text(bottom.get_text().partition(",")[0])
        name = "lateness-narrow" if narrow else "lateness"
        return style.save(figure, name, alt_text(generator), png=not narrow)


def _rates(axes: Axes, series: Series, narrow: bool) -> None:
    style.caption(axes, "Payments per second", "" if narrow else "due (offered), and sent (achieved)")
    offered, achieved = series.due / series.lengths, series.left / series.lengths
    top = max(float(offered.max()), float(achieved.max()), 1.0) * 1.15
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: units.count(y)))
    x = np.repeat(series.edges, 2)[1:-1]
    axes.fill_between(x, np.repeat(achieved, 2), color=style.BLUE, alpha=0.22, lw=0)
    axes.plot(x, np.repeat(achieved, 2), color=style.BLUE, lw=1.5)
    axes.plot(x, np.repeat(offered, 2), color=style.INK, lw=1.0)
    labels = [
        EndLabel(float(offered[-1]), "offered", style.INK),
        EndLabel(float(achieved[-1]), "achieved", style.BLUE_TEXT),
    ]
    end_labels(axes, labels, _INCHES)


def _late(axes: Axes, series: Series, narrow: bool) -> None:
    style.caption(axes, "Lateness", "" if narrow else "how long after its due time a payment was sent")
    rows = (
        (series.late_max, "most", style.GREY),
        (series.late_p99, "p99", style.ORANGE),
        (series.late_p50, "p50", style.BLUE),
    )
    known = np.concatenate([values[np.isfinite(values) & (values > 0)] for values, _, _ in rows])
    low = max(float(known.min()) if len(known) else 1e-3, 1e-5) / 1.5
    high = max(float(known.max()) if len(known) else LIMIT, LIMIT) * 1.7
    latency_ticks(axes, low, high)
    x = np.repeat(series.edges, 2)[1:-1]
    labels = [EndLabel(LIMIT, "limit of p99", style.INK)]
    axes.axhline(LIMIT, color=style.INK, lw=1.0, ls=(0, (6, 3)))
    for values, text, colour in rows:
        # A payment can be sent within the clock's tick of its due time; the log axis has no zero.
        axes.plot(x, np.repeat(np.maximum(values, low), 2), color=colour, lw=1.5)
        some = values[np.isfinite(values)]
        if len(some):
            labels.append(EndLabel(max(float(some[-1]), low), text, style.TEXT_OF[colour]))
    end_labels(axes, labels, _INCHES)


def _cpu(axes: Axes, processes: Sequence[Samples], narrow: bool) -> None:
    note = "of one core, each second" if len(processes) == 1 else "of one core each, every second"
    style.caption(axes, "CPU of the load", "" if narrow else note)
    top, ends = 1.0, []
    for samples in processes:
        length = np.maximum(samples.interval_ns, 1)
        x = np.column_stack((samples.at_ns - samples.interval_ns, samples.at_ns)).ravel() / SECOND
        used = samples.cpu_share
        wanted = used + samples.waited_ns / length
        thin = 1.5 if len(processes) == 1 else 0.9
        axes.fill_between(
            x,
            np.repeat(used, 2),
            np.repeat(wanted, 2),
            facecolor=style.VERMILLION,
            alpha=0.3 / len(processes) ** 0.5,
            lw=0,
        )
        axes.plot(x, np.repeat(used, 2), color=style.BLUE, lw=thin)
        # Intervals may be very short at the edges, where a share means little.
        top = max(top, float(wanted[samples.interval_ns > SECOND // 4].max(initial=0.0)))
        ends.append((float(used[-1]), float(wanted[-1])))
    axes.set_ylim(0, top * 1.12)
    axes.axhline(1.0, color=style.INK, lw=1.0, ls=(0, (6, 3)))
    axes.yaxis.set_major_locator(FixedLocator([0, 0.5, 1.0]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: units.target_share(y)))
    used_last, wanted_last = max(ends)
    labels = [
        EndLabel(1.0, "a whole core", style.INK),
        EndLabel(used_last, "used", style.BLUE_TEXT),
        EndLabel(min(wanted_last, top), "waited for", style.VERMILLION_TEXT),
    ]
    end_labels(axes, labels, _INCHES)


def _finding(generator: Generator) -> str:
    if generator.lateness_p99_ns is None:
        return "The load generator sent nothing"
    p99 = units.duration(generator.lateness_p99_ns)
    missed = [
        f"{verb} {units.plural(count, 'payment')}"
        for verb, count in (("never sent", generator.never_sent), ("lost", generator.lost))
        if count
    ]
    if missed:
        return f"The generator was late by {p99} (p99), and {units.listing(missed)}"
    return f"The generator sent 99 of 100 payments at most {p99} late"


def alt_text(generator: Generator) -> str:
    """The figure in words."""
    if generator.lateness_p99_ns is None:
        return "Lateness of the load generator without data: it sent nothing."
    text = (
        f"Lateness of the load generator over time: median {units.duration(generator.lateness_p50_ns)}, "
        f"99th percentile {units.duration(generator.lateness_p99_ns)}, "
        f"at most {units.duration(generator.lateness_max_ns)}; the limit is "
        f"{units.duration(LIMIT * SECOND)} for the 99th percentile. Above it, payments sent against due: at "
        f"most {units.count(generator.peak_offered)} were due in a second, and "
        f"{units.count(generator.peak_achieved)} sent."
    )
    if generator.processes:
        busiest = max(generator.processes, key=lambda one: one.cpu_share_max)
        text += (
            f" Below it, the CPU of the load processes: {busiest.name} used up to "
            f"{units.share(busiest.cpu_share_max)} of a core in a second."
        )
    return text
