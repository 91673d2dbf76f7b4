"""Which views of the money there are, and whether each is whole: a count is only as good as its evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mocks.sandboxes.records import SOURCE, UNREAD
from reports.findings import View
from reports.run_folder import RunFolder

LEDGER = "platform ledger"
EXPORT_BROKE_OFF = "the platform's ledger could not be exported"
"""How the note begins that the conductor leaves when the export fails; pages before the failure stay."""


@dataclass(frozen=True, slots=True)
class Views:
    """The views of a run. ``gateways`` are those of the scenario, sorted by name."""

    client: View
    ledger: View
    gateways: tuple[View, ...]

    @property
    def gateways_whole(self) -> bool:
        """Every gateway's records are there: what they do not show did not happen."""
        return bool(self.gateways) and all(view.complete for view in self.gateways)

    def all(self) -> tuple[View, ...]:
        """Client first, then the ledger, then the gateways."""
        return (self.client, self.ledger, *self.gateways)

    def missing(self, *, client: bool = False, gateways: bool = False, ledger: bool = False) -> str:
        """What is not whole among the views asked for, as a sentence; empty if all are."""
        wanted = []
        if client:
            wanted.append(self.client)
        if ledger:
            wanted.append(self.ledger)
        if gateways:
            wanted += self.gateways
        reasons = [view.why for view in wanted if not view.complete]
        if gateways and not self.gateways:
            reasons.append("there are no records of any gateway")
        return "; ".join(reasons)


def views_of(run: RunFolder) -> Views:
    """Look at the tables of a run, its damaged files and the deaths on its timeline."""
    damaged = {damage.file for damage in run.damage()}
    marks = run.rows("mark")
    deaths = [mark for mark in marks if mark["kind"] == "died"]

    def dead(name: str) -> bool:
        return any(name == mark["source"] or name in mark["text"].split() for mark in deaths)

    def hurt(process: str, *tables: str) -> bool:
        # A process that went on where another was ended has a number behind its name.
        mine = re.compile(rf"({re.escape(process)}(-\d+)?|\*)")
        return any(
            file.split(".")[-2] in tables and mine.fullmatch(file.split(".")[0]) is not None
            for file in damaged
        )

    payments, entries = run.table("payment"), run.table("platform_entry")
    broken = any(file.split(".")[-2] in ("payment", "intent") for file in damaged)
    client = View(
        "client",
        pc.count_distinct(payments["id"]).as_py(),
        not broken,
        "the load client's journal is damaged" if broken else "",
    )
    if not len(entries) and len(run.table("intent")) + len(payments):
        why = "the platform's ledger was not exported"
    elif any(file.split(".")[-2] == "platform_entry" for file in damaged):
        why = "the export of the platform's ledger is damaged"
    elif any(mark["text"].startswith(EXPORT_BROKE_OFF) for mark in marks):
        why = "the export of the platform's ledger broke off"
    else:
        why = ""
    payments_of = entries.filter(pc.equal(entries["kind"], "payment"))
    ledger = View(LEDGER, pc.count_distinct(payments_of["order_id"]).as_py(), not why, why)

    known = _orders_by_gateway(run)
    gateways = []
    for name in sorted(run.scenario.gateways) if known else ():
        if hurt(name, "movement", "gateway_request"):
            why = f"the journal of {name} is damaged"
        elif dead(name):
            why = f"{name} died, and its last records may be missing"
        elif run.scenario.gateways[name].sandbox is not None:
            why = unread(marks, name)
        else:
            why = ""
        gateways.append(View(name, known.get(name, 0), not why, why))
    return Views(client, ledger, tuple(gateways))


def unread(marks: list[dict[str, Any]], name: str) -> str:
    """Why the records of a sandbox are not whole; empty when they are."""
    notes = [mark["text"] for mark in marks if mark["source"] == name and mark["kind"] == "note"]
    for text in notes:
        if text.startswith(UNREAD):
            return f"{name}: {text}"
    if any(text.startswith(SOURCE) for text in notes):
        return ""
    return f"the records of {name}'s sandbox were not read"


def _orders_by_gateway(run: RunFolder) -> dict[str, int]:
    columns = ["gateway", "order_id"]
    both = pa.concat_tables(
        [run.table("movement").select(columns), run.table("gateway_request").select(columns)]
    )
    both = both.filter(pc.not_equal(both["order_id"], ""))
    counted = both.group_by("gateway").aggregate([("order_id", "count_distinct")]).to_pylist()
    return {row["gateway"]: row["order_id_count_distinct"] for row in counted}
