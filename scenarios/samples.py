"""Measurements in place of percentiles: ``latency: {from: samples.csv}`` becomes its quantiles, so that from
here on a scenario does not depend on the file any more."""

from __future__ import annotations

import os
from pathlib import Path

from mocks.latency import quantile_points
from scenarios.document import Document, Problem
from scenarios.measurements import MeasurementError, read
from scenarios.quantities import format_duration


def embed(document: Document) -> list[Problem]:
    """Put the quantiles of the files that gateways' latencies are taken from into the document's data.

    Returns:
        What is wrong with the files, at the places that name them; there, ``from`` is left out.
    """
    problems: list[Problem] = []
    gateways = document.data.get("gateways") if isinstance(document.data, dict) else None
    for name, gateway in gateways.items() if isinstance(gateways, dict) else ():
        latency = gateway.get("latency") if isinstance(gateway, dict) else None
        if not isinstance(latency, dict) or set(latency) != {"from"} or not isinstance(latency["from"], str):
            continue
        try:
            measured = read(found(latency["from"], Path(document.file).parent))
        except MeasurementError as error:
            hint = "paydrill latency sample makes such a file from an access log"
            problems.append(
                document.problem(("gateways", name, "latency", "from"), str(error), hint, show=False)
            )
            del gateway["latency"]
            continue
        points = quantile_points(measured.durations_ns)
        gateway["latency"] = {"quantiles": [format_duration(point) for point in points]}
    return problems


def found(source: str, folder: Path) -> Path:
    """The file that a scenario in this folder names: its path counts from there, or else from the working
    folder."""
    beside = folder / Path(source).expanduser()
    path = beside if beside.is_file() else Path(source).expanduser()
    # As a person would write it, not as it was put together.
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else Path(relative)
