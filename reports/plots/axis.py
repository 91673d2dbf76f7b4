"""What the panels of a figure share: the time axis, windows across it, and labels at the ends of lines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from reports.plots import style
from reports.render import units

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the time axis, in seconds, that stands behind every panel."""

    start: float
    stop: float
    label: str
    maintenance: bool = False


def windows(axes: Axes, spans: Sequence[Window], tinted: bool = True) -> None:
    """Faults as tinted spans with their edges drawn, maintenance as a grey hatched one.

    ``tinted=False`` draws the edges only, for panels whose own colours would change under the tint.
    """
    for span in spans:
        if span.maintenance:
            axes.axvspan(
                span.start,
                span.stop,
                facecolor=style.GREY,
                alpha=0.22,
                hatch="..",
                edgecolor=style.MUTED,
                lw=0,
            )
            continue
        if tinted:
            axes.axvspan(span.start, span.stop, facecolor=style.VERMILLION, alpha=0.09, lw=0)
        for edge in (span.start, span.stop):
            axes.axvline(edge, color=style.VERMILLION, lw=0.9, ls=(0, (4, 2)), alpha=0.8)


def time_axis(axes: Axes, end: float, narrow: bool, label: bool) -> None:
    """Seconds, or minutes and seconds where there are many, from 0 to ``end``."""
    axes.set_xlim(0, end)
    if end > 180:
        steps = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400]
        step = next((s for s in steps if end / s <= (5 if narrow else 10)), steps[-1])
        axes.xaxis.set_major_locator(FixedLocator(list(np.arange(0, end + 1e-9, step))))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: units.clock(x)))
        unit = "minutes:seconds"
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 10, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        unit = "seconds"
    if label:
        what = (
            "since the load began"
            if narrow
            else "since the load began, by the time at which a payment was due"
        )
        axes.set_xlabel(f"{unit} {what}", color=style.MUTED, size=9)


def share_ticks(axes: Axes, low: float) -> None:
    """Per cent from ``low`` to 100 on the y axis, with room above for the line."""
    axes.set_ylim(low - (1 - low) * 0.04, 1 + (1 - low) * 0.09)
    axes.yaxis.set_major_locator(FixedLocator([low, (low + 1) / 2, 1.0]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: units.target_share(y)))


def latency_ticks(axes: Axes, low: float, high: float) -> None:
    """A log axis of seconds with ticks a person would choose (1, 2, 5 of a decade; whole decades if many)."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    powers = range(-6, 5)
    ticks = [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    if len(ticks) > 5:
        ticks = [10.0**p for p in powers if low <= 10.0**p <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: tick_duration(y)))


def tick_duration(seconds: float) -> str:
    """0.2 -> ``200 ms``, 5 -> ``5 s``; no more digits than the tick has."""
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"


@dataclass(frozen=True, slots=True)
class EndLabel:
    """Words beside the right end of a line, at the height ``y`` in data units."""

    y: float
    text: str
    colour: str


def end_labels(axes: Axes, labels: Sequence[EndLabel], panel_inches: float, size: float = 9.0) -> None:
    """Write the labels at the right edge, moved apart where their lines end close to each other.

    The limits and the scale of the y axis have to be set before.
    """
    if not labels:
        return
    heights = np.array([1 + label.text.count("\n") for label in labels]) * size * 1.3 / 72 / panel_inches
    to_axes = axes.transScale + axes.transLimits
    at = [float(np.clip(to_axes.transform((0.0, label.y))[1], 0.0, 1.0)) for label in labels]
    for label, y in zip(labels, _apart(at, list(heights)), strict=True):
        axes.annotate(
            label.text,
            (1.0, y),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            ha="left",
            size=size,
            color=label.colour,
            annotation_clip=False,
            linespacing=1.2,
        )


def _apart(wanted: list[float], heights: list[float]) -> list[float]:
    """Positions as near as simple pushing gets to the wanted ones, none overlapping; by the wanted order."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    at = list(wanted)
    for _ in range(60):
        for below, above in itertools.pairwise(order):
            lack = (heights[below] + heights[above]) / 2 - (at[above] - at[below])
            if lack > 1e-9:
                at[below] -= lack / 2
                at[above] += lack / 2
    return at
