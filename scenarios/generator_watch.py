"""What a load process records of itself while it plays: whether it kept up, and if not, why."""

from __future__ import annotations

import gc
import os
import resource
import time
from dataclasses import dataclass
from typing import Any, Protocol

import gevent

from journal.clock import MILLISECOND, SECOND, Clock
from journal.records import GeneratorSample
from journal.writer import Sink

TICK_NS = 20 * MILLISECOND
"""The grid of times at which the event loop is asked how late it is."""

_SAMPLE_NS = SECOND
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Tally:
    """What a player has done so far: counts of payments, as in ``journal.records.GeneratorSample``."""

    due: int = 0
    sent: int = 0
    ended: int = 0
    socket_errors: int = 0
    lateness_max_ns: int = 0

    def left(self, lateness_ns: int) -> None:
        """A payment was sent, so much after its due time."""
        self.sent += 1
        if lateness_ns > self.lateness_max_ns:
            self.lateness_max_ns = lateness_ns


class Sockets(Protocol):
    """What the watch asks the client: connections open now, and attempts to make one so far."""

    @property
    def open_connections(self) -> int: ...

    @property
    def connects(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Counters:
    """Readings that only grow."""

    at_ns: int
    cpu_ns: int
    cpu_wait_ns: int | None
    preemptions: int
    steal_ns: int | None
    due: int
    sent: int
    ended: int
    socket_errors: int
    connects: int


class GeneratorWatch:
    """Writes a ``GeneratorSample`` at every second of the run's clock, and a last one when it is stopped.

    It runs as a timer of gevent's loop, without a greenlet: what it says of the loop's lag is what any other
    timer or socket of the loop meets.

    Args:
        process: Name of the load process.
        tally: Counts that the player keeps.
        sockets: The client.
        clock: The run's.
        sink: The journal.
    """

    def __init__(self, process: str, tally: Tally, sockets: Sockets, clock: Clock, sink: Sink) -> None:
        self._process = process
        self._tally = tally
        self._sockets = sockets
        self._clock = clock
        self._sink = sink
        self._timer: Any = None
        self._before: _Counters | None = None
        self._schedstat = _ProcFile("/proc/self/schedstat")
        self._stat = _ProcFile("/proc/stat")
        self._lags: list[int] = []
        self._next_tick = 0
        self._next_sample = 0
        self._gc_began = 0
        self._gc_pauses: list[int] = []
        self._gc_full = 0

    def start(self) -> None:
        """Begin to watch."""
        gc.callbacks.append(self._on_gc)
        self._before = self._read()
        self._next_tick = self._before.at_ns + TICK_NS
        self._next_sample = (self._before.at_ns // _SAMPLE_NS + 1) * _SAMPLE_NS
        self._arm(self._before.at_ns)

    def stop(self) -> None:
        """Write the closing sample and watch no more. Does nothing if it was not started, or twice."""
        if self._before is None:
            return
        self._timer.stop()
        self._timer.close()
        gc.callbacks.remove(self._on_gc)
        self._sample(closing=True)
        self._before = None
        self._schedstat.close()
        self._stat.close()

    def _arm(self, now: int) -> None:
        self._timer = gevent.get_hub().loop.timer(max(self._next_tick - now, 0) / SECOND)
        self._timer.start(self._on_tick)

    def _on_tick(self) -> None:
        self._timer.close()
        now = self._clock.now_ns()
        # A loop that was held up passes many points of the grid at once: each of them met its own delay.
        while self._next_tick <= now:
            self._lags.append(now - self._next_tick)
            self._next_tick += TICK_NS
        if now >= self._next_sample:
            self._sample(closing=False)
            self._next_sample = (now // _SAMPLE_NS + 1) * _SAMPLE_NS
        self._arm(now)

    def _on_gc(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_began = time.monotonic_ns()
        else:
            self._gc_pauses.append(time.monotonic_ns() - self._gc_began)
            self._gc_full += info["generation"] == 2

    def _read(self) -> _Counters:
        tally = self._tally
        return _Counters(
            at_ns=self._clock.now_ns(),
            cpu_ns=time.process_time_ns(),
            cpu_wait_ns=waited_ns(self._schedstat.read()),
            preemptions=resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw,
            steal_ns=stolen_ns(self._stat.read()),
            due=tally.due,
            sent=tally.sent,
            ended=tally.ended,
            socket_errors=tally.socket_errors,
            connects=self._sockets.connects,
        )

    def _sample(self, closing: bool) -> None:
        before, now = self._before, self._read()
        assert before is not None
        self._sink.write(
            GeneratorSample(
                process=self._process,
                at_ns=now.at_ns,
                interval_ns=now.at_ns - before.at_ns,
                cpu_ns=now.cpu_ns - before.cpu_ns,
                cpu_wait_ns=_less(now.cpu_wait_ns, before.cpu_wait_ns),
                preemptions=now.preemptions - before.preemptions,
                steal_ns=_less(now.steal_ns, before.steal_ns),
                gc_pauses=len(self._gc_pauses),
                gc_full=self._gc_full,
                gc_pause_ns=sum(self._gc_pauses),
                gc_pause_max_ns=max(self._gc_pauses, default=0),
                loop_lags_ns=tuple(self._lags),
                due=now.due - before.due,
                sent=now.sent - before.sent,
                ended=now.ended - before.ended,
                in_flight=now.due - now.ended,
                lateness_max_ns=self._tally.lateness_max_ns,
                connections=self._sockets.open_connections,
                connects=now.connects - before.connects,
                socket_errors=now.socket_errors - before.socket_errors,
                closing=closing,
            )
        )
        self._before = now
        self._tally.lateness_max_ns = 0
        self._lags = []
        self._gc_pauses = []
        self._gc_full = 0


def waited_ns(schedstat: bytes) -> int | None:
    """How long a process could have run and had no CPU: the second field of its ``schedstat``, in ns (Linux,
    Documentation/scheduler/sched-stats.rst); ``None`` without such figures."""
    fields = schedstat.split()
    return int(fields[1]) if len(fields) >= 2 and fields[0] != b"0" else None


def stolen_ns(stat: bytes) -> int | None:
    """Time that the hypervisor gave to others, over all CPUs: the eighth figure of the line ``cpu`` of
    ``/proc/stat``, in ticks (proc_stat(5)); ``None`` without it."""
    fields = stat.split(b"\n", 1)[0].split()
    return int(fields[8]) * SECOND // _TICKS_PER_SECOND if len(fields) > 8 and fields[0] == b"cpu" else None


def _less(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before


class _ProcFile:
    """A file of ``/proc``, kept open; empty where the system has none."""

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def read(self) -> bytes:
        try:
            return os.pread(self._file, 4096, 0) if self._file >= 0 else b""
        except OSError:
            return b""

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
