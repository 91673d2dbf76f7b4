"""The steps of a search for the peak: success and latency against the arrival rate, and the interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from reports import peak_wording
from reports.findings import ObjectiveFinding, Percentile
from reports.peak_findings import PeakFindings, StepFindings
from reports.plots import style
from reports.plots.axis import SECOND, EndLabel, end_labels, latency_ticks, share_ticks
from reports.render import units, wording
from scenarios.peak_search import Outcome

_MARKS: dict[Outcome, tuple[str, str]] = {
    "held": ("o", style.GREEN),
    "broke": ("X", style.VERMILLION),
    "undecided": ("s", style.PAPER),
    "unsound": ("D", style.PAPER),
    "blind": ("D", style.PAPER),
}
"""Outcome -> shape and filling."""

_MARKED = (("o", style.GREEN, "held"), ("X", style.VERMILLION, "broke"), ("D", style.PAPER, "not judged"))

_LOWEST_SHARES = (0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.6, 0.5, 0.0)
"""Where the axis of a success rate may begin."""


@dataclass(frozen=True, slots=True)
class _Point:
    """A figure of a step with its interval; ``math.inf`` where it falls on a payment without an answer."""

    rate: float
    value: float
    low: float
    high: float
    outcome: Outcome


def peak(found: PeakFindings, narrow: bool = False) -> style.Plot:
    """Success rate above, 95th and 99th percentile of latency below, each with its 95% interval."""
    with style.styled():
        heights = (1.7, 2.7)
        figure = style.new_figure(style.NARROW if narrow else style.WIDE * 0.8, sum(heights) + 1.5)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
        style.headline(figure, found.headline, 11 if narrow else 12.5)
        steps = [step for step in found.steps if step.payments]
        if steps:
            _success(above, found, steps, heights[0])
            _latency(below, found, steps, heights[1], narrow)
            for axes in (above, below):
                _interval(axes, found)
            _rates(below, steps, narrow)
        else:
            style.empty(above, "no step was played to its end")
            style.empty(below, "no step was played to its end")
        name = "peak-narrow" if narrow else "peak"
        return style.save(figure, name, alt_text(found), png=not narrow)


def alt_text(found: PeakFindings) -> str:
    """The figure in words."""
    said = [
        f"{peak_wording.rate(step.achieved)}: success {units.share(step.success.value)}, p95 "
        f"{peak_wording.percentile(step.p95)}, p99 {peak_wording.percentile(step.p99)}, "
        f"{peak_wording.OUTCOMES[step.outcome]}."
        for step in sorted(found.steps, key=lambda step: step.rate)
    ]
    return " ".join([f"Success rate and latency against the arrival rate. {found.headline}.", *said])


def _success(axes: Axes, found: PeakFindings, steps: Sequence[StepFindings], height: float) -> None:
    points = [
        _Point(step.achieved, rate.value, rate.low, rate.high, step.outcome)
        for step in steps
        if (rate := step.success).value is not None and rate.low is not None and rate.high is not None
    ]
    goals = [goal for goal in found.steps[0].objectives if goal.name == "success_rate"]
    least = min([*(point.low for point in points), *(goal.target for goal in goals)])
    share_ticks(axes, next(low for low in _LOWEST_SHARES if low <= least))
    style.caption(axes, "Success rate")
    _series(axes, points, style.BLUE, 1.0)
    _goals(axes, goals, lambda goal: goal.target, height)
    if found.steps:
        shapes = [
            Line2D([], [], marker=mark, ls="", mfc=fill, mec=style.INK, mew=0.7, ms=6, label=words)
            for mark, fill, words in _MARKED
        ]
        axes.legend(handles=shapes, loc="lower left", frameon=False, fontsize=8, labelcolor=style.MUTED)


def _latency(
    axes: Axes, found: PeakFindings, steps: Sequence[StepFindings], height: float, narrow: bool
) -> None:
    rows = (
        ([_seconds(step, step.p99) for step in steps], style.PURPLE, "p99"),
        ([_seconds(step, step.p95) for step in steps], style.BLUE, "p95"),
    )
    goals = [goal for goal in found.steps[0].objectives if goal.name.startswith("latency_")]
    known = [
        value
        for points, _, _ in rows
        for point in points
        for value in (point.value, point.low, point.high)
        if 0 < value < math.inf
    ] + [goal.target / SECOND for goal in goals]
    low, high = min(known, default=0.05) / 1.5, max(known, default=1.0) * 1.8
    latency_ticks(axes, low, high)
    style.caption(axes, "Latency", "" if narrow else "from the due time; bars are 95% intervals")
    labels = []
    for points, colour, name in rows:
        _series(axes, points, colour, high / 1.12)
        last = max(points, key=lambda point: point.rate)
        labels.append(EndLabel(min(last.value, high / 1.12), name, style.TEXT_OF[colour]))
    _goals(axes, goals, lambda goal: goal.target / SECOND, height, labels)


def _seconds(step: StepFindings, found: Percentile) -> _Point:
    value, low, high = (
        math.inf if ns is None else ns / SECOND for ns in (found.value_ns, found.low_ns, found.high_ns)
    )
    return _Point(step.achieved, value, value if math.isinf(low) else low, high, step.outcome)


def _series(axes: Axes, points: Sequence[_Point], colour: str, ceiling: float) -> None:
    """A mark for each step with its interval, over a thin line from rate to rate. What is beyond the ceiling
    is drawn there, with an arrow."""
    ordered = sorted(points, key=lambda point: point.rate)
    axes.plot(
        [point.rate for point in ordered],
        [min(point.value, ceiling) for point in ordered],
        color=colour,
        lw=1.0,
        alpha=0.55,
    )
    for point in ordered:
        value = min(point.value, ceiling)
        axes.plot([point.rate] * 2, [min(point.low, ceiling), min(point.high, ceiling)], color=colour, lw=1.6)
        if point.value > ceiling:
            axes.plot([point.rate], [ceiling * 1.06], marker="^", color=colour, ms=5, clip_on=False)
        mark, fill = _MARKS[point.outcome]
        axes.plot([point.rate], [value], marker=mark, ms=7, mfc=fill, mec=colour, mew=1.1, ls="", zorder=3)


def _goals(
    axes: Axes,
    goals: Sequence[ObjectiveFinding],
    at: Callable[[ObjectiveFinding], float],
    height: float,
    labels: Sequence[EndLabel] = (),
) -> None:
    wanted = list(labels)
    for goal in goals:
        axes.axhline(at(goal), color=style.INK, lw=1.0, ls=(0, (6, 3)))
        what = wording.words(goal.name).removeprefix("latency ").removesuffix(" rate")
        wanted.append(EndLabel(at(goal), f"{what} {wording.target(goal)}", style.INK))
    end_labels(axes, wanted, height)


def _interval(axes: Axes, found: PeakFindings) -> None:
    low, high = found.low, found.high
    if low is not None and high is not None:
        axes.axvspan(low.achieved, high.achieved, color=style.ORANGE, alpha=0.16, lw=0)
    if low is not None:
        axes.axvline(low.achieved, color=style.GREEN, lw=1.1)
    if high is not None:
        colour = style.VERMILLION if high.kind == "broke" else style.MUTED
        axes.axvline(high.achieved, color=colour, lw=1.1, ls=(0, (4, 2)))


def _rates(axes: Axes, steps: Sequence[StepFindings], narrow: bool) -> None:
    """A log axis from the lowest to the highest rate that was played."""
    rates = [max(step.achieved, 0.01) for step in steps]
    low, high = min(rates) / 1.12, max(rates) * 1.12
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    powers = range(-2, 8)
    for multiples in ((1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7), (1, 2, 5), (1,)):
        ticks = [m * 10.0**p for p in powers for m in multiples if low <= m * 10.0**p <= high]
        if len(ticks) <= (5 if narrow else 9):
            break
    if len(ticks) < 2:
        ticks = [low * 1.12, high / 1.12]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: peak_wording.rate(x)))
    axes.set_xlabel("payments sent per second (achieved)", size=9)
