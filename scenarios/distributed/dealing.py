"""Who plays which arrivals from when on: decided by the master, without a clock of its own.

Arrivals are granted to all workers up to a time a little ahead. They are dealt anew only from the end of what
was granted on, so that no worker can have taken any of them. While a worker is overdue nothing more is
granted to anybody: once it is known to be lost, little of its share is left behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from journal.clock import MILLISECOND, SECOND

GRANT_NS = 3500 * MILLISECOND
"""How far ahead of now arrivals are granted."""

OVERDUE_NS = SECOND
"""A worker that was silent for so long holds up the grants; one beats each half second."""

LOST_NS = 3 * SECOND
"""A worker that was silent for so long is taken for lost. Its share is dealt to the others from
``OVERDUE_NS + GRANT_NS`` after its last sign of life on, or earlier."""

DESERTED_NS = 15 * SECOND
"""When no worker has been heard of for so long, none is waited for any more."""

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
        # Who begins has until then to give a sign of life: before, nothing depends on it.
        self._heard = dict.fromkeys(self.deals[0].workers, max(now_ns, 0))
        self._lost: set[str] = set()
        self._retired: set[str] = set()
        self._looked_ns = now_ns
        self.look(now_ns)

    @property
    def workers(self) -> tuple[str, ...]:
        """Who plays what has not been granted yet; lost ones only if there are no others."""
        return self.deals[-1].workers

    def heard(self, worker: str, now_ns: int) -> bool:
        """A worker gave a sign of life. Whether it was taken for lost: then it is dealt in again."""
        if worker not in self._heard:
            return False
        self._heard[worker] = now_ns
        if worker not in self._lost:
            return False
        self._lost.discard(worker)
        if worker not in self._retired:
            self._deal_among((*self.workers, worker))
        return True

    def look(self, now_ns: int) -> tuple[str, ...]:
        """Grant what can be granted; to be called a few times a second.

        Returns:
            Who is newly lost. Its share has been dealt to the others, if there are any.
        """
        held_up = now_ns - self._looked_ns
        self._looked_ns = now_ns
        if held_up > _STALL_NS:
            self._heard = {worker: heard + held_up for worker, heard in self._heard.items()}
        silent = {w: now_ns - heard for w, heard in self._heard.items() if w not in self._lost}
        lost = tuple(worker for worker, for_ns in silent.items() if for_ns > LOST_NS)
        self._lost.update(lost)
        self._deal_among(self.workers)
        in_time = all(silent[worker] <= OVERDUE_NS for worker in silent if worker not in lost)
        if in_time and not self._lost.issuperset(self.workers):
            self.granted_ns = max(self.granted_ns, now_ns + GRANT_NS)
        return lost

    def deserted(self, now_ns: int) -> bool:
        """Whether nobody is left who could play, and nobody is expected back."""
        return self._lost.issuperset(self.workers) and all(
            now_ns - self._heard[worker] > DESERTED_NS for worker in self.workers if worker in self._heard
        )

    def add(self, worker: str, now_ns: int) -> None:
        """Deal a new worker in."""
        if worker not in self._heard:
            self._heard[worker] = now_ns
            self._deal_among((*self.workers, worker))

    def retire(self, worker: str) -> int:
        """Deal the share of a worker that leaves to the others.

        Returns:
            Until when it plays.
        """
        self._retired.add(worker)
        self._deal_among(self.workers)
        return self.deals[-1].start_ns if worker not in self.workers else self.granted_ns

    def over(self, worker: str) -> None:
        """A worker has played everything that was its own: it may be silent."""
        self._heard.pop(worker, None)

    def _deal_among(self, workers: tuple[str, ...]) -> None:
        """Deal to those of the workers that are there; if nobody is, all stays as it is."""
        there = tuple(w for w in dict.fromkeys(workers) if w not in self._lost and w not in self._retired)
        if there and there != self.workers:
            self.deals.append(Deal(self.granted_ns, there))
