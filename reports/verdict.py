"""The drill's verdict: what the objectives and the validity of the drill itself add up to."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings import Damage, Ended, FaultFindings, Generator, ObjectiveFinding, Status, Verdict
from reports.objectives import untested
from reports.render.units import plural

EXIT_CODES: dict[Status, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
EXIT_ABORTED = 4
EXIT_INTERRUPTED = 130


def verdict(
    objectives: Sequence[ObjectiveFinding],
    faults: tuple[FaultFindings, ...],
    generator: Generator,
    damage: Sequence[Damage],
    ended: Ended,
    ended_why: str,
) -> Verdict:
    """FAIL if an objective fails; INCONCLUSIVE if one is undecided, or the drill itself is not valid evidence
    (cut short, no objectives, a fault without hits, a generator that fell behind, a damaged journal);
    else PASS."""
    failed = [objective for objective in objectives if objective.status == "FAIL"]
    undecided = [objective for objective in objectives if objective.status == "INCONCLUSIVE"]
    doubts = invalid(faults, generator, damage, ended, ended_why)
    if not objectives:
        doubts.append("the scenario has no objectives: nothing was judged")
    status: Status = "FAIL" if failed else "INCONCLUSIVE" if undecided or doubts else "PASS"
    reasons = [_sentence(objective) for objective in failed]
    reasons += doubts
    # An objective that is undecided because the drill is in doubt would only say the same again.
    reasons += [
        _sentence(o) for o in undecided if not any(doubt in o.why or o.why in doubt for doubt in doubts)
    ]
    if status == "PASS":
        reasons = [
            "the objective holds"
            if len(objectives) == 1
            else f"all {plural(len(objectives), 'objective')} hold"
        ]
    return Verdict(status, ended, exit_code(status, ended), tuple(reasons))


def invalid(
    faults: tuple[FaultFindings, ...],
    generator: Generator,
    damage: Sequence[Damage],
    ended: Ended,
    ended_why: str,
) -> list[str]:
    """Why the drill is no valid evidence, as sentences; empty if it is."""
    doubts = []
    if ended != "complete":
        doubts.append(f"the drill was {ended}: {ended_why}")
    if not generator.sound:
        cause = f"; on record as its bottleneck: {generator.bottleneck}" if generator.bottleneck else ""
        doubts.append(generator.why + cause)
    if idle := untested(faults):
        doubts.append(idle)
    doubts += [f"the journal file {one.file} {one.reason}" for one in damage if one.matters]
    return doubts


def exit_code(status: Status, ended: Ended) -> int:
    """The exit code of the command: how it ended weighs more than what was found, unless the drill was
    stopped by its own condition: nothing broke then but what was drilled."""
    if ended == "aborted":
        return EXIT_ABORTED
    return EXIT_INTERRUPTED if ended == "interrupted" else EXIT_CODES[status]


def _sentence(objective: ObjectiveFinding) -> str:
    return f"{objective.name} {objective.bound}: {objective.why}"
