"""The search for the highest arrival rate that holds: which step to play next, given the ones judged so far.

No clock and no I/O: ``next_step`` is a pure function of what was played, so a search can be judged again from
its records, and tried out on platforms that are made up.

The rule: double from the start until a rate breaks (halve, if the start breaks), then bisect. A single step
near the edge can go either way, so an end of the bracket counts only when two steps agree on it. A rate on
which steps disagree, or which could not be decided twice, is neither: it stays inside the bracket.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_S = 1_000_000_000

Outcome = Literal["held", "broke", "undecided", "unsound", "blind"]
"""What a step came to: all objectives held; one broke; too close to call; the load generator could not keep
its schedule, so that the step speaks of it and not of the platform; or the evidence for an objective is
missing, however long a step is."""

Kind = Literal["held", "broke", "unsound", "blind", "torn"]
"""What is known of a rate by all of its steps. ``torn``: they disagree, or could not decide."""

Why = Literal["start", "raise", "lower", "narrow", "longer", "confirm"]
Reason = Literal["decided", "steps", "time", "blind"]
Conclusion = Literal["bracket", "limit", "nothing", "generator", "undecided"]

AGREEING = 2
"""Steps that must agree on an end of the bracket."""

LONGEST = 4
"""A step that is played again for more payments lasts at most so many times as long as the others."""

_SPARE = 1.1
"""Payments planned over those that are needed: arrivals at random are sometimes fewer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a search may do.

    Rates are payments due per second. ``least`` is the lowest rate worth playing: below it even the longest
    step has too few payments to decide anything. ``precision`` is the width of the bracket to reach, as a
    part of its upper end. ``payments`` are the fewest that can decide every objective, ``overhead_ns`` is
    what a step may take besides its arrivals.
    """

    start: float
    least: float
    most: float
    precision: float
    steps: int
    step_ns: int
    ramp_ns: int
    overhead_ns: int
    payments: int

    @property
    def longest_ns(self) -> int:
        return LONGEST * self.step_ns

    @property
    def time_ns(self) -> int:
        """What the whole search may take."""
        return self.steps * (self.ramp_ns + self.hold_ns(self.start) + self.overhead_ns)

    def hold_ns(self, rate: float) -> int:
        """How long a step at this rate stays at it: long enough for its payments, in whole seconds."""
        return self.long_enough_ns(self.payments, rate)

    def long_enough_ns(self, payments: int, rate: float) -> int:
        """The same for a number of payments; at most the longest step."""
        needed = math.ceil(payments / rate * _SPARE) * _S
        return min(self.longest_ns, max(self.step_ns, needed))


@dataclass(frozen=True, slots=True)
class Played:
    """A step that was played and judged.

    ``rate`` and ``hold_ns`` are as asked. ``longer_ns`` is how long an undecided step would have to hold to
    be decided, ``None`` if no permitted length would do. ``took_ns`` is what the step took altogether.
    """

    rate: float
    hold_ns: int
    outcome: Outcome
    longer_ns: int | None
    took_ns: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step to play."""

    rate: float
    hold_ns: int
    why: Why


@dataclass(frozen=True, slots=True)
class End:
    """The search is over: all is decided that can be, or the steps or the time ran out, or the evidence is
    missing at every rate."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Standing:
    """A rate with what its steps came to."""

    rate: float
    held: int
    broke: int
    undecided: int
    unsound: int
    blind: int

    @property
    def plays(self) -> int:
        return self.held + self.broke + self.undecided + self.unsound + self.blind

    @property
    def kind(self) -> Kind:
        if self.held and self.broke:
            return "torn"
        if max(self.held, self.broke) < AGREEING:
            if self.unsound >= AGREEING:
                return "unsound"
            if self.blind >= AGREEING:
                return "blind"
            if self.undecided >= AGREEING:
                return "torn"
        if self.held:
            return "held"
        if self.broke:
            return "broke"
        return "unsound" if self.unsound else "blind" if self.blind else "torn"

    @property
    def agreeing(self) -> int:
        """How many steps say what its kind is."""
        of: dict[Kind, int] = {
            "held": self.held,
            "broke": self.broke,
            "unsound": self.unsound,
            "blind": self.blind,
            "torn": 0,
        }
        return of[self.kind]

    @property
    def confirmed(self) -> bool:
        return self.agreeing >= AGREEING


@dataclass(frozen=True, slots=True)
class Bracket:
    """``low`` is the highest rate that held; ``high`` the lowest above it that broke, or at which the
    platform could not be judged (unsound or blind); ``torn`` are the rates in between on which the steps
    disagree, lowest first."""

    low: Standing | None
    high: Standing | None
    torn: tuple[Standing, ...]


def next_step(history: Sequence[Played], limits: Limits) -> Step | End:
    """The step to play after these, or why there is none."""
    if not history:
        return Step(limits.start, limits.hold_ns(limits.start), "start")
    left = limits.steps - len(history)
    step = _wanted(history, limits, left)
    if isinstance(step, End):
        return step
    if left <= 0:
        return End("steps")
    spent = sum(played.took_ns for played in history)
    if spent + limits.ramp_ns + step.hold_ns + limits.overhead_ns > limits.time_ns:
        return End("time")
    return step


def standings(history: Sequence[Played]) -> tuple[Standing, ...]:
    """All rates that were played, lowest first."""
    found = []
    for rate in sorted({played.rate for played in history}):
        outcomes = [played.outcome for played in history if played.rate == rate]
        found.append(
            Standing(
                rate=rate,
                held=outcomes.count("held"),
                broke=outcomes.count("broke"),
                undecided=outcomes.count("undecided"),
                unsound=outcomes.count("unsound"),
                blind=outcomes.count("blind"),
            )
        )
    return tuple(found)


def bracket(history: Sequence[Played]) -> Bracket:
    """What is known so far. An end of it may rest on a single step: see ``Standing.confirmed``."""
    known = standings(history)
    highs = [one for one in known if one.kind in ("broke", "unsound", "blind")]
    high = highs[0] if highs else None
    lows = [one for one in known if one.kind == "held" and (high is None or one.rate < high.rate)]
    low = lows[-1] if lows else None
    torn = tuple(
        one
        for one in known
        if one.kind == "torn"
        and (low is None or one.rate > low.rate)
        and (high is None or one.rate < high.rate)
    )
    return Bracket(low, high, torn)


def conclusion(history: Sequence[Played], limits: Limits) -> Conclusion:
    """What a search that has ended can say: a bracket; that the platform held up to the limit; that nothing
    held; that the generator could not go further; or that it stayed undecided."""
    known = bracket(history)
    low, high = known.low, known.high
    if high is not None and high.kind == "unsound" and high.confirmed and (low is None or low.confirmed):
        return "generator"
    if low is None:
        lowest = high is not None and high.rate <= limits.least and high.kind == "broke"
        return "nothing" if lowest and high is not None and high.confirmed else "undecided"
    if not low.confirmed:
        return "undecided"
    if high is None:
        return "limit" if low.rate >= limits.most else "undecided"
    return "bracket" if high.confirmed and high.kind == "broke" else "undecided"


def doubt(history: Sequence[Played], error: float) -> float:
    """The most by which a confirmed end of the bracket is in doubt, when a step is judged wrongly with a
    probability of at most ``error``, independently of the others.

    An end is wrong only if two steps at its rate were. A rate with n steps has n (n - 1) / 2 pairs, of which
    each is wrong with ``error ** 2``; any rate that was played might have become an end, so they add up.
    """
    return min(1.0, sum(math.comb(max(one.plays, AGREEING), 2) * error**2 for one in standings(history)))


def tidy(rate: float, precision: float) -> float:
    """A rate that people can say: rounded to as many digits as the precision needs, at least three."""
    digits = max(3, 1 - math.floor(math.log10(precision / 4)))
    return round(rate, digits - 1 - math.floor(math.log10(rate)))


def _wanted(history: Sequence[Played], limits: Limits, left: int) -> Step | End:
    """The next step if there were always another; ``left`` are the steps that may still be played."""
    last = history[-1]
    known = bracket(history)
    at = next(one for one in standings(history) if one.rate == last.rate)
    if last.outcome == "undecided" and at.undecided < AGREEING and last.longer_ns is not None:
        return Step(last.rate, last.longer_ns, "longer")
    low, high = known.low, known.high
    if low is None:
        return _lower(history, limits)
    if high is None:
        if low.rate >= limits.most:
            return _confirm(low, history) or End("decided")
        if left <= AGREEING - low.held:
            return _confirm(low, history) or End("steps")
        top = max(played.rate for played in history)
        if top < limits.most:
            return _step(min(2 * top, limits.most), limits, "raise")
    middle = _middle(known, limits.precision)
    # Whichever end the next step moves, it has to be confirmed afterwards, and so has the other; one of these
    # steps may have to be played again.
    if middle is not None and left > AGREEING + 1:
        return _step(tidy(middle, limits.precision), limits, "narrow")
    return (
        _confirm(low, history)
        or (_confirm(high, history) if high is not None else None)
        or End("decided" if middle is None else "steps")
    )


def _lower(history: Sequence[Played], limits: Limits) -> Step | End:
    """Nothing has held yet."""
    bottom = standings(history)[0]
    if all(played.outcome == "blind" for played in history):
        return End("blind")
    if bottom.rate > limits.least:
        return _step(max(tidy(bottom.rate / 2, limits.precision), limits.least), limits, "lower")
    if bottom.kind == "torn":
        return End("decided")
    return _confirm(bottom, history) or End("decided")


def _middle(known: Bracket, precision: float) -> float | None:
    """Where to bisect: the middle of the wider of the stretches on either side of what is torn; ``None`` when
    they are narrow enough."""
    assert known.low is not None
    stretches = []
    if above := (*known.torn, *([known.high] if known.high is not None else [])):
        stretches.append((known.low.rate, above[0].rate))
    if known.torn and known.high is not None:
        stretches.append((known.torn[-1].rate, known.high.rate))
    if not stretches:
        return None
    bottom, top = max(stretches, key=lambda ends: (ends[1] - ends[0]) / ends[1])
    return (bottom + top) / 2 if (top - bottom) / top > precision else None


def _confirm(one: Standing, history: Sequence[Played]) -> Step | None:
    """The same step once more, as long as the longest at this rate was."""
    if one.confirmed:
        return None
    return Step(one.rate, max(played.hold_ns for played in history if played.rate == one.rate), "confirm")


def _step(rate: float, limits: Limits, why: Why) -> Step:
    return Step(rate, limits.hold_ns(rate), why)
