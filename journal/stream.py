"""One Arrow IPC stream in one file that is only ever appended to, and the batches that it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from journal.records import Record, schema

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""How an Arrow IPC stream ends (Arrow columnar format, "IPC Streaming Format")."""


def encode(table: str, rows: Sequence[Record]) -> pa.Buffer:
    """Records of one table, of which there is at least one, as one message of its stream."""
    columns = schema(table)
    arrays = [
        pa.array(values, type=field.type)
        for field, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    return pa.record_batch(arrays, schema=columns).serialize()


class Stream:
    """The file of one process and table.

    Raises:
        OSError: The file exists, cannot be written, or the disk is full. What was appended before stays
            readable, and what could not be appended may be appended again.
    """

    def __init__(self, folder: Path, process: str, table: str) -> None:
        path = folder / f"{process}.{table}.arrow"
        self._file = path.open("xb", buffering=0)
        self._whole = 0
        try:
            self.append(schema(table).serialize())
        except OSError:
            # A file without its head would stand in the way of the next try.
            self._file.close()
            path.unlink(missing_ok=True)
            raise

    def append(self, message: pa.Buffer | bytes) -> None:
        """Append one message, whole or not at all."""
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
        """End the stream with its end-of-stream marker."""
        try:
            self.append(END_OF_STREAM)
        finally:
            self._file.close()
