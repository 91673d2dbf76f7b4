"""How much CPU time each process of a drill takes, read from ``/proc`` while it runs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_EVERY_S = 0.2

CONDUCTOR = "conductor"


class ProcessCpu:
    """Samples the CPU time (user + system) of a drill's conductor and of its descendants, from a thread.

    A descendant is called as its log: ``platform`` writes to ``platform.log``. Processes that share a log,
    as load workers do, count as one.

    Args:
        pid: The conductor.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._names: dict[int, str] = {}
        self._last: dict[int, float] = {}
        self._samples: list[tuple[float, dict[str, float]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="process-cpu", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Sample no more."""
        self._over.set()
        self._thread.join()

    def between(self, start: float, end: float) -> dict[str, float]:
        """Name -> seconds of CPU time from one Unix time to another, as far as samples tell: to the fifth of
        a second."""
        before, after = self._at(start), self._at(end)
        return {name: spent - before.get(name, 0.0) for name, spent in after.items()}

    def _at(self, moment: float) -> dict[str, float]:
        """What had been spent at a moment."""
        seen: dict[str, float] = {}
        for at, spent in self._samples:
            if at > moment:
                break
            seen = spent
        return seen

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            for pid in (self._pid, *_descendants(self._pid)):
                self._look(pid)
            spent: dict[str, float] = {}
            for pid, seconds in self._last.items():
                name = self._names[pid]
                spent[name] = spent.get(name, 0.0) + seconds
            self._samples.append((time.time(), spent))

    def _look(self, pid: int) -> None:
        try:
            if pid not in self._names:
                self._names[pid] = CONDUCTOR if pid == self._pid else _log(pid)
            self._last[pid] = _cpu_s(pid)
        except OSError:
            return  # it has ended; what was last seen of it stands


def _log(pid: int) -> str:
    return Path(f"/proc/{pid}/fd/1").readlink().stem


def _cpu_s(pid: int) -> float:
    # The name of the command, in parentheses, may hold anything; see proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = [
            int(child)
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except OSError:
        return
    for child in children:
        yield child
        yield from _descendants(child)
