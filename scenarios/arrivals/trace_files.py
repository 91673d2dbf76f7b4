"""Files of recorded arrivals: CSV with timestamps, Locust's stats history, and k6's JSON.

Timestamps are numbers (seconds, or milliseconds, microseconds or nanoseconds since 1970, told by their size)
or ISO 8601; one file has one kind. The first of them is the trace's time zero.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np
import orjson

from scenarios.arrivals.recording import MOST_ARRIVALS, packed
from scenarios.quantities import format_duration, format_rate

_S = 1_000_000_000

MOST_RATES = 100_000
"""Rates that a Locust stats history may have: a day's, one a second."""

MOST_BYTES = 2**30
"""Size that a trace's file may have."""

_COLUMNS = ("timestamp", "time", "ts")
_LOCUST = ("Timestamp", "Name", "Requests/s")
_K6 = ("http_reqs", "iterations")
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?\s?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_UNITS = ((10**11, _S, "s"), (10**14, 10**6, "ms"), (10**17, 10**3, "us"), (10**20, 1, "ns"))
"""Below which number it is which unit: 10^11 seconds since 1970 are the year 5138, and so on."""
_SHOWN = 40


class TraceError(ValueError):
    """A trace that cannot be played; the text names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What a file holds: ``offsets`` as ``scenarios.arrivals.recording`` packs them, or else ``rates``, as
    ``0s:50/s 1s:52/s 2s``: when each begins and when the last one ends. ``sha256`` is the file's."""

    sha256: str
    offsets: str | None = None
    rates: str | None = None


def read(path: Path) -> Trace:
    """The trace of a file; which kind it is shows in its first line.

    Raises:
        TraceError: It cannot be read, a line is no arrival or is out of order, or it is empty or too large.
    """
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise TraceError(f"{path}: has {size / 2**20:,.0f} MiB; {MOST_BYTES // 2**20:,} are the most")
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next((line for line in file if line.strip()), "")
            file.seek(0)
            if not first:
                raise TraceError(f"{path}: is empty")
            if first.lstrip().startswith("{"):
                return Trace(digest, offsets=_packed(path, _k6_times(path, file)))
            rows = csv.reader(file, delimiter=max(",;\t", key=first.count))
            filled = ((rows.line_num, row) for row in rows if any(cell.strip() for cell in row))
            number, header = next(filled, (0, []))
            if not header:
                raise TraceError(f"{path}: there is no arrival in it")
            names = [name.strip() for name in header]
            if set(_LOCUST) <= set(names):
                return Trace(digest, rates=_locust_rates(path, names, filled))
            lines = chain([(number, header)], filled)
            return Trace(digest, offsets=_packed(path, _csv_times(path, names, lines)))
    except TraceError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # not text, or a path that cannot be one
        reason = error.strerror if isinstance(error, OSError) else error
        raise TraceError(f"{path}: cannot be read: {reason}") from error


def _packed(path: Path, times: Iterable[int]) -> str:
    found: list[int] = []
    for time in times:
        if len(found) == MOST_ARRIVALS:
            raise TraceError(f"{path}: has more than {MOST_ARRIVALS:,} arrivals; cut the file")
        found.append(time)
    if not found:
        raise TraceError(f"{path}: there is no arrival in it")
    if found[-1] - found[0] >= 2**62:
        raise TraceError(f"{path}: its times lie too far apart")
    try:
        return packed(np.array([time - found[0] for time in found], np.int64))
    except ValueError as error:
        raise TraceError(f"{path}: {error}") from None


def _csv_times(path: Path, names: list[str], lines: Iterator[tuple[int, list[str]]]) -> Iterator[int]:
    lower = [name.lower() for name in names]
    column = next((lower.index(name) for name in _COLUMNS if name in lower), None)
    if column is not None or _kind(names[0]) is None:
        number, _ = next(lines)
        if column is None and not names[0][:1].isalpha():
            raise TraceError(
                f"{path}:{number}: {_shown(names[0])} is neither a timestamp nor a column's name"
            )
    column = column or 0
    clock = _Clock(path)
    for number, row in lines:
        if column >= len(row):
            raise TraceError(f"{path}:{number}: has no column {column + 1}")
        yield clock.in_order(number, row[column].strip())


class _Clock:
    """Reads the timestamps of one file, which are of one kind and in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kind: str | None = None
        self._last: int | None = None
        self._seconds: dict[str, int] = {}
        # Numbers of as many digits as the last one are of its unit, without looking closer.
        self._scale = 1
        self._like = 0

    def in_order(self, number: int, text: str) -> int:
        """Nanoseconds since 1970, or since whatever the file counts from.

        Raises:
            TraceError: It is no timestamp, of another kind than the others, or earlier than the one before.
        """
        time = self.read(number, text)
        if self._last is not None and time < self._last:
            raise TraceError(
                f"{self._path}:{number}: {_shown(text)} is {format_duration(self._last - time)} earlier than "
                "the line before; sort the file by time"
            )
        self._last = time
        return time

    def read(self, number: int, text: str) -> int:
        """The same in any order."""
        whole, dot, fraction = text.partition(".")
        if len(whole) == self._like and whole.isdecimal() and (fraction.isdecimal() or not dot):
            return self._number(whole, fraction)
        kind = _kind(text)
        if kind is None:
            raise TraceError(
                f"{self._path}:{number}: {_shown(text)} is not a timestamp; write seconds, milliseconds "
                "since 1970, or ISO 8601"
            )
        if self._kind is None:
            self._kind = kind
        if kind != self._kind:
            raise TraceError(
                f"{self._path}:{number}: {_shown(text)} is in {_words(kind)}, and the lines before are in "
                f"{_words(self._kind)}"
            )
        try:
            if kind.startswith("iso"):
                return self._iso(text)
            self._scale = next(scale for _, scale, name in _UNITS if name == kind)
            self._like = len(whole)
            return self._number(whole, fraction)
        except (ValueError, OverflowError) as error:
            raise TraceError(f"{self._path}:{number}: {_shown(text)} is not a time: {error}") from None

    def _number(self, whole: str, fraction: str) -> int:
        finer = len(str(self._scale)) - 1
        return int(whole) * self._scale + int(fraction[:finer].ljust(finer, "0") or 0)

    def _iso(self, text: str) -> int:
        match = _ISO.fullmatch(text)
        assert match is not None
        day, clock, fraction, zone = match.groups()
        key = day + clock + (zone or "")
        if key not in self._seconds:
            if len(self._seconds) > 10_000:
                self._seconds.clear()
            moment = datetime.fromisoformat(f"{day}T{clock}{(zone or 'Z').upper()}")
            since = moment - datetime(1970, 1, 1, tzinfo=UTC)
            self._seconds[key] = since.days * 86_400 + since.seconds
        return self._seconds[key] * _S + int((fraction or "").ljust(9, "0"))


def _kind(text: str) -> str | None:
    """``s``, ``ms``, ``us``, ``ns``, ``iso`` (without a time zone), ``iso+`` (with one); None for what is no
    timestamp."""
    if match := _NUMBER.fullmatch(text.strip()):
        whole = int(match[1]) if len(match[1]) < 25 else 10**25
        return next((name for limit, _, name in _UNITS if whole < limit), None)
    if match := _ISO.fullmatch(text.strip()):
        return "iso+" if match[4] else "iso"
    return None


def _words(kind: str) -> str:
    if kind.startswith("iso"):
        return "ISO 8601 with a time zone" if kind == "iso+" else "ISO 8601 without a time zone"
    return f"numbers of {kind}"


def _locust_rates(path: Path, names: list[str], lines: Iterator[tuple[int, list[str]]]) -> str:
    """The rates of Locust's ``_stats_history.csv``. Locust writes a line a second, with the requests per
    second of all endpoints in the row ``Aggregated``; that figure is an average over ten seconds, which have
    ended two seconds before."""
    at, name, rate = (names.index(column) for column in _LOCUST)
    clock = _Clock(path)
    found: list[tuple[int, str]] = []
    for number, row in lines:
        if max(at, name, rate) >= len(row):
            raise TraceError(f"{path}:{number}: is not a whole line of Locust's stats history")
        if row[name].strip() != "Aggregated":
            continue
        time = clock.in_order(number, row[at].strip())
        try:
            per_second = format_rate(float(row[rate]))
        except (ValueError, ArithmeticError):
            raise TraceError(f"{path}:{number}: {_shown(row[rate])} is not a rate") from None
        if not _NUMBER.fullmatch(per_second.removesuffix("/s")):
            raise TraceError(f"{path}:{number}: {_shown(row[rate])} is not a rate")
        if found and time == found[-1][0]:
            found.pop()
        if len(found) == MOST_RATES:
            raise TraceError(f"{path}: has more than {MOST_RATES:,} rates; cut the file")
        found.append((time, per_second))
    if not found:
        raise TraceError(f"{path}: there is no row Aggregated in it")
    start, last = found[0][0], found[-1][0]
    end = last + (last - found[-2][0] if len(found) > 1 else _S)
    changes = [
        (time, value)
        for place, (time, value) in enumerate(found)
        if not place or value != found[place - 1][1]
    ]
    parts = [f"{format_duration(time - start)}:{value}" for time, value in changes]
    return " ".join([*parts, format_duration(end - start)])


def _k6_times(path: Path, lines: Iterable[str]) -> list[int]:
    """The times of the ``http_reqs`` in k6's JSON, or of its ``iterations`` if it made no requests: when each
    ended, which is what k6 writes down. They are sorted: k6 writes them as they are collected."""
    clock = _Clock(path)
    times: dict[str, list[int]] = {metric: [] for metric in _K6}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            entry = None
        if not isinstance(entry, dict) or "metric" not in entry:
            raise TraceError(f"{path}:{number}: is not a line of k6's JSON, with a metric")
        data = entry.get("data")
        if entry.get("type") != "Point" or entry["metric"] not in times:
            continue
        time = data.get("time") if isinstance(data, dict) else None
        if not isinstance(time, str) or _kind(time) != "iso+":
            raise TraceError(f"{path}:{number}: has no data.time in ISO 8601")
        found = times[entry["metric"]]
        found.append(clock.read(number, time))
        if len(found) > MOST_ARRIVALS:
            raise TraceError(f"{path}: has more than {MOST_ARRIVALS:,} {entry['metric']}; cut the file")
    return sorted(next((found for found in times.values() if found), []))


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")
