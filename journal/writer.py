"""The append-only writer: one Arrow IPC stream per process and table."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa

from journal.records import NAMES, Record, schema

FLUSH_EVERY = 0.5
"""Seconds between two flushes, at most. A process that is killed loses no more than this."""


END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""How an Arrow IPC stream ends (Arrow columnar format, "IPC Streaming Format")."""


class Sink(Protocol):
    """Takes records."""

    def write(self, record: Record) -> None: ...


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
        self._streams: dict[type[Record], _Stream] = {}

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
                    path = self.folder / f"{self.process}.{NAMES[kind]}.arrow"
                    stream = self._streams[kind] = _Stream(path, schema(NAMES[kind]))
                stream.append(rows)
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


class _Stream:
    """One Arrow IPC stream in one file that is only ever appended to."""

    def __init__(self, path: Path, columns: pa.Schema) -> None:
        self._schema = columns
        self._file = path.open("xb", buffering=0)
        self._whole = 0
        try:
            self._append(columns.serialize())
        except OSError:
            # A file without its head would stand in the way of the next try.
            self._file.close()
            path.unlink(missing_ok=True)
            raise

    def append(self, rows: list[Any]) -> None:
        columns = [
            pa.array(values, type=field.type)
            for field, values in zip(self._schema, zip(*rows, strict=True), strict=True)
        ]
        self._append(pa.record_batch(columns, schema=self._schema).serialize())

    def _append(self, message: pa.Buffer) -> None:
        view = memoryview(message)
        size = len(view)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            # A full disk can take half a batch. Cut it off, or nothing after it would be readable.
            self._file.truncate(self._whole)
            self._file.seek(self._whole)
            raise
        self._whole += size

    def close(self) -> None:
        try:
            self._append(pa.py_buffer(END_OF_STREAM))
        finally:
            self._file.close()
