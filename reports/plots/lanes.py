"""The lanes of the timeline: what each gateway truly was, and below it what a probe believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from reports.findings import Findings, Slice
from reports.plots import style
from reports.plots.axis import SECOND
from reports.render import units, wording

Stretch = tuple[float, float]
"""Start and stop in seconds."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One row: ``truth`` rows stand on the records of gateways and faults, the others on probes.

    Attributes:
        subject: The gateway, ``platform``, or the URL that a probe watched.
        truth: What kind of row it is.
        known: Stretches that somebody watched; outside them nothing is drawn.
        down: Stretches in which it was, or was believed to be, not well.
        word: What it is in the ``down`` stretches: ``dark``, ``slow``, ``bad``, ``down``.
        note: Words at the end of the row.
    """

    subject: str
    truth: bool
    known: tuple[Stretch, ...]
    down: tuple[Stretch, ...]
    word: str
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
    down, words = [], []
    for fault in findings.faults:
        if fault.on == gateway and fault.true_start_ns is not None:
            stop = end if fault.true_stop_ns is None else fault.true_stop_ns / SECOND
            start = max(fault.true_start_ns / SECOND, 0.0)
            if start < end:
                down.append((start, min(stop, end)))
                words.append(wording.condition(fault))
    total = sum(stop - start for start, stop in down)
    note = f"{words[0]} {units.duration(total * SECOND)}" if words else ""
    return Lane(gateway, True, ((0.0, end),), tuple(down), words[0] if words else "", note)


def _platform(findings: Findings, end: float) -> Lane:
    bad = [s for s in findings.availability.slices if s.true_good is False]
    total = sum(s.stop_ns - s.start_ns for s in bad)
    note = f"bad {units.duration(total)}" if bad else ""
    return Lane("platform", True, ((0.0, end),), joined(bad), "bad", note)


def joined(pieces: Sequence[Slice]) -> tuple[Stretch, ...]:
    """Slices as stretches, those that touch as one."""
    out: list[Stretch] = []
    for piece in pieces:
        start, stop = piece.start_ns / SECOND, piece.stop_ns / SECOND
        if out and abs(out[-1][1] - start) < 1e-6:
            out[-1] = (out[-1][0], stop)
        else:
            out.append((start, stop))
    return tuple(out)


def _beliefs(findings: Findings, subject: str, end: float) -> list[Lane]:
    lanes = []
    for probe in findings.availability.probes:
        if probe.target == subject and probe.n:
            down = []
            for outage in probe.outages:
                stop = end if outage.stop_ns is None else outage.stop_ns / SECOND
                start = max(outage.start_ns / SECOND, 0.0)
                if start < end:
                    down.append((start, min(stop, end)))
            total = sum(outage.figure_ns for outage in probe.outages)
            note = f"down {units.duration(total)}" if down else ""
            lanes.append(Lane(subject, False, ((0.0, end),), tuple(down), "down", note))
    return lanes


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
        known = [(start, stop - start) for start, stop in lane.known]
        axes.broken_barh(known, (row - height / 2, height), facecolor=up, alpha=0.42, lw=0)
        down = [(start, stop - start) for start, stop in lane.down]
        axes.broken_barh(
            down,
            (row - height / 2, height),
            facecolor=style.NIGHT if lane.truth else style.ORANGE,
            hatch="" if lane.truth else "////",
            edgecolor=style.INK,
            lw=0.8 if lane.truth else 0,
        )
        for start, stop in lane.down:
            # The word is about 0.055 of the axis wide; it is left out of a bar that cannot hold it.
            if lane.truth and (stop - start) / end > (0.12 if narrow else 0.06):
                middle = (start + stop) / 2
                axes.text(middle, row, lane.word, ha="center", va="center", size=8.5, color=style.ON_NIGHT)
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
