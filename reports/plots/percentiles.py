"""Latency against percentile, on an axis that gives every further nine the same room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import FixedLocator

from reports.plots import style
from reports.plots.axis import SECOND, EndLabel, end_labels, latency_ticks
from reports.render import units
from reports.series import Floats
from reports.tail import Tail

NINES = (0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


def percentiles(tails: Sequence[Tail], target: tuple[str, float] | None, narrow: bool = False) -> style.Plot:
    """Draw one line per part of the payments, each with its 95% band.

    Args:
        tails: At most four; those without payments are left out.
        target: A latency objective as its words and seconds, if there is one.
    """
    drawn = [tail for tail in tails if tail.n]
    with style.styled():
        height = 3.4
        figure = style.new_figure(style.NARROW if narrow else style.WIDE * 0.8, height + 0.9)
        axes = figure.subplots()
        style.headline(figure, _finding(drawn), 11 if narrow else 12.5)
        known = np.concatenate([t.value[np.isfinite(t.value)] for t in drawn] or [np.array([0.05, 1.0])])
        known = known[known > 0] if (known > 0).any() else np.array([0.05, 1.0])
        # The fastest tenth would take half of the log axis, and nobody complains about it.
        tenths = [_at(tail, 0.1) for tail in drawn if np.isfinite(_at(tail, 0.1))]
        known = known[known >= min(tenths, default=0.0)]
        limits = [float(known.min()), float(known.max()), *([target[1]] if target else [])]
        low, high = min(limits) / 1.4, max(limits) * 1.8
        latency_ticks(axes, low, high)
        right = max([_tail_scale(t.q)[-1] for t in drawn] or [2.0])
        axes.set_xlim(_tail_scale(np.array([0.1]))[0], right)
        shown = [q for q in NINES if _tail_scale(np.array([q]))[0] <= right]
        axes.xaxis.set_major_locator(FixedLocator([float(_tail_scale(np.array([q]))[0]) for q in shown]))
        axes.set_xticklabels([f"p{100 * q:g}" for q in shown])
        note = "band: 95% interval; thin: too few payments for one"
        axes.set_xlabel(f"percentile of payments{chr(10) if narrow else ' '}({note})", size=9)
        axes.grid(True, axis="x")
        labels = []
        for tail, colour, dash in zip(drawn, _COLOURS, _DASHES, strict=False):
            x = _tail_scale(tail.q)
            finite = np.isfinite(tail.value)
            bounded = finite & ~np.isnan(tail.high)
            bottom, top = np.maximum(np.nan_to_num(tail.low, nan=low), low), np.minimum(tail.high, high)
            axes.fill_between(x, bottom, top, where=list(bounded), color=colour, alpha=0.16, lw=0)
            axes.plot(x, np.where(bounded, tail.value, np.nan), color=colour, lw=2.0, ls=dash)
            axes.plot(x, np.where(finite & ~bounded, tail.value, np.nan), color=colour, lw=0.9)
            if tail.unanswered and finite.any():
                # From here on nobody answered: the line leaves the figure upwards.
                edge = x[finite][-1]
                axes.plot([edge, edge], [tail.value[finite][-1], high], color=colour, lw=1.2, ls=":")
                axes.plot([edge], [high / 1.06], marker="^", color=colour, ms=6, clip_on=False)
            last = float(tail.value[finite][-1]) if finite.any() else high
            text = tail.name + (f"\n{units.count(tail.unanswered)} unanswered" if tail.unanswered else "")
            labels.append(EndLabel(last, text, style.TEXT_OF[colour]))
        if target:
            axes.axhline(target[1], color=style.INK, lw=1.0, ls=(0, (6, 3)))
            labels.append(EndLabel(target[1], target[0], style.INK))
        if not drawn:
            axes.text(
                0.5, 0.5, "no payment was sent", transform=axes.transAxes, ha="center", color=style.MUTED
            )
        end_labels(axes, labels, height * 0.8)
        return style.save(
            figure, "percentiles-narrow" if narrow else "percentiles", alt_text(drawn), png=not narrow
        )


def _tail_scale(q: Floats) -> Floats:
    return -np.log10(1 - q)


def _at(tail: Tail, q: float) -> float:
    return float(tail.value[int(np.searchsorted(tail.q, min(q, tail.q[-1])))])


def _finding(tails: Sequence[Tail]) -> str:
    if not tails:
        return "No latency was measured"
    named = len(tails) > 1
    within = [_within(tail) + (f" {tail.name}" if named else "") for tail in tails]
    return f"99 of 100 payments answered {units.listing(within)}"


def _within(tail: Tail) -> str:
    p99 = _at(tail, 0.99)
    return f"within {units.duration(p99 * SECOND)}" if np.isfinite(p99) else "never"


def alt_text(tails: Sequence[Tail]) -> str:
    """The figure in words."""
    if not tails:
        return "Percentile plot without data: no payment was sent."
    parts = ["Latency against percentile, with 95% bands."]
    for tail in tails:
        p50, p99 = (units.duration(_at(tail, q) * SECOND) for q in (0.5, 0.99))
        text = f"{tail.name}: median {p50}, 99th percentile {p99}, {units.plural(tail.n, 'payment')}"
        parts.append(
            text + (f", {units.count(tail.unanswered)} without an answer." if tail.unanswered else ".")
        )
    return " ".join(parts)
