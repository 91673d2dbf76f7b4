"""Opening the folder of a run: its scenario, its run block, its journal, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from journal.reader import Damage, Journal
from journal.records import schema
from reports.findings import Ended
from scenarios.schema import Scenario


class NotARunError(ValueError):
    """The folder is not one that ``paydrill run`` has written; the message says what is wrong with it."""


class RunBlock(BaseModel):
    """The ``run`` block of ``scenario.yaml``: what was known when the run began."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    started_at: str
    epoch_ns: int = 0
    payments_planned: int = Field(ge=0)
    plan_digest: str = ""
    processes: int = 1
    versions: dict[str, str] = {}
    machine: dict[str, str | int | float] = {}
    command: str = ""


@dataclass(slots=True)
class RunFolder:
    """A run, opened for reading.

    Attributes:
        path: The run folder.
        scenario: The resolved scenario.
        block: What was known of the run when it began.
        ended: How it ended, by the journal's marks.
        ended_why: What the mark says; empty for a complete run.
        load_end_ns: Until when payments were asked for.
    """

    path: Path
    scenario: Scenario
    block: RunBlock
    journal: Journal
    ended: Ended = "complete"
    ended_why: str = ""
    load_end_ns: int = 0
    _tables: dict[str, pa.Table] = field(default_factory=dict)
    _invalid: list[Damage] = field(default_factory=list)

    def table(self, name: str) -> pa.Table:
        """A table of the journal, without batches whose content is not valid (they count as damage)."""
        if name not in self._tables:
            table = self.journal.table(name)
            sound: list[pa.RecordBatch] = []
            for batch in table.to_batches():
                try:
                    batch.validate(full=True)
                except pa.ArrowInvalid:
                    self._invalid.append(
                        Damage(f"*.{name}.arrow", len(sound), "holds a batch of broken data")
                    )
                else:
                    sound.append(batch)
            self._tables[name] = pa.Table.from_batches(sound, schema=schema(name))
        return self._tables[name]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A small table as dictionaries, in the order of the columns named first: independent of the order
        in which processes wrote."""
        table = self.table(name)
        rows: list[dict[str, Any]] = table.to_pylist()
        return sorted(rows, key=lambda row: tuple(str(type(v)) if v is None else v for v in row.values()))

    def damage(self) -> tuple[Damage, ...]:
        """Damaged files of the tables read so far, by file name."""
        return tuple(sorted([*self.journal.damage, *self._invalid], key=lambda damage: damage.file))


def open_run(path: Path) -> RunFolder:
    """Open a run folder.

    Raises:
        NotARunError: It is no run folder, or its ``scenario.yaml`` cannot be read.
    """
    if not path.is_dir():
        raise NotARunError(f"{path} is not a folder")
    document = path / "scenario.yaml"
    journal = path / "journal"
    if not document.is_file() or not journal.is_dir():
        missing = "scenario.yaml" if not document.is_file() else "journal folder"
        raise NotARunError(f"{path} is not a run folder: it has no {missing}")
    try:
        data = yaml.safe_load(document.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NotARunError(f"{document} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict) or not isinstance(data.get("run"), dict):
        raise NotARunError(f"{document} has no run block: it is a scenario, not the record of a run")
    try:
        block = RunBlock.model_validate(data.pop("run"))
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotARunError(f"{document} cannot be read: {where}: {first['msg']}") from error
    run = RunFolder(path, scenario, block, Journal(journal))
    run.ended, run.ended_why, run.load_end_ns = _how_it_ended(run)
    return run


def _how_it_ended(run: RunFolder) -> tuple[Ended, str, int]:
    """An abort outweighs an interruption: the environment had broken, whoever pressed Ctrl-C afterwards."""
    length = run.scenario.duration_ns
    marks = sorted(run.rows("mark"), key=lambda mark: (mark["kind"] != "aborted", mark["at_ns"]))
    for mark in marks:
        if mark["kind"] == "aborted":
            return "aborted", mark["text"], min(max(mark["at_ns"], 0), length)
        if mark["kind"] == "interrupted":
            return "interrupted", mark["text"], min(max(mark["at_ns"], 0), length)
        if mark["kind"] == "stopped":
            return "stopped", mark["text"], min(max(mark["at_ns"], 0), length)
    return "complete", "", length
