"""The load generator's own record: how late it sent what was due."""

from __future__ import annotations

import numpy as np

from reports.findings import Generator
from reports.plots import style
from reports.plots.axis import SECOND, EndLabel, end_labels, latency_ticks, time_axis
from reports.render import units
from reports.series import Series

LIMIT = 0.1
"""Seconds of p99 lateness beyond which a generator is not sound."""


def lateness(generator: Generator, series: Series, narrow: bool = False) -> style.Plot:
    """Median, 99th percentile and maximum of lateness per bin, against the limit of a sound generator."""
    with style.styled():
        height = 1.7
        figure = style.new_figure(style.NARROW if narrow else style.WIDE * 0.8, height + 1.0)
        axes = figure.subplots()
        style.headline(figure, _finding(generator), 11 if narrow else 12.5)
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
        time_axis(axes, float(series.edges[-1]), narrow, label=True)
        end_labels(axes, labels, height)
        name = "lateness-narrow" if narrow else "lateness"
        return style.save(figure, name, alt_text(generator), png=not narrow)


def _finding(generator: Generator) -> str:
    if generator.lateness_p99_ns is None:
        return "The load generator sent nothing"
    p99 = units.duration(generator.lateness_p99_ns)
    if generator.never_sent:
        unsent = units.plural(generator.never_sent, "payment")
        return f"The generator was late by {p99} (p99), and never sent {unsent}"
    return f"The generator sent 99 of 100 payments at most {p99} late"


def alt_text(generator: Generator) -> str:
    """The figure in words."""
    if generator.lateness_p99_ns is None:
        return "Lateness of the load generator without data: it sent nothing."
    return (
        f"Lateness of the load generator over time: median {units.duration(generator.lateness_p50_ns)}, "
        f"99th percentile {units.duration(generator.lateness_p99_ns)}, "
        f"at most {units.duration(generator.lateness_max_ns)}; the limit is "
        f"{units.duration(LIMIT * SECOND)} for the 99th percentile."
    )
