"""What a report says of the users of the load."""

from __future__ import annotations

from reports.findings import Findings
from reports.render import units
from reports.render.tables import Cell, Table


def latency_text(findings: Findings) -> str:
    """Whose latencies these are: a sentence, empty without users."""
    loop = findings.closed_loop
    if loop is None:
        return ""
    paid = (
        f"{units.plural(loop.users, 'user')} made {units.plural(loop.payments, 'payment')} in a closed loop"
    )
    if loop.timed:
        return (
            f"{paid}, and these are their latencies. A user waits for an answer before going on, so a slow "
            "platform was asked for less: at a given rate of arrivals its latencies would be longer than "
            "these (coordinated omission). For latencies that can be trusted, load by arrivals."
        )
    return (
        f"{paid}. They count in every rate and in the money, and not here: a user waits for an answer before "
        "going on, so latencies of users look better than they are (coordinated omission). These are the "
        "latencies of the arrivals."
    )


def tasks(findings: Findings) -> Table:
    """What users did besides paying; without rows if they did nothing else."""
    columns = ("Task of users", "#Done", "#As answered", "#Not", "#Unknown", "Most frequent reason")
    rows = findings.closed_loop.tasks if findings.closed_loop is not None else ()
    return Table(
        "What users did besides paying",
        columns,
        tuple(
            (
                Cell(row.task.replace("_", " ")),
                *(Cell(units.count(figure)) for figure in (row.done, row.ok, row.failed, row.unknown)),
                Cell(row.why or "-"),
            )
            for row in rows
        ),
    )
