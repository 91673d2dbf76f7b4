"""The panels of the timeline, from top to bottom. All of them share the time axis."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from reports.findings import Findings
from reports.payments import Ints
from reports.plots import style
from reports.plots.axis import SECOND, EndLabel, end_labels, latency_ticks, share_ticks
from reports.plots.lanes import THINNEST, draw, joined, lanes_of
from reports.plots.story import Story
from reports.render import units, wording
from reports.series import Floats

MONTH_NS = 30 * 86_400 * SECOND


def throughput(axes: Axes, story: Story, narrow: bool, height: float) -> None:
    """Offered against achieved; the gap between them is shaded, what was never sent apart."""
    series = story.series
    style.caption(
        axes, "Payments per second", "" if narrow else "due (offered), and succeeded as planned (achieved)"
    )
    offered, sent, good = (n / series.lengths for n in (series.due, series.sent, series.good))
    top = max(float(offered.max()), 1.0) * (
        1.42 if story.findings.faults or story.findings.maintenance else 1.15
    )
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: units.count(y)))
    x = _steps(series.edges)
    tops, mids, lows = (_levels(rate) for rate in (offered, sent, good))
    axes.fill_between(x, lows, color=style.BLUE, alpha=0.16, lw=0)
    axes.fill_between(
        x,
        lows,
        mids,
        facecolor=style.VERMILLION,
        alpha=0.55,
        hatch="////",
        edgecolor=style.VERMILLION_TEXT,
        lw=0,
    )
    axes.fill_between(x, mids, tops, facecolor=style.GREY, alpha=0.7, hatch="xx", edgecolor=style.MUTED, lw=0)
    axes.plot(x, tops, color=style.INK, lw=1.1)
    axes.plot(x, lows, color=style.BLUE, lw=1.6)
    missed = int((series.sent - series.good).sum())
    unsent = int((series.due - series.sent).sum())
    labels = [
        EndLabel(float(offered[-1]), "offered", style.INK),
        EndLabel(float(good[-1]), "achieved", style.BLUE_TEXT),
    ]
    if missed:
        labels.append(
            EndLabel(top * 0.28, f"gap: {units.count(missed)}\nfailed or late", style.VERMILLION_TEXT)
        )
    if unsent:
        what = "never sent" if unsent == story.findings.generator.never_sent else "not seen"
        labels.append(EndLabel(top * 0.08, f"{units.count(unsent)} {what}", style.MUTED))
    end_labels(axes, labels, height)


def latency(axes: Axes, story: Story, narrow: bool, height: float) -> None:
    """The band from the median to the 99th percentile, on a log axis."""
    series = story.series
    style.caption(
        axes,
        "Latency",
        "" if narrow else f"median to 99th percentile of each {series.every}, counted from the due time",
    )
    x = _steps(series.edges)
    p50, p99 = _levels(series.p50), _levels(series.p99)
    finite = np.concatenate([v[np.isfinite(v)] for v in (series.p50, series.p99)] or [np.array([])])
    known = finite[finite > 0] if len(finite) else finite
    target = [story.latency_target[1]] if story.latency_target else []
    low = min([float(known.min()) if len(known) else 0.01, *target]) / 1.5
    high = max([float(known.max()) if len(known) else 1.0, *target]) * 1.7
    lost = np.isinf(series.p99)
    if lost.any():
        high = max(high, story.timeout * 1.5)
    latency_ticks(axes, low, high)
    ceiling = np.where(np.isinf(p99), high, p99)
    axes.fill_between(x, np.where(np.isinf(p50), high, p50), ceiling, color=style.SKY, alpha=0.38, lw=0)
    axes.plot(x, np.where(np.isinf(p99), np.nan, p99), color=style.SKY, lw=1.2)
    axes.plot(x, np.where(np.isinf(p50), np.nan, p50), color=style.BLUE, lw=1.7)
    labels = []
    if lost.any():
        top = np.full(int(lost.sum()), high / 1.12)
        axes.plot(series.middles[lost], top, ls="", marker="^", ms=5, color=style.VERMILLION, clip_on=False)
        labels.append(EndLabel(high / 1.12, "▲ no answer", style.VERMILLION_TEXT))
    for values, text, colour in ((series.p99, "p99", style.SKY_TEXT), (series.p50, "p50", style.BLUE_TEXT)):
        some = values[np.isfinite(values)]
        if len(some):
            labels.append(EndLabel(float(some[-1]), f"{text} {units.duration(some[-1] * SECOND)}", colour))
    if story.latency_target:
        text, seconds = story.latency_target
        axes.axhline(seconds, color=style.INK, lw=1.0, ls=(0, (6, 3)))
        labels.append(EndLabel(seconds, text, style.INK))
    end_labels(axes, labels, height)


def success(axes: Axes, story: Story, narrow: bool, height: float) -> None:
    """The success rate against its objective, and the bad slices."""
    series = story.series
    style.caption(
        axes,
        "Success rate",
        "" if narrow else f"of the payments due in each {series.every}; bad slices marked below",
    )
    rate = series.success
    seen = rate[np.isfinite(rate)]
    worst = min(float(seen.min()) if len(seen) else 1.0, story.success_target)
    share_ticks(axes, next(low for low in (0.9, 0.8, 0.6, 0.5, 0.0) if worst >= low))
    x, y = _steps(series.edges), _levels(rate)
    axes.fill_between(x, y, np.where(np.isnan(y), np.nan, 1.0), color=style.VERMILLION, alpha=0.35, lw=0)
    axes.plot(x, y, color=style.GREEN, lw=1.7)
    axes.axhline(story.success_target, color=style.INK, lw=1.0, ls=(0, (6, 3)))
    measured, cut = story.findings.availability.measured, story.findings.availability.slices
    bad_ns, unobserved_ns = measured.bad_ns, measured.unobserved_ns
    for pieces, colour, hatch in (
        ([piece for piece in cut if piece.bad], style.VERMILLION, "////"),
        ([piece for piece in cut if not piece.observed], style.GREY, "xx"),
    ):
        for piece in joined(pieces):
            axes.axvspan(
                piece.start,
                max(piece.stop, piece.start + THINNEST * float(series.edges[-1])),
                0,
                0.085,
                facecolor=colour,
                hatch=hatch,
                edgecolor=style.INK,
                lw=0,
                zorder=3,
            )
    labels = [
        EndLabel(
            story.success_target,
            f"{'goal' if narrow else 'objective'} {units.target_share(story.success_target)}",
            style.INK,
        )
    ]
    if len(seen):
        labels.append(EndLabel(float(seen[-1]), units.share(float(seen[-1])), style.GREEN_TEXT))
    if bad_ns:
        labels.append(
            EndLabel(axes.get_ylim()[0], f"bad for {units.duration(bad_ns)}", style.VERMILLION_TEXT)
        )
    if unobserved_ns:
        text = f"not seen for {units.duration(unobserved_ns)}"
        labels.append(EndLabel(axes.get_ylim()[0], text, style.MUTED))
    end_labels(axes, labels, height)


def lanes(axes: Axes, story: Story, narrow: bool, height: float) -> None:
    """Truth and belief, in rows; see ``reports.plots.lanes``."""
    rows = lanes_of(story.findings, story.gateways)
    draw(axes, rows, float(story.series.edges[-1]), narrow)


_HATCHES = ("", "//", "..", "\\\\", "xx", "oo")


def traffic(axes: Axes, story: Story, narrow: bool, height: float) -> None:
    """Which gateway answered, as parts of the whole."""
    series = story.series
    style.caption(
        axes, "Share of traffic", "" if narrow else "by the gateway that the platform named in its answer"
    )
    axes.set_ylim(0, 1)
    axes.grid(False)
    axes.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: units.target_share(y)))
    named = [name for name in story.gateways if name in series.by_gateway]
    named += [name for name in series.by_gateway if name not in named and name]
    order = named + [name for name in series.by_gateway if not name]
    shares = series.shares
    base = np.zeros(2 * len(series.due))
    x = _steps(series.edges)
    labels = []
    for at, name in enumerate(order):
        colour = style.SERIES[at % len(style.SERIES)] if name else style.GREY
        top = base + _levels(shares[name])
        axes.fill_between(
            x,
            base,
            top,
            facecolor=colour,
            alpha=0.5,
            hatch=_HATCHES[at % len(_HATCHES)],
            edgecolor=style.PAPER,
            lw=0,
        )
        total = int(series.by_gateway[name].sum())
        part = total / max(sum(int(n.sum()) for n in series.by_gateway.values()), 1)
        text = f"{style.label(wording.proper(name)) if name else 'none named'} {100 * part:.0f}%"
        middle = (base[-1] + top[-1]) / 2 if top[-1] > base[-1] else 0.5
        labels.append(EndLabel(float(middle), text, style.TEXT_OF.get(colour, style.INK)))
        base = top
    if not order:
        style.empty(axes, "no payment was answered")
    end_labels(axes, labels, height)


def budget(axes: Axes, story: Story, narrow: bool, height: float) -> None:
    """Budget left in the month, after each bad second, for one such incident and for as many as declared."""
    findings = story.findings
    target = findings.budget.target if findings.budget else 0.999
    budget = (1 - target) * MONTH_NS / SECOND / 60
    note = (
        ""
        if narrow
        else f"a month at {units.target_share(target)} allows {units.minutes(budget)} of bad service"
    )
    style.caption(axes, "Error budget left, minutes" if narrow else "Error budget left", note)
    end = float(story.series.edges[-1])
    xs, used = [0.0], [0.0]
    for start, stop in net_bad(findings):
        xs += [start, stop]
        used += [used[-1], used[-1] + (stop - start) / 60]
    xs.append(end)
    used.append(used[-1])
    spent = np.array(used)
    incidents = findings.budget.incidents_per_month if findings.budget else None
    each = max(len(findings.incidents), 1)
    one = "one incident" if findings.faults else "this drill"
    lines = [("once" if narrow else one, 1 / each, style.BLUE, style.BLUE_TEXT)]
    if incidents is not None and incidents > 1:
        many = f"{incidents:g} times" if narrow else f"{incidents:g} a month"
        lines.append((many, incidents / each, style.PURPLE, style.PURPLE_TEXT))
    deepest = max(float(spent[-1]) * factor for _, factor, _, _ in lines)
    room = max(deepest, budget * 0.002)
    axes.set_ylim(budget - room * 1.25, budget + room * 0.35)
    axes.yaxis.set_major_locator(FixedLocator([budget - deepest, budget] if deepest else [budget]))
    digits = 1 if deepest >= 1 or not deepest else 2 if deepest >= 0.1 else 3
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:.{digits}f}{'' if narrow else ' min'}"))
    labels = []
    for text, factor, colour, ink in lines:
        left = budget - spent * factor
        axes.fill_between(xs, left, budget, color=colour, alpha=0.15, lw=0)
        axes.plot(xs, left, color=colour, lw=1.8)
        share = float(spent[-1]) * factor / budget if budget else float("inf")
        part = f"{100 * share:.2g}%" if share < 1 else f"{100 * share:,.0f}%"
        labels.append(EndLabel(float(left[-1]), f"{text}: {part}{'' if narrow else ' used'}", ink))
    end_labels(axes, labels, height)


def net_bad(findings: Findings) -> list[tuple[float, float]]:
    """Bad slices in seconds without the part of them that was under announced maintenance."""
    out = []
    for piece in findings.availability.slices:
        if piece.bad and piece.stop_ns - piece.start_ns > piece.excluded_ns:
            start = piece.start_ns / SECOND
            out.append((start, start + (piece.stop_ns - piece.start_ns - piece.excluded_ns) / SECOND))
    return out


def _steps(edges: Floats) -> Floats:
    """The x of a line that is level over each bin."""
    return np.repeat(edges, 2)[1:-1]


def _levels(values: Floats | Ints) -> Floats:
    """The y of that line."""
    return np.repeat(values.astype(np.float64), 2)
