"""The lanes of the timeline: what each gateway truly was, and below it what a probe believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from reports.findings import Findings, Slice
from reports.plots import style
from reports.plots.axis import SECOND
from reports.render import units, wording


class Stretch(NamedTuple):
    """From ``start`` to ``stop`` (seconds) it was not well; ``word`` says how: ``dark``, ``slow``."""

    start: float
    stop: float
    word: str


THINNEST = 0.004
"""Part of the axis that a stretch takes at least: a bad second of a long run has to be seen."""

_WORDS = {"outage": "dark", "latency": "slow", "http_error": "errors"}


@dataclass(frozen=True, slots=True)
class Lane:
    """One row, from the beginning of the load to its end.

    Attributes:
        subject: The gateway, ``platform``, or the URL that a probe watched.
        truth: Whether it stands on the records of gateways and faults, or on what a probe believed.
        down: When it was, or was believed to be, not well.
        note: Words at the end of the row.
    """

    subject: str
    truth: bool
    down: tuple[Stretch, ...]
    note: str


def lanes_of(findings: Findings, gateways: Sequence[str]) -> list[Lane]:
    """Truth and belief of every gateway and of the platform, in this order."""
    end = max(findings.run.load_end_ns, 1) / SECOND
    subjects = [*gateways, "platform"]
    watched = [probe.target for probe in findings.availability.probes]
    faulty = [fault.on for fault in findings.faults]
    subjects += sorted({name for name in [*watched, *faulty] if name not in subjects})
    lanes = []
    for subject in subjects:
        if subject in gateways or subject in faulty:
            lanes.append(_gateway(findings, subject, end))
        elif subject == "platform" and findings.availability.true is not None:
            lanes.append(_platform(findings, end))
        lanes += _beliefs(findings, subject, end)
    return lanes


def _gateway(findings: Findings, gateway: str, end: float) -> Lane:
    down = []
    for fault in findings.faults:
        if fault.on == gateway:
            word = style.label(_WORDS.get(fault.name, wording.words(fault.name)))
            for start_ns, stop_ns in fault.spells:
                down += _within(start_ns, stop_ns, end, word)
    apart = disjoint(down)
    return Lane(gateway, True, apart, _note(apart))


def disjoint(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Stretches that overlap, cut so that none does: where several are on, the word is how many."""
    edges = sorted({edge for one in stretches for edge in (one.start, one.stop)})
    out: list[Stretch] = []
    for start, stop in pairwise(edges):
        on = [one.word for one in stretches if one.start <= start and stop <= one.stop]
        if not on:
            continue
        word = on[0] if len(on) == 1 else f"{len(on)} faults"
        if out and (out[-1].stop, out[-1].word) == (start, word):
            start = out.pop().start
        out.append(Stretch(start, stop, word))
    return tuple(out)


def _platform(findings: Findings, end: float) -> Lane:
    seen = [piece for piece in findings.availability.slices if piece.observed]
    bad = joined([piece for piece in seen if piece.true_good is False])
    return Lane("platform", True, bad, _note(bad))


def _beliefs(findings: Findings, subject: str, end: float) -> list[Lane]:
    lanes = []
    for probe in findings.availability.probes:
        if probe.target == subject and probe.n:
            down = [s for o in probe.outages for s in _within(o.start_ns, o.stop_ns, end, "down")]
            total = sum(outage.figure_ns for outage in probe.outages)
            lanes.append(Lane(subject, False, tuple(down), f"down {units.duration(total)}" if down else ""))
    return lanes


def _within(start_ns: int, stop_ns: int | None, end: float, word: str) -> list[Stretch]:
    """The part that lies within the load; until its end where there is no stop."""
    start = max(start_ns / SECOND, 0.0)
    stop = end if stop_ns is None else min(stop_ns / SECOND, end)
    return [Stretch(start, stop, word)] if start < stop else []


def _note(down: Sequence[Stretch]) -> str:
    """``dark 20.0 s``; ``not well 14.0 s`` for several kinds."""
    words = {stretch.word for stretch in down}
    total = units.duration(sum(stretch.stop - stretch.start for stretch in down) * SECOND)
    return f"{words.pop() if len(words) == 1 else 'not well'} {total}" if down else ""


def joined(pieces: Sequence[Slice]) -> tuple[Stretch, ...]:
    """Slices as stretches, those that touch as one."""
    out: list[Stretch] = []
    for piece in pieces:
        start, stop = piece.start_ns / SECOND, piece.stop_ns / SECOND
        if out and abs(out[-1].stop - start) < 1e-6:
            start = out.pop().start
        out.append(Stretch(start, stop, "bad"))
    return tuple(out)


def fits(word: str, part: float, narrow: bool) -> bool:
    """Whether a bar that takes this part of the axis can hold the word; a letter takes about 0.01 of it."""
    return part > max(0.06, 0.0105 * len(word)) * (2 if narrow else 1)


def draw(axes: Axes, lanes: Sequence[Lane], end: float, narrow: bool) -> None:
    """Bars from 0 to ``end`` seconds, the first lane on top."""
    note = "" if narrow else "truth: records of the gateways and the faults; probe: what it believed"
    style.caption(axes, "Up or down", note)
    axes.grid(False)
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    if not lanes:
        axes.set_ylim(1, 0)
        axes.yaxis.set_major_locator(FixedLocator([]))
        style.empty(axes, "nobody watched")
        return
    for row, lane in enumerate(lanes):
        height = 0.74 if lane.truth else 0.5
        up = style.GREEN if lane.truth else style.SKY
        axes.broken_barh([(0, end)], (row - height / 2, height), facecolor=up, alpha=0.42, lw=0)
        down = [(s.start, max(s.stop - s.start, THINNEST * end)) for s in lane.down]
        axes.broken_barh(
            down,
            (row - height / 2, height),
            facecolor=style.NIGHT if lane.truth else style.ORANGE,
            hatch="" if lane.truth else "////",
            edgecolor=style.INK,
            lw=0.8 if lane.truth else 0,
        )
        for start, stop, word in lane.down:
            if lane.truth and fits(word, (stop - start) / end, narrow):
                middle = (start + stop) / 2
                axes.text(middle, row, word, ha="center", va="center", size=8.5, color=style.ON_NIGHT)
        if lane.note:
            axes.annotate(
                lane.note,
                (1.0, row),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                size=9,
                color=style.INK if lane.truth else style.ORANGE_TEXT,
                annotation_clip=False,
            )
    if narrow:
        # Beside the bars the names would take a third of a phone's width.
        axes.yaxis.set_major_locator(FixedLocator([]))
        paper = {"facecolor": style.PAPER, "alpha": 0.75, "lw": 0, "pad": 1.2}
        for row, lane in enumerate(lanes):
            axes.text(end * 0.015, row, _label(lane), va="center", size=7.5, bbox=paper)
        return
    axes.yaxis.set_major_locator(FixedLocator(list(range(len(lanes)))))
    axes.set_yticklabels([_label(lane) for lane in lanes])


def _label(lane: Lane) -> str:
    subject = lane.subject.removeprefix("https://").removeprefix("http://")
    return f"{style.label(subject, 22)}, {'truth' if lane.truth else 'probe'}"
