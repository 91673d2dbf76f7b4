"""What a search for the peak found, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from reports.findings import ObjectiveFinding, Percentile
from reports.peak_findings import Edge, PeakFindings, StepFindings
from reports.render import tables, units, wording
from scenarios.peak_search import Outcome, Reason, Why

OUTCOMES: dict[Outcome, str] = {
    "held": "held",
    "broke": "broke",
    "undecided": "undecided",
    "unsound": "not judged",
    "blind": "not judged",
}

_NOT_JUDGED: dict[Outcome, str] = {"unsound": "generator late", "blind": "no evidence"}

WHYS: dict[Why, str] = {
    "start": "the start",
    "raise": "raised",
    "lower": "lowered",
    "narrow": "in between",
    "longer": "again, for longer",
    "confirm": "again, to confirm",
}


def rate(per_second: float) -> str:
    """``187/s``, ``99.5/s``: to three digits at least."""
    if per_second >= 100:
        return f"{per_second:,.0f}/s"
    return f"{per_second:.3g}/s"


def interval(found: PeakFindings) -> str:
    """The interval in figures: ``187 to 196/s``, ``at least 800/s``, ``below 5/s``, ``unknown``."""
    low, high = found.low, found.high
    if low is not None and high is not None and high.kind == "broke":
        return f"{rate(low.achieved).removesuffix('/s')} to {rate(high.achieved)}"
    if low is not None:
        return f"at least {rate(low.achieved)}"
    if high is not None and high.kind == "broke":
        return f"below {rate(high.achieved)}"
    return "unknown"


def headline(found: PeakFindings) -> str:
    """The finding in a sentence, without its full stop."""
    low, high = found.low, found.high
    if found.ended != "complete":
        return (
            f"{wording.capital(found.ended)} after {units.plural(len(found.steps), 'step')}; {_so_far(found)}"
        )
    if found.conclusion == "bracket" and low is not None and high is not None:
        what = units.listing([wording.words(goal.name) for goal in found.broke_first])
        broke = f": {what} broke first" if what else ""
        return f"The platform holds {rate(low.achieved)} and breaks at {rate(high.achieved)}{broke}"
    if found.conclusion == "limit" and low is not None:
        return f"The platform holds {rate(low.achieved)}, the limit of this search; nothing broke"
    if found.conclusion == "nothing" and high is not None:
        return f"The platform does not even hold {rate(high.achieved)}, the lowest rate of this search"
    if found.conclusion == "generator" and high is not None:
        held = f"The platform held {rate(low.achieved)}" if low is not None else "No rate was held"
        return f"{held}; the load generator is the bottleneck from {rate(high.rate)} on"
    return f"The search stayed undecided; {_so_far(found)}"


def reasons(found: PeakFindings, stopped: Reason | None) -> Iterator[str]:
    """What else it takes to understand the finding, the weightiest first. ``stopped`` is why the search asks
    for no further step; ``None`` when it would have gone on."""
    low, high, limits = found.low, found.high, found.limits
    if found.ended_why:
        yield wording.sentence(found.ended_why)
    for goal in found.broke_first:
        yield wording.sentence(f"{named(goal)}: {goal.why}")
    if high is not None and high.kind == "broke" and not found.broke_first:
        last = [step for step in found.steps if step.rate == high.rate and step.outcome == "broke"][-1]
        yield wording.sentence(f"step {last.number}, {rate(last.rate)} asked: {last.said}")
    if stopped == "blind" or (high is not None and high.kind in ("unsound", "blind")):
        last = [step for step in found.steps if step.outcome in ("unsound", "blind")][-1]
        yield wording.sentence(f"step {last.number}, {rate(last.rate)} asked: {last.said}")
    if found.torn:
        listed = units.listing([rate(one) for one in found.torn])
        yield f"At {listed} the steps disagreed or could not decide; the interval covers it."
    for step in found.steps:
        if low is not None and step.outcome == "broke" and step.rate < low.rate:
            yield (
                f"Step {step.number} broke at {rate(step.achieved)}, below the interval, where others held: "
                "it was not the rate alone."
            )
    if stopped == "steps":
        yield f"It ended because it may play no more than {units.plural(limits.steps, 'step')}."
    if stopped == "time":
        yield f"It ended because another step could have gone beyond its {units.duration(limits.time_ns)}."
    if found.conclusion == "bracket" and low is not None and high is not None:
        width = (high.achieved - low.achieved) / high.achieved
        yield f"The interval is {100 * width:.1f}% wide; both ends were played {_times(low, high)}."
    for edge in (low, high):
        if edge is not None and not edge.confirmed:
            yield f"{rate(edge.rate)} rests on a single step; no second one has confirmed it."


def named(goal: ObjectiveFinding) -> str:
    """``latency p95 was 1.21 s (< 800 ms asked)``."""
    return f"{wording.words(goal.name)} was {tables.measured_text(goal)} ({wording.target(goal)} asked)"


def sureness(found: PeakFindings) -> str:
    """How sure the two ends are."""
    if found.sure_low is None and found.sure_high is None:
        return ""
    ends = []
    if found.sure_low is not None and found.low is not None:
        ends.append(f"that it holds {rate(found.low.achieved)} is at least {_percent(found.sure_low)} sure")
    if found.sure_high is not None and found.high is not None:
        ends.append(
            f"that it breaks at {rate(found.high.achieved)} is at least {_percent(found.sure_high)} sure"
        )
    return wording.sentence(
        f"if payments fail independently of each other, {units.listing(ends)}, all steps and objectives "
        "counted in; bursts make it less, which is why each end is played twice"
    )


def _so_far(found: PeakFindings) -> str:
    parts = []
    if found.low is not None:
        parts.append(f"{rate(found.low.achieved)} held")
    if found.high is not None and found.high.kind == "broke":
        parts.append(f"{rate(found.high.achieved)} broke")
    elif found.high is not None:
        parts.append(f"at {rate(found.high.rate)} the platform could not be judged")
    return "so far " + units.listing(parts) if parts else "no rate has held or broken so far"


def _times(low: Edge, high: Edge) -> str:
    return "twice" if len(low.steps) == len(high.steps) == 2 else "at least twice"


def _percent(share: float) -> str:
    """Rounded down: nothing is surer than it is."""
    return f"{int(max(share, 0) * 1000) / 10:g}%"


def outcome(step: StepFindings) -> str:
    """``held``; ``broke: latency p95``; ``not judged: generator late``."""
    word, why = OUTCOMES[step.outcome], detail(step)
    return f"{word}: {why}" if why else word


def detail(step: StepFindings) -> str:
    """What broke, or why a step could not be judged; empty if neither."""
    if step.broke:
        return units.listing([wording.words(name) for name in step.broke])
    return _NOT_JUDGED.get(step.outcome, "")


def between(low: str, high: str) -> str:
    """Two ends of an interval, with their unit once if they share it: ``17 to 27 ms``."""
    number, _, unit = low.partition(" ")
    if unit and unit == high.partition(" ")[2]:
        return f"{number} to {high}"
    return f"{low.removesuffix('%')} to {high}" if high.endswith("%") else f"{low} to {high}"


def percentile(found: Percentile) -> str:
    """``212 ms``; ``no answer`` where it falls on a payment that was never answered."""
    if found.state == "never":
        return "no answer"
    return units.duration(found.value_ns)
