"""How many payments a load may have in flight at once, in the worst case: nobody answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from scenarios.arrivals import of_load
from scenarios.schema import Load


def most_due_within(times: Iterable[int], window_ns: int) -> int:
    """The most due times, in order, that lie in any half-open window of so many ns."""
    most = 0
    recent: deque[int] = deque()
    for due in times:
        recent.append(due)
        while recent[0] <= due - window_ns:
            recent.popleft()
        most = max(most, len(recent))
    return most


def most_waiting(load: Load, seed: int) -> int:
    """Payments whose customers would be waiting at once if nobody were answered: the most that fall due
    within the time-out, and a task of every user. ``load.max_in_flight`` does not count here."""
    users = load.users.count if load.users is not None else 0
    return most_due_within(of_load(load, seed), load.timeout) + users
