"""One worker's share of the arrivals, which may change while it is played.

Arrival number n belongs to the worker for which ``n % workers == index``. When a worker joins or is gone, all
get a new index and a new number of workers, for the arrivals that are due from some time on. So that no
arrival is missing or doubled, that time has to lie beyond everything that anybody has looked at: a share
looks no further than to the arrivals it was granted, those that are due before a given time, and a change
begins behind what was granted to anybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

EVER = 2**63 - 1
"""A time that never comes, in ns since the epoch: grants every arrival."""


class Share:
    """The arrivals of one worker, in due order. It has none until it is dealt some.

    Args:
        times: Due times of all arrivals of the load in ns since the epoch, in order; number n is the nth.
        granted_ns: Arrivals that are due before this time may be taken.
    """

    def __init__(self, times: Iterable[int], granted_ns: int = EVER) -> None:
        self._times: Iterator[int] = iter(times)
        self._granted_ns = granted_ns
        self._until_ns = EVER
        self._number = -1
        self._due: int | None = None
        self._mine = False
        self._index: int | None = None
        self._workers = 1
        self._changes: deque[tuple[int, int | None, int]] = deque()
        self._dealt_ns = -EVER

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
        self._look(EVER)
        return self._due

    def pass_over(self, most: int) -> bool:
        """Look at so many arrivals at most, until there is one to take or to wait for. Returns whether there
        is: a worker that joins late has to pass over all that were due before, and does it in parts."""
        return self._mine or self._look(most)

    def _look(self, most: int) -> bool:
        """Look for the next arrival; False when as many as that have been looked at and none was found."""
        for _ in range(most):
            if self._due is None:
                if (due := next(self._times, None)) is None:
                    return True
                self._number += 1
                self._due = due
            if self._due >= self._until_ns:
                self._due = None
                self._times = iter(())
                return True
            if self._due >= self._granted_ns:
                return True
            while self._changes and self._changes[0][0] <= self._due:
                _, self._index, self._workers = self._changes.popleft()
            if self._index is not None and self._number % self._workers == self._index:
                self._mine = True
                return True
            self._due = None
        return False

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

    def reshard(self, start_ns: int, index: int | None, workers: int) -> None:
        """Of the arrivals that are due from ``start_ns`` on, take those with ``number % workers == index``;
        none if the index is ``None``.

        Raises:
            ValueError: Arrivals that are due then have been granted as they were dealt before.
        """
        if self._dealt_ns != -EVER and start_ns < max(self._granted_ns, self._dealt_ns):
            raise ValueError(
                f"arrivals are granted until {self._granted_ns} ns and cannot be dealt anew "
                f"from {start_ns} on"
            )
        self._changes.append((start_ns, index, workers))
        self._dealt_ns = start_ns

    def end(self, until_ns: int) -> None:
        """Take nothing that is due from this time on, whoever it belongs to, and be over then."""
        self._until_ns = min(self._until_ns, until_ns)


def of(times: Iterable[int], index: int, workers: int) -> Share:
    """A worker's share of arrivals that are all granted."""
    share = Share(times)
    share.reshard(-EVER, index, workers)
    return share
