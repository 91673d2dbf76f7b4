"""The folder of a search for the peak: its record, and the run folders of its steps."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reports.findings import Ended
from reports.run_folder import NotARunError
from scenarios.peak_search import Limits, Why
from scenarios.schema import Scenario

RECORD = "search.yaml"
STEPS = "steps"


class StepRecord(BaseModel):
    """A step that was played to its end. ``folder`` is its run folder, below ``steps``; ``rate`` and
    ``hold_ns`` are as asked; ``took_ns`` is what it took from its start to its report."""

    model_config = ConfigDict(frozen=True)

    folder: str = Field(pattern=r"^[^/]+$")
    rate: float = Field(gt=0)
    hold_ns: int = Field(gt=0)
    why: Why
    took_ns: int = Field(ge=0)


class SearchRecord(BaseModel):
    """What was known of a search when it began, and which steps it played.

    ``without_faults``, ``without_objectives`` and ``without_users`` (how many) are what the scenario has and
    the steps leave out.
    ``ended_why`` is empty for a search that ran to its end.
    """

    model_config = ConfigDict(frozen=True)

    started_at: str
    command: str
    processes: int
    versions: dict[str, str]
    machine: dict[str, str | int | float]
    limits: Limits
    without_faults: tuple[str, ...] = ()
    without_objectives: tuple[str, ...] = ()
    without_users: int = 0
    steps: tuple[StepRecord, ...] = ()
    ended: Ended = "interrupted"
    ended_why: str = "its end is not on record"


def is_search(path: Path) -> bool:
    """Whether the folder is one that ``paydrill run --find-peak`` has written."""
    return (path / RECORD).is_file()


def record_text(record: SearchRecord, scenario: Scenario) -> str:
    """The content of ``search.yaml``."""
    data = {"search": record.model_dump(mode="json"), "scenario": scenario.to_plain()}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def open_search(path: Path) -> tuple[SearchRecord, Scenario]:
    """Read the record of a search.

    Raises:
        NotARunError: It is no folder of a search, or its record cannot be read.
    """
    document = path / RECORD
    try:
        data = yaml.safe_load(document.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotARunError(f"{document} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NotARunError(f"{document} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict) or not {"search", "scenario"} <= set(data):
        raise NotARunError(f"{document} is not the record of a search: it has no search and no scenario")
    try:
        return SearchRecord.model_validate(data["search"]), Scenario.model_validate(data["scenario"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotARunError(f"{document} cannot be read: {where}: {first['msg']}") from error
