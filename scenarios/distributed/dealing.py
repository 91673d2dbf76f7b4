"""Who plays which arrivals from when on: decided by the master, without a clock of its own.

Arrivals are granted to all workers up to a time a little ahead. They are dealt anew only from the end of what
was granted on, so that no worker can have taken any of them. While a worker is overdue nothing more is
granted to anybody: once it is known to be lost, little of its share is left behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from journal.clock import MILLISECOND, SECOND

GRANT_NS = 3 * SECOND
"""How far ahead of now arrivals are granted."""

OVERDUE_NS = SECOND
"""A worker that was silent for so long holds up the grants; one beats each half second."""

LOST_NS = 2500 * MILLISECOND
"""A worker that was silent for so long is taken for lost. From its last sign of life until others play its
share, no more than ``OVERDUE_NS + GRANT_NS`` and two steps go by."""

_STALL_NS = SECOND
"""A master that did not look for so long was held up itself, and cannot say who was silent."""


class Deal(NamedTuple):
    """From ``start_ns`` on, worker ``workers[i]`` plays the arrivals with ``number % len(workers) == i``."""

    start_ns: int
    workers: tuple[str, ...]


class Dealing:
    """Keeps who plays what. All times are in ns since the run's epoch, on the master's clock.

    Args:
        workers: Who is there at the start.
        now_ns: Now; the load begins at 0.
    """

    def __init__(self, workers: Iterable[str], now_ns: int) -> None:
        self.deals = [Deal(min(now_ns, 0), tuple(workers))]
        self.granted_ns = self.deals[0].start_ns
        self._heard = dict.fromkeys(self.deals[0].workers, now_ns)
        self._looked_ns = now_ns
        self.look(now_ns)

    @property
    def workers(self) -> tuple[str, ...]:
        """Who plays what has not been granted yet."""
        return self.deals[-1].workers

    def heard(self, worker: str, now_ns: int) -> None:
        """A worker gave a sign of life."""
        if worker in self._heard:
            self._heard[worker] = now_ns

    def look(self, now_ns: int) -> tuple[str, ...]:
        """Grant what can be granted; to be called a few times a second.

        Returns:
            Who is newly lost. Its share has been dealt to the others; the last one's to nobody.
        """
        held_up = now_ns - self._looked_ns
        self._looked_ns = now_ns
        if held_up > _STALL_NS:
            self._heard = {worker: heard + held_up for worker, heard in self._heard.items()}
        silent = {worker: now_ns - heard for worker, heard in self._heard.items()}
        lost = tuple(worker for worker, for_ns in silent.items() if for_ns > LOST_NS)
        self.remove(*lost)
        if all(for_ns <= OVERDUE_NS for worker, for_ns in silent.items() if worker not in lost):
            self.granted_ns = max(self.granted_ns, now_ns + GRANT_NS)
        return lost

    def add(self, worker: str, now_ns: int) -> None:
        """Deal a new worker in."""
        if worker not in self._heard:
            self._heard[worker] = now_ns
            self._deal((*self.workers, worker))

    def remove(self, *workers: str) -> None:
        """Deal the shares of some workers to the others. What was granted to them stays theirs."""
        for worker in workers:
            self._heard.pop(worker, None)
        left = tuple(worker for worker in self.workers if worker not in workers)
        if left != self.workers:
            self._deal(left)

    def retire(self, worker: str) -> int:
        """Deal a worker's share to the others, and wait for its signs of life no more than for the others'.

        Returns:
            Until when it plays.
        """
        left = tuple(name for name in self.workers if name != worker)
        if left != self.workers:
            self._deal(left)
        return self.granted_ns

    def over(self, worker: str) -> None:
        """A worker has played everything that was its own: it may be silent."""
        self._heard.pop(worker, None)

    def _deal(self, workers: tuple[str, ...]) -> None:
        self.deals.append(Deal(self.granted_ns, workers))
