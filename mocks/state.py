"""A mock's state file: what happened to it, in order, so that it can happen again after a restart.

Text, a record a line: the CRC-32 of the rest in eight hexadecimal digits, a space, a JSON array whose first
item says what it is. The first record is ``["paydrill-state", identity]``; a file is only ever read by a mock
of the same identity. Records are written with one ``write()`` before the answer that depends on them leaves:
what was answered survives the end of the process, ``kill -9`` included. It is not synced to the disk, so a
loss of power may take the last seconds along; what is half written at the end is dropped at the next start.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

FORMAT = 1
_MAGIC = "paydrill-state"

Record = list[Any]


class StateError(Exception):
    """The file cannot be used, or not any more; the text says why, and what to do."""


class StateFile:
    """One file, locked while it is open.

    Args:
        path: Made when there is none.
        identity: Whose state it is: gateway, seed and whatever else decides what a request comes to.

    Attributes:
        dropped: Bytes at the end that were no whole record; known once ``records`` has been read.

    Raises:
        StateError: It cannot be opened, is in use, is no state file, or holds the state of another mock.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path = path
        self.dropped = 0
        self._head: Record = [_MAGIC, {"format": FORMAT, **identity}]
        self._pending: list[bytes] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # What callers sent stands in it, their credentials included.
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"the state file {path} cannot be opened: {error.strerror}") from error
        try:
            self._lock()
            self._check()
        except BaseException:
            os.close(self._file)
            raise

    def records(self) -> Iterator[Record]:
        """What happened, oldest first. To be read to its end before anything is appended.

        Raises:
            StateError: A record in the middle is damaged.
        """
        good = 0
        with os.fdopen(os.dup(self._file), "rb") as lines:
            lines.seek(0)
            for number, line in enumerate(lines):
                record = _parsed(line)
                if record is None:
                    if any(_parsed(later) is not None for later in lines):
                        where = f"line {number + 1} of the state file {self.path} is damaged"
                        raise StateError(f"{where}; name another file, or delete this one to begin anew")
                    break
                good += len(line)
                if number:
                    yield record
        self.dropped = os.fstat(self._file).st_size - good
        if self.dropped:
            os.ftruncate(self._file, good)

    def append(self, record: Record) -> None:
        """Add a record; ``flush`` writes it."""
        self._pending.append(_line(record))

    def flush(self) -> None:
        """Write what was appended. Raises StateError when that fails; the file lacks something then."""
        data = b"".join(self._pending)
        self._pending.clear()
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise StateError(f"the state file {self.path} cannot be written: {error.strerror}") from error

    def clear(self) -> None:
        """Begin anew: nothing has happened. Raises StateError when it cannot be written."""
        self._pending.clear()
        try:
            os.ftruncate(self._file, 0)
        except OSError as error:
            raise StateError(f"the state file {self.path} cannot be written: {error.strerror}") from error
        self.append(self._head)
        self.flush()

    def close(self) -> None:
        """Unlock; what was appended and not flushed is not kept."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(f"the state file {self.path} is in use by another mock") from error

    def _check(self) -> None:
        with os.fdopen(os.dup(self._file), "rb") as lines:
            lines.seek(0)
            first = lines.readline()
            more = bool(lines.readline())
        found = _parsed(first)
        if found is None and not more and _line(self._head).startswith(first):
            self.clear()  # new, or killed while it was begun
            return
        if found is None or len(found) != 2 or found[0] != _MAGIC:
            raise StateError(f"{self.path} is no state file; name another one")
        for name, ours in self._head[1].items():
            theirs = found[1].get(name)
            if theirs != ours:
                what = f"the state file {self.path} was written with {name} {theirs}, this mock has {ours}"
                raise StateError(f"{what}; start with that, name another file, or delete this one")


def _line(record: Record) -> bytes:
    body = orjson.dumps(record)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def _parsed(line: bytes) -> Record | None:
    """None for what is no whole record."""
    if line[8:9] != b" " or not line.endswith(b"\n"):
        return None
    body = line[9:-1]
    if b"%08x" % zlib.crc32(body) != line[:8]:
        return None
    record = orjson.loads(body)
    return record if isinstance(record, list) and record else None
