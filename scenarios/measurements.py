"""Durations out of a file of measurements: an access log as CSV or JSON lines, one duration a line, or a
HdrHistogram log.

A duration without a unit is refused, as everywhere in a scenario. The unit comes from the value
(``120ms``), from the column's name (``duration_ms``), from what is known of the column (``COLUMNS``), or
from whoever asks.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from scenarios.histogram_log import NANOSECONDS, is_histogram_log, read_intervals
from scenarios.quantities import parse_duration

UNITS = NANOSECONDS
"""Name of a unit -> nanoseconds."""

COLUMNS = {
    "request_time": "s",
    "upstream_response_time": "s",
    "target_processing_time": "s",
    "elapsed": "ms",
    "responseTime": "ms",
    "OriginDuration": "ns",
    "Duration": "ns",
}
"""Columns that have one unit wherever they are met: nginx's two, the one of AWS load balancers, JMeter's,
pino-http's, Traefik's two. Second-hand: taken from these projects' documentation, not from logs of theirs."""

_SUFFIX = re.compile(r"(?:^|[_.\s(-])(ns|us|ms|s|nanos|micros|millis|seconds|sec)\)?$", re.IGNORECASE)
_CAMEL = re.compile(r"[a-z](Ns|Us|Ms|Millis|Seconds)$")
_WORDS = {"nanos": "ns", "micros": "us", "millis": "ms", "seconds": "s", "sec": "s"}
_TIMES = re.compile(r"duration|latency|elapsed|response_?time|request_?time|took", re.IGNORECASE)
_NONE = frozenset({"", "-"})


class MeasurementError(ValueError):
    """A file of measurements that cannot be used; the text names the file, the line and what to do."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """Attributes:
    durations_ns: Ascending; at least one.
    skipped: Lines without a duration: ``-``, nothing, or below zero, as proxies write it for a request that
        they never passed on.
    """

    durations_ns: tuple[int, ...]
    skipped: int


def read(path: Path, column: str | None = None, unit: str | None = None) -> Measurements:
    """The durations of a file. Whether it is CSV with a header, JSON lines, one duration a line or a
    HdrHistogram log shows in its first line.

    Args:
        path: The file.
        column: The column, or the key, with dots into nested objects; found by its name when left out.
        unit: A key of ``UNITS``; for numbers that don't say.

    Raises:
        MeasurementError: It cannot be read, a line is no duration, the unit isn't known, or nothing is in it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next(file, "")
            lines = chain((first,), file)
            if is_histogram_log(first):
                durations, skipped = _of_intervals(path, lines, unit), 0
            else:
                durations, skipped = _of_values(path, lines, column, unit)
    except MeasurementError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # not text, or a path that cannot be one
        reason = error.strerror if isinstance(error, OSError) else error
        raise MeasurementError(f"{path}: cannot be read: {reason}") from error
    if not durations:
        raise MeasurementError(f"{path}: there is no duration in it")
    return Measurements(tuple(sorted(durations)), skipped)


def _of_values(
    path: Path, lines: Iterable[str], column: str | None, unit: str | None
) -> tuple[list[int], int]:
    durations: list[int] = []
    skipped = 0
    for line, text, known in _values(path, lines, column):
        try:
            duration = _duration(text, known or unit)
        except ValueError as error:
            raise MeasurementError(f"{path}:{line}: {error}") from None
        if duration is None:
            skipped += 1
        else:
            durations.append(duration)
    return durations, skipped


def _of_intervals(path: Path, lines: Iterable[str], unit: str | None) -> list[int]:
    try:
        return read_intervals(lines, unit)
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise MeasurementError(f"{path}:{error}") from None


def unit_of(column: str) -> str | None:
    """The unit that a column's name tells; None when it tells none."""
    if column in COLUMNS:
        return COLUMNS[column]
    match = _SUFFIX.search(column) or _CAMEL.search(column)
    if match is None:
        return None
    word = match[1].lower()
    return _WORDS.get(word, word)


def _values(path: Path, file: Iterable[str], column: str | None) -> Iterator[tuple[int, str, str | None]]:
    """Line number, the value as text, and the unit that its column tells."""
    lines = iter(file)
    first = next(lines, "")
    everything = chain((first,), lines)
    if first.lstrip().startswith("{"):
        yield from _json_values(path, everything, column)
    elif column is None and _is_value(first):
        for number, text in enumerate(everything, start=1):
            yield number, text.strip(), None
    else:
        yield from _csv_values(path, first, everything, column)


def _csv_values(
    path: Path, first: str, lines: Iterable[str], column: str | None
) -> Iterator[tuple[int, str, str | None]]:
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(lines, delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    name = _chosen(path, header, column)
    place = header.index(name)
    known = unit_of(name)
    for row in reader:
        if row:
            yield reader.line_num, row[place].strip() if place < len(row) else "", known


def _json_values(
    path: Path, lines: Iterable[str], column: str | None
) -> Iterator[tuple[int, str, str | None]]:
    name = column
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            entry = json.loads(text)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict):
            raise MeasurementError(f"{path}:{number}: is not a JSON object")
        if name is None:
            name = _chosen(path, list(entry), None)
        value: object = entry
        for step in (name,) if name in entry else name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if number == 1 and value is None and column is not None:
            raise MeasurementError(f"{path}: there is no {column!r}; there are {', '.join(entry)}")
        yield number, "" if value is None else str(value), unit_of(name)


def _chosen(path: Path, names: list[str], column: str | None) -> str:
    if column is not None:
        if column not in names:
            raise MeasurementError(f"{path}: there is no {column!r}; there are {', '.join(names)}")
        return column
    for known in COLUMNS:
        if known in names:
            return known
    likely = [name for name in names if _TIMES.search(name)]
    if len(likely) == 1:
        return likely[0]
    if len(names) == 1 and unit_of(names[0]):
        return names[0]
    what = f"{', '.join(likely)} could be it" if likely else f"there are {', '.join(names)}"
    raise MeasurementError(f"{path}: which column holds the duration? {what}")


def _is_value(text: str) -> bool:
    try:
        _duration(text.strip(), "s")
    except ValueError:
        return False
    return True


def _duration(text: str, unit: str | None) -> int | None:
    """Nanoseconds; None for a request that has no duration."""
    if text in _NONE:
        return None
    try:
        number = float(text)
    except ValueError:
        return parse_duration(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a duration")
    if number < 0:
        return None
    if unit is None:
        raise ValueError(
            f"{text} has no unit; name the column like duration_ms, or convert the file with "
            "paydrill latency sample --unit"
        )
    return round(number * UNITS[unit])
