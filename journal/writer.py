"""The append-only writer: one Arrow IPC stream per process and table."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol

from journal.records import NAMES, Record
from journal.stream import Stream, encode

FLUSH_EVERY = 0.5
"""Seconds between two flushes, at most. A process that is killed loses no more than this."""


class Sink(Protocol):
    """Takes records."""

    def write(self, record: Record) -> None: ...


class Recorder(Sink, Protocol):
    """Takes the records of one process and brings them, in batches, to where they are kept."""

    process: str

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Writer:
    """Collects records in memory and appends them to ``<folder>/<process>.<table>.arrow`` in batches.

    The writer starts no thread and no timer: its owner calls ``flush`` from its own loop, at least every
    ``FLUSH_EVERY`` seconds. A batch reaches the file in one unbuffered write, so that after ``kill -9``
    every flushed batch is readable. Not safe for use from several threads.

    Raises:
        OSError: The folder cannot be written, or the disk is full. Records of the failed batch are kept
            and written by the next ``flush`` that succeeds.
    """

    def __init__(self, folder: Path, process: str) -> None:
        self.folder = folder
        self.process = process
        self._pending: dict[type[Record], list[Record]] = {}
        self._streams: dict[type[Record], Stream] = {}

    def write(self, record: Record) -> None:
        """Take a record; it is durable after the next ``flush``."""
        try:
            self._pending[type(record)].append(record)
        except KeyError:
            self._pending[type(record)] = [record]

    def flush(self) -> None:
        """Append what has been taken since the last flush."""
        for kind, rows in self._pending.items():
            if rows:
                stream = self._streams.get(kind)
                if stream is None:
                    stream = self._streams[kind] = Stream(self.folder, self.process, NAMES[kind])
                stream.append(encode(NAMES[kind], rows))
                rows.clear()

    def close(self) -> None:
        """Flush, and end every stream with its end-of-stream marker."""
        self.flush()
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
