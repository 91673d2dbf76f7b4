"""The timeline: what was asked, what came back, what truly happened, on one axis of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from reports.findings import Findings
from reports.plots import panels, style
from reports.plots.axis import SECOND, Window, time_axis, windows
from reports.plots.lanes import lanes_of
from reports.plots.story import Story, spans_of
from reports.render import units, wording


def timeline(story: Story, narrow: bool = False) -> style.Plot:
    """Draw the figure: 1600 px wide for a screen or a chat, or ``narrow`` for a phone."""
    with style.styled():
        stack: list[tuple[float, Callable[[Axes, Story, bool, float], None]]] = [
            (1.5, panels.throughput),
            (1.5, panels.latency),
            (1.15, panels.success),
            (0.32 + 0.25 * len(lanes_of(story.findings, story.gateways)), panels.lanes),
            (1.0, panels.traffic),
            (0.9, panels.budget),
        ]
        heights = [height for height, _ in stack]
        figure = style.new_figure(
            style.NARROW if narrow else style.WIDE, sum(heights) + 0.42 * len(heights) + 1.0
        )
        style.headline(figure, wording.headline(story.findings, story.refuge), 12 if narrow else 14)
        style.footer(figure, wording.source(story.findings.run, narrow))
        grid = figure.subplots(len(stack), 1, sharex=True, gridspec_kw={"height_ratios": heights})
        end = float(story.series.edges[-1])
        spans = spans_of(story.findings)
        for at, ((height, draw), axes) in enumerate(zip(stack, grid, strict=True)):
            windows(axes, spans, tinted=draw not in (panels.traffic, panels.lanes))
            draw(axes, story, narrow, height)
            _ends(axes, story.findings, named=at == 0)
            time_axis(axes, end, narrow, label=at == len(stack) - 1)
        _name_windows(grid[0], spans, end, narrow)
        name = "timeline-narrow" if narrow else "timeline"
        return style.save(figure, name, alt_text(story), png=not narrow)


def _name_windows(axes: Axes, spans: Sequence[Window], end: float, narrow: bool) -> None:
    """The names of faults and maintenance inside the top panel, in two rows where there are several."""
    for at, span in enumerate(spans):
        middle = (span.start + span.stop) / 2 / end
        where = "left" if middle < 0.15 else "right" if middle > 0.85 else "center"
        axes.text(
            {"left": span.start / end, "right": span.stop / end, "center": middle}[where],
            0.975 - 0.14 * (at % 2),
            span.label,
            transform=axes.transAxes,
            ha=where,
            va="top",
            size=8.5 if narrow else 9.5,
            weight="bold",
            color=style.MUTED if span.maintenance else style.VERMILLION_TEXT,
            bbox={"facecolor": style.PAPER, "alpha": 0.7, "lw": 0, "pad": 1.0},
        )


def _ends(axes: Axes, findings: Findings, named: bool) -> None:
    """A line where a child died or the run was cut short."""
    for mark in findings.marks:
        if mark.kind in ("died", "stopped", "aborted", "interrupted") and mark.at_ns >= 0:
            axes.axvline(mark.at_ns / SECOND, color=style.INK, lw=1.2, ls=":")
            if named and mark.at_ns < findings.run.load_end_ns:
                axes.annotate(
                    f"{style.label(mark.source)} {mark.kind}",
                    (mark.at_ns / SECOND, 0.02),
                    xycoords=("data", "axes fraction"),
                    xytext=(3, 0),
                    textcoords="offset points",
                    size=8.5,
                )


def alt_text(story: Story) -> str:
    """The figure in words."""
    findings, series = story.findings, story.series
    parts = [
        f"Timeline of the drill over {units.duration(series.edges[-1] * SECOND)}.",
        wording.headline(findings, story.refuge) + ".",
    ]
    peak = float((series.due / series.lengths).max())
    parts.append(f"Offered load peaked at {units.rate(peak)}.")
    rate = series.success[np.isfinite(series.success)]
    if len(rate):
        parts.append(f"The success rate of the worst {series.every} was {units.share(float(rate.min()))}.")
    bad = findings.availability.measured.bad_ns
    parts.append(f"Service was bad for {units.duration(bad)}." if bad else "No second of service was bad.")
    return " ".join(parts)
