"""Reading a journal back, whole or while it is being written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from journal.records import TABLES, schema


@dataclass(frozen=True, slots=True)
class Damage:
    """A journal file that ended in the middle of a batch: its process was killed, or the file was cut."""

    file: str
    batches_read: int
    reason: str


@dataclass(slots=True)
class Journal:
    """The journal of one run.

    Attributes:
        folder: The ``journal`` folder of a run.
        damage: Files whose end could not be read, filled as tables are read. What stands before the
            damage is part of the tables.
    """

    folder: Path
    damage: list[Damage] = field(default_factory=list)
    _tables: dict[str, pa.Table] = field(default_factory=dict)

    def table(self, name: str) -> pa.Table:
        """All records of a table, of all processes, in the order of file names; empty if none was written.

        Raises:
            KeyError: There is no table of that name.
        """
        if name not in self._tables:
            columns = schema(name)
            batches: list[pa.RecordBatch] = []
            for path in sorted(self.folder.glob(f"*.{name}.arrow")):
                batches += self._batches(path, columns)
            self._tables[name] = pa.Table.from_batches(batches, schema=columns)
        return self._tables[name]

    def processes(self) -> tuple[str, ...]:
        """The names of the processes that wrote something."""
        return tuple(sorted({path.name.split(".")[0] for path in self.folder.glob("*.*.arrow")}))

    def _batches(self, path: Path, columns: pa.Schema) -> list[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = []
        try:
            with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
                if not stream.schema.equals(columns):
                    raise pa.ArrowInvalid("its columns are those of another version of paydrill")
                while True:
                    batches.append(stream.read_next_batch())
        except StopIteration:
            pass
        except (pa.ArrowInvalid, OSError) as error:
            # Which batches are whole is known; what the library says of the rest differs by where it was cut.
            reason = "ends in the middle of a batch" if batches or path.stat().st_size else "is empty"
            if "another version" in str(error):
                reason = str(error)
            self.damage.append(Damage(path.name, len(batches), reason))
        return batches


class Tail:
    """Follows a journal while it is written: each ``new`` call yields the batches since the last one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}

    def new(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield ``(table, batch)`` for every batch that was appended since the last call."""
        for path in sorted(self._folder.glob("*.*.arrow")):
            table = path.name.split(".")[-2]
            if table in TABLES:
                for batch in self._read(path, schema(table)):
                    yield table, batch

    def _read(self, path: Path, columns: pa.Schema) -> Iterator[pa.RecordBatch]:
        head = columns.serialize().size
        with path.open("rb") as file:
            start = max(self._offsets.get(path, head), head)
            file.seek(start)
            data = file.read()
        source = pa.BufferReader(data)
        while True:
            begin = source.tell()
            try:
                batch = pa.ipc.read_record_batch(pa.ipc.read_message(source), columns)
            except (EOFError, pa.ArrowInvalid, OSError):
                self._offsets[path] = start + begin
                return
            yield batch
