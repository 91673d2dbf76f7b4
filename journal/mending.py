"""Making whole what a killed process left: its files, as far as they can be read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from journal.records import TABLES, schema
from journal.stream import END_OF_STREAM


def mend(folder: Path, process: str) -> None:
    """Cut what a dead process wrote behind the last whole batch of each of its files, and end the file.

    What was flushed stays; what is cut off could not be read by anybody. Does nothing to a file that was
    ended in order.

    Raises:
        OSError: A file cannot be read or written.
    """
    for table in TABLES:
        path = folder / f"{process}.{table}.arrow"
        if path.exists():
            _mend(path, schema(table))


def written(folder: Path, process: str, table: str) -> pa.Table:
    """What one process wrote into a table, as far as it is whole; empty if it wrote none.

    Raises:
        OSError: The file cannot be read.
    """
    columns = schema(table)
    path = folder / f"{process}.{table}.arrow"
    batches = _whole(path.read_bytes(), columns)[0] if path.exists() else []
    return pa.Table.from_batches(batches, schema=columns)


def _mend(path: Path, columns: pa.Schema) -> None:
    data = path.read_bytes()
    end = _whole(data, columns)[1]
    if data[end:] == END_OF_STREAM:
        return
    head = columns.serialize().to_pybytes()
    with path.open("r+b", buffering=0) as file:
        if end < len(head):
            file.truncate(0)
            file.write(head)
        else:
            file.truncate(end)
            file.seek(end)
        file.write(END_OF_STREAM)


def _whole(data: bytes, columns: pa.Schema) -> tuple[list[pa.RecordBatch], int]:
    """The whole batches, and where the last of them ends; 0 when not even the head is whole."""
    head = columns.serialize().size
    if len(data) < head:
        return [], 0
    source = pa.BufferReader(data)
    source.seek(head)
    batches: list[pa.RecordBatch] = []
    end = head
    while True:
        try:
            batches.append(pa.ipc.read_record_batch(pa.ipc.read_message(source), columns))
        except (EOFError, pa.ArrowInvalid, OSError):
            return batches, end
        end = source.tell()
