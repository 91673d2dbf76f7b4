"""What a search for the peak found: the immutable tree that every rendering of its report is made from.

Units are those of ``reports.findings``; rates are payments per second.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.findings import Ended, ObjectiveFinding, Percentile, Rate, Status
from scenarios.peak_search import Conclusion, Kind, Limits, Outcome, Why


@dataclass(frozen=True, slots=True)
class StepFindings:
    """One step, judged.

    ``rate`` is what was asked for, ``achieved`` the payments that were sent per second while it was held
    (after the ramp), ``succeeded`` those that ended as planned per second in the same time. ``success``,
    ``p95`` and ``p99`` are of all payments of the step, the ramp's included, with their two-sided 95%
    intervals. ``objectives`` are judged as in any drill; ``broke`` names those that failed. ``said`` is the
    step's verdict in a sentence. ``longer_ns`` is how long an undecided step would have to hold.
    """

    number: int
    folder: str
    why: Why
    rate: float
    hold_ns: int
    took_ns: int
    outcome: Outcome
    longer_ns: int | None
    payments: int
    achieved: float
    succeeded: float
    success: Rate
    p95: Percentile
    p99: Percentile
    lateness_p99_ns: int | None
    objectives: tuple[ObjectiveFinding, ...]
    broke: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Edge:
    """An end of the interval. ``rate`` is what was asked for, ``achieved`` what was truly sent per second: at
    the lower end the least of the steps there, at the upper end the most. ``kind`` is what its steps came to,
    ``steps`` are their numbers; ``confirmed`` when two agree."""

    rate: float
    achieved: float
    kind: Kind
    confirmed: bool
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PeakFindings:
    """Everything that the report of a search says: a pure function of its folder.

    ``low`` is the highest rate that held, ``high`` the lowest above it that did not; ``torn`` are asked rates
    in between on which the steps disagree. ``broke_first`` are the objectives that failed at ``high``, each
    as its first failing step there measured it. ``sure_low`` and ``sure_high`` say how sure the ends are if
    payments fail independently of each other: the probability, at least, that the platform truly holds
    ``low``, and truly breaks at ``high``; ``None`` where the objectives are counted and not estimated, or
    without such an end. ``headline`` is the finding in a sentence, ``reasons`` are what else it takes to
    understand it. ``exit_code`` is that of the command.
    """

    scenario: str
    about: str
    seed: int
    platform: str
    started_at: str
    command: str
    processes: int
    versions: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]
    limits: Limits
    without_faults: tuple[str, ...]
    without_objectives: tuple[str, ...]
    without_users: int
    ended: Ended
    ended_why: str
    conclusion: Conclusion
    status: Status
    exit_code: int
    headline: str
    reasons: tuple[str, ...]
    low: Edge | None
    high: Edge | None
    torn: tuple[float, ...]
    broke_first: tuple[ObjectiveFinding, ...]
    sure_low: float | None
    sure_high: float | None
    steps: tuple[StepFindings, ...]
