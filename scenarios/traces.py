"""Recorded arrivals in a scenario: ``{trace: checkout.csv}`` gets what the file holds beside its name, so
that from here on a scenario does not depend on the file any more."""

from __future__ import annotations

from pathlib import Path

from scenarios.arrivals.trace_files import TraceError, read
from scenarios.document import Document, Problem
from scenarios.document import Path as Place
from scenarios.samples import found


def embed(document: Document) -> tuple[list[Problem], set[Place]]:
    """Put the arrivals of the files that stages replay into the document's data.

    Returns:
        What is wrong with the files, and the stages that cannot be played for it.
    """
    problems: list[Problem] = []
    broken: set[Place] = set()
    load = document.data.get("load") if isinstance(document.data, dict) else None
    if isinstance(load, dict):
        _embed(load.get("arrivals"), ("load", "arrivals"), document, problems, broken)
    return problems, broken


def _embed(
    stages: object, place: Place, document: Document, problems: list[Problem], broken: set[Place]
) -> None:
    if not isinstance(stages, list):
        return
    for number, stage in enumerate(stages):
        here = (*place, number)
        if not isinstance(stage, dict):
            continue
        _embed(stage.get("arrivals"), (*here, "arrivals"), document, problems, broken)
        source = stage.get("trace")
        if not isinstance(source, str) or "offsets" in stage or "rates" in stage:
            continue
        try:
            trace = read(found(source, Path(document.file).parent))
        except TraceError as error:
            problems.append(document.problem((*here, "trace"), str(error), show=False))
            broken.add(here)
            continue
        stage["sha256"] = trace.sha256
        key, text = ("rates", trace.rates) if trace.offsets is None else ("offsets", trace.offsets)
        stage[key] = text
