"""The journal of a worker, on its way to the master.

A worker may have no disk that anybody will look at. It sends its batches to the master, numbered, and keeps
each until the master says that it is in a file. What is not acknowledged is sent again, in order; the master
takes the next number only, so that nothing is doubled and nothing is left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from journal.clock import SECOND
from journal.records import NAMES, Record
from journal.stream import Stream, encode

AGAIN_NS = 3 * SECOND
"""A batch that has not been acknowledged for so long is sent again."""

FULL_BYTES = 64 * 2**20
"""A worker that keeps so much for the master takes no new arrivals until some of it is acknowledged."""


class Batch(NamedTuple):
    """Batch ``number`` of a worker, from 1 on: records of ``table`` as a message of an Arrow IPC stream."""

    number: int
    table: str
    data: bytes


class Shipper:
    """Takes a worker's records as ``journal.writer.Writer`` does, and ships them.

    Args:
        process: Name of the load process.
        send: Sends a batch to the master.
        now_ns: A monotonic clock.
    """

    def __init__(self, process: str, send: Callable[[Batch], object], now_ns: Callable[[], int]) -> None:
        self.process = process
        self.batches = 0
        self.closed = False
        self.kept_bytes = 0
        self._send = send
        self._now_ns = now_ns
        self._pending: dict[type[Record], list[Record]] = {}
        self._unacknowledged: deque[Batch] = deque()
        self._sent_ns = 0

    @property
    def full(self) -> bool:
        """Whether the master is so far behind that nothing more should be recorded."""
        return self.kept_bytes > FULL_BYTES

    @property
    def empty(self) -> bool:
        """Whether the master has everything."""
        return not self._unacknowledged and not any(self._pending.values())

    def write(self, record: Record) -> None:
        """Take a record; it is on its way after the next ``flush``."""
        try:
            self._pending[type(record)].append(record)
        except KeyError:
            self._pending[type(record)] = [record]

    def flush(self) -> None:
        """Ship what has been taken since the last flush."""
        if not self._unacknowledged:
            self._sent_ns = self._now_ns()
        for kind, rows in self._pending.items():
            if rows:
                self.batches += 1
                batch = Batch(self.batches, NAMES[kind], encode(NAMES[kind], rows).to_pybytes())
                rows.clear()
                self._unacknowledged.append(batch)
                self.kept_bytes += len(batch.data)
                self._send(batch)

    def close(self) -> None:
        """Ship the rest; there will be no more."""
        self.flush()
        self.closed = True

    def acknowledged(self, number: int) -> None:
        """The master has all batches up to this one."""
        while self._unacknowledged and self._unacknowledged[0].number <= number:
            self.kept_bytes -= len(self._unacknowledged.popleft().data)
            self._sent_ns = self._now_ns()

    def send_again(self) -> None:
        """Send what the master should have acknowledged by now; to be called from time to time."""
        if self._unacknowledged and self._now_ns() - self._sent_ns > AGAIN_NS:
            self._sent_ns = self._now_ns()
            for batch in tuple(self._unacknowledged):
                self._send(batch)


class Receiver:
    """Appends one worker's batches to the run's journal.

    Args:
        folder: Of the journal.
        process: Name of the load process.
    """

    def __init__(self, folder: Path, process: str) -> None:
        self.process = process
        self.number = 0
        """The last batch that is in a file."""
        self._folder = folder
        self._streams: dict[str, Stream] = {}

    def take(self, batch: Batch) -> int:
        """Append a batch if it is the next one; a doubled one and one that is too early are left out.

        Returns:
            The last batch that is in a file.

        Raises:
            OSError: It cannot be written; it will come again.
        """
        if batch.number == self.number + 1:
            stream = self._streams.get(batch.table)
            if stream is None:
                stream = self._streams[batch.table] = Stream(self._folder, self.process, batch.table)
            stream.append(batch.data)
            self.number = batch.number
        return self.number

    def close(self) -> None:
        """End every file. Raises OSError when one cannot be written."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
