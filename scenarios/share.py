"""One worker's share of the arrivals, which may change while it is played.

Arrival number n belongs to the worker for which ``n % workers == index``. When a worker joins or is gone, all
get a new index and a new number of workers from some arrival number on. So that no arrival is missing or
doubled, that number has to lie beyond everything that anybody has looked at: a share looks no further than to
the arrivals it was granted, those that are due before a given time, and a change begins behind what was
granted to anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

NO_LIMIT = 2**63 - 1
"""Grants every arrival, in ns since the epoch: for a share that never changes."""


class Share:
    """The arrivals of one worker, in due order.

    Args:
        times: Due times of all arrivals of the load in ns since the epoch, in order; number n is the nth.
        granted_ns: Arrivals that are due before this time may be taken.
    """

    def __init__(self, times: Iterable[int], granted_ns: int = NO_LIMIT) -> None:
        self._times: Iterator[int] = iter(times)
        self._granted_ns = granted_ns
        self._number = -1
        self._due: int | None = None
        self._mine = False
        self._over = False
        self._index: int | None = None
        self._workers = 1
        self._changes: list[tuple[int, int | None, int]] = []

    @property
    def withheld(self) -> bool:
        """Whether the arrival that was peeked at may not be taken by anybody yet: wait for a grant."""
        return self._due is not None and not self._mine

    @property
    def granted_ns(self) -> int:
        """Arrivals that are due before this time may be taken."""
        return self._granted_ns

    def next_due(self) -> int | None:
        """The due time of this worker's next arrival; ``None``: there are no more.

        While ``withheld``, it is the due time of the first arrival that has not been granted.
        """
        if self._mine:
            return self._due
        while True:
            if self._due is None:
                if self._over or (due := next(self._times, None)) is None:
                    self._over = True
                    return None
                self._number += 1
                self._due = due
            if self._due >= self._granted_ns:
                return self._due
            while self._changes and self._changes[0][0] <= self._number:
                _, self._index, self._workers = self._changes.pop(0)
            if self._index is not None and self._number % self._workers == self._index:
                self._mine = True
                return self._due
            self._due = None

    def take(self) -> tuple[int, int]:
        """The number and the due time of the arrival that was peeked at; the next peek sees the one after it.

        Raises:
            LookupError: There is no arrival to take: none was peeked at, or it is withheld.
        """
        if not self._mine or self._due is None:
            raise LookupError("no arrival has been peeked at that may be taken")
        taken = self._number, self._due
        self._due = None
        self._mine = False
        return taken

    def grant(self, until_ns: int) -> None:
        """Let arrivals be taken that are due before this time; what was granted before stays granted."""
        self._granted_ns = max(self._granted_ns, until_ns)

    def reshard(self, start: int, index: int | None, workers: int) -> None:
        """From arrival number ``start`` on, take those with ``number % workers == index``; none if the index
        is ``None``.

        Raises:
            ValueError: Whose an arrival is, that number or a later one, has been decided already.
        """
        decided = self._number + 1 if self._due is None or self._mine else self._number
        if start < decided or (self._changes and start <= self._changes[-1][0]):
            raise ValueError(f"arrivals can be dealt anew from number {decided} on, not from {start} on")
        self._changes.append((start, index, workers))


def of(times: Iterable[int], index: int, workers: int) -> Share:
    """A worker's share of arrivals that are all granted."""
    share = Share(times)
    share.reshard(0, index, workers)
    return share
