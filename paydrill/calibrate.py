"""Measuring what one load worker does on one core of this machine: the figures of a calibration.

The worker is Locust with our locustfile, as a drill starts it, and records everything. It pays at a platform
on another core that approves everything at once. Three plays, some 30 s together:

1. a ramp, to learn where the worker begins to be late;
2. steps down from there, of ``HOLD_S`` each, until one holds: the 99th percentile of lateness stays below
   ``LATENESS_LIMIT_NS``. Its rate is the worker's; a saturated worker measures itself;
3. two levels of payments in flight at one rate, for the memory of each.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from journal.clock import MILLISECOND, SECOND
from journal.reader import Tail
from paydrill import __version__
from paydrill.calibration import Calibration
from paydrill.child import Child, ChildError
from paydrill.machine import describe, open_files, usable_cores
from scenarios.capacity import Figures

LATENESS_LIMIT_NS = 5 * MILLISECOND

RAMP_S = 10
RAMP = (200, 16_000)
"""Payments per second at the ramp's start and end."""
BUCKET_NS = 250 * MILLISECOND
OVERLOADED_BUCKETS = 3
"""Buckets in a row whose median is late: a shorter stall is the machine's, not the worker's limit."""

STEPS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Parts of the rate at which the ramp became late."""
HOLD_S = 4
REST_S = 1

LEVEL_S = 3
DELAYS_NS = (20 * MILLISECOND, 2 * SECOND)
"""How long answers take at the two levels of payments in flight."""
LEVEL_SHARE = 0.3
"""Part of the worker's rate at which both levels are played."""

HEAD_START_S = 0.5
READY_S = 60.0
SETTLED_S = 1.2
"""Seconds after which a payment that was sent is surely in the journal (it is flushed twice a second)."""

_TICK = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")
_JIFFY = os.sysconf("SC_CLK_TCK")


class MeasurementFailedError(Exception):
    """The measurement could not be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a play: seconds, and the rates at its start and end."""

    seconds: float
    start: float
    end: float


_AFTERWARDS = Stage(2 * SETTLED_S, 1, 1)
"""So that what was sent last is judged while the load is alive."""


def calibrate(now: datetime.datetime, tell: Callable[[str], None]) -> Calibration:
    """Measure.

    Args:
        now: For the record.
        tell: Told what is being done.

    Raises:
        MeasurementFailedError: A process did not start or died, or no rate held.
    """
    cores = usable_cores()
    try:
        with tempfile.TemporaryDirectory(prefix="paydrill-calibrate-") as folder:
            bench = _Bench(Path(folder), worker_core=cores[-1], platform_core=cores[0])
            tell(f"1/3 looking for the worker's limit, up to {RAMP_S} s ...")
            limit = bench.ramp()
            tell(f"2/3 looking for the rate it holds below {limit:,.0f}/s, {HOLD_S} s a step ...")
            held = bench.hold(limit)
            tell(f"3/3 measuring memory, {2 * LEVEL_S} s ...")
            memory = bench.memory(held.rate)
    except (ChildError, OSError, httpx.HTTPError) as error:
        raise MeasurementFailedError(str(error)) from error
    return Calibration(
        measured_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        paydrill=__version__,
        machine=describe(),
        lateness_limit_ns=LATENESS_LIMIT_NS,
        payments=held.payments,
        apart=len(cores) > 1,
        others=round(held.others, 2),
        figures=Figures(
            rate=held.rate,
            lateness_p99_ns=held.lateness_p99_ns,
            core=round(held.core, 3),
            http_bytes=round(held.http_bytes, 1),
            segments=round(held.segments, 2),
            journal_bytes=round(held.journal_bytes, 1),
            resident_bytes=memory.resident_bytes,
            in_flight_bytes=round(memory.in_flight_bytes, 1),
            files=memory.files,
        ),
    )


def overloaded_from(lateness: Sequence[tuple[int, int | None]], end_ns: int) -> int | None:
    """When the payments began to be late: the start of the first of ``OVERLOADED_BUCKETS`` buckets in a row
    whose median lateness is above the limit; None when they never were.

    Args:
        lateness: Due time and lateness of each payment, in ns; a lateness of None was never sent.
        end_ns: Only buckets that end before are judged.
    """
    buckets: dict[int, list[float]] = {}
    for due, late in lateness:
        buckets.setdefault(due // BUCKET_NS, []).append(math.inf if late is None else late)
    row = 0
    for number in range(end_ns // BUCKET_NS):
        values = sorted(buckets.get(number, ()))
        row = row + 1 if values and values[len(values) // 2] > LATENESS_LIMIT_NS else 0
        if row == OVERLOADED_BUCKETS:
            return (number - row + 1) * BUCKET_NS
    return None


def percentile(values: Sequence[int | None], share: float) -> float:
    """By nearest rank; None is infinite. Infinite when there is none."""
    ordered = sorted(math.inf if value is None else value for value in values)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.inf


@dataclass(frozen=True, slots=True)
class _Held:
    rate: float
    payments: int
    lateness_p99_ns: int
    core: float
    others: float
    http_bytes: float
    segments: float
    journal_bytes: float


@dataclass(frozen=True, slots=True)
class _Memory:
    resident_bytes: int
    in_flight_bytes: float
    files: int


class _Bench:
    """A worker on one core, and a platform on another."""

    def __init__(self, folder: Path, *, worker_core: int, platform_core: int) -> None:
        self._folder = folder
        self._worker_core = worker_core
        self._platform_core = platform_core

    def ramp(self) -> float:
        """Payments per second at which a worker begins to be late; the ramp's end when it never is."""
        first, last = RAMP
        with self._play("ramp", [Stage(RAMP_S, first, last), _AFTERWARDS]) as play:
            found = None
            while found is None and play.now_ns() < (RAMP_S + SETTLED_S) * SECOND:
                play.wait(_TICK * 5)
                found = overloaded_from(play.lateness(), play.now_ns() - int(SETTLED_S * SECOND))
        return last if found is None else first + (last - first) * found / (RAMP_S * SECOND)

    def hold(self, limit: float) -> _Held:
        """The first of the steps that a worker holds.

        Raises:
            MeasurementFailedError: It holds none.
        """
        stages = [
            stage
            for part in STEPS
            for stage in (Stage(HOLD_S, limit * part, limit * part), Stage(REST_S, 1, 1))
        ]
        stages.append(_AFTERWARDS)
        others = 0.0
        with self._play("hold", stages) as play:
            for number in range(len(STEPS)):
                begin = number * (HOLD_S + REST_S) * SECOND
                end = begin + HOLD_S * SECOND
                play.wait_until(begin)
                before = play.usage()
                play.wait_until(end)
                after = play.usage()
                seconds = after.at - before.at
                others = max(0.0, (after.others - before.others) / seconds)
                counts = play.counts()
                play.wait_until(end + int(SETTLED_S * SECOND))
                late = [late for due, late in play.lateness() if begin <= due < end]
                p99 = percentile(late, 0.99)
                if p99 < LATENESS_LIMIT_NS:
                    if not counts["payments"] or counts["bytes"] is None or counts["segments"] is None:
                        raise MeasurementFailedError("this system does not count the bytes of a connection")
                    return _Held(
                        rate=len(late) / HOLD_S,
                        payments=len(late),
                        lateness_p99_ns=int(p99),
                        core=(after.worker - before.worker) / seconds,
                        others=others,
                        http_bytes=counts["bytes"] / counts["payments"],
                        segments=counts["segments"] / counts["payments"],
                        journal_bytes=play.journal_bytes(),
                    )
        raise MeasurementFailedError(
            f"a worker was late even at {limit * STEPS[-1]:,.0f}/s, while other processes used {others:.1f} "
            f"of {len(usable_cores())} cores; measure when this machine is quiet"
        )

    def memory(self, rate: float) -> _Memory:
        """What a worker keeps in memory, and what each payment in flight adds."""
        # Half of the descriptors is room enough for both sides of a drill on one machine.
        rate = min(rate * LEVEL_SHARE, open_files() / 2 * SECOND / DELAYS_NS[1])
        delays = [(number * LEVEL_S * SECOND, delay) for number, delay in enumerate(DELAYS_NS)]
        with self._play("memory", [Stage(2 * LEVEL_S + 1, rate, rate)], delays) as play:
            play.wait_until(LEVEL_S * SECOND - SECOND // 10)
            low, files, few = play.resident(), play.files(), play.counts()
            play.wait_until(2 * LEVEL_S * SECOND - SECOND // 10)
            high, many = play.resident(), play.counts()
        more = (many["in_flight"] or 0) - (few["in_flight"] or 0)
        if more < 1:
            raise MeasurementFailedError("the payments in flight did not grow with the platform's latency")
        return _Memory(
            resident_bytes=low,
            in_flight_bytes=max(0.0, (high - low) / more),
            files=max(1, files - (few["connections"] or 0)),
        )

    @contextlib.contextmanager
    def _play(
        self, name: str, stages: Sequence[Stage], delays: Sequence[tuple[int, int]] = ()
    ) -> Iterator[_Play]:
        folder = self._folder / name
        (folder / "journal").mkdir(parents=True)
        platform = Child("platform", ["-m", "mocks.process"], folder / "platform.log")
        children = [platform]
        try:
            _pin(platform.pid, self._platform_core)
            platform.plan(
                {
                    "role": "approving_platform",
                    "name": "platform",
                    "journal": None,
                    "delays": [list(delay) for delay in delays],
                }
            )
            ready = platform.ready(READY_S)
            scenario = folder / "scenario.yaml"
            scenario.write_text(_scenario(stages, f"http://127.0.0.1:{ready['port']}"), encoding="utf-8")
            spec = importlib.util.find_spec("locustfile")
            assert spec is not None and spec.origin is not None
            worker = Child(
                "load",
                [
                    "-m", "locust", "-f", spec.origin, "--headless", "--only-summary",
                    "--loglevel", "WARNING", "--scenario", str(scenario),
                    "--journal", str(folder / "journal"),
                ],
                folder / "load.log",
            )  # fmt: skip
            children.append(worker)
            _pin(worker.pid, self._worker_core)
            worker.ready(READY_S)
            epoch_ns = time.monotonic_ns() + int(HEAD_START_S * SECOND)
            for child in children:
                child.go({"epoch_ns": epoch_ns, "run": "calibrate"})
            yield _Play(worker, platform, int(ready["counts_port"]), folder / "journal", epoch_ns)
        finally:
            # Nothing of a play is needed once it has been measured.
            for child in reversed(children):
                child.kill()


@dataclass(frozen=True, slots=True)
class _Usage:
    """CPU seconds so far: of the worker, and of all processes but ours."""

    at: float
    worker: float
    others: float


class _Play:
    """A play that is under way, and what can be seen of it."""

    def __init__(
        self, worker: Child, platform: Child, counts_port: int, journal: Path, epoch_ns: int
    ) -> None:
        self._worker = worker
        self._platform = platform
        self._counts_url = f"http://127.0.0.1:{counts_port}/counts"
        self._journal = journal
        self._epoch_ns = epoch_ns
        self._tail = Tail(journal)
        self._lateness: list[tuple[int, int | None]] = []

    def now_ns(self) -> int:
        return time.monotonic_ns() - self._epoch_ns

    def wait(self, seconds: float) -> None:
        """Raises MeasurementFailedError when a process has died."""
        for child in (self._worker, self._platform):
            if child.died:
                raise MeasurementFailedError(child.death_notice())
        time.sleep(max(0.0, seconds))

    def wait_until(self, at_ns: int) -> None:
        """Wait until a time of the play. Raises MeasurementFailedError when a process has died."""
        while (left := at_ns - self.now_ns()) > 0:
            self.wait(min(_TICK, left / SECOND))

    def lateness(self) -> list[tuple[int, int | None]]:
        """Due time and lateness of the payments that are in the journal; None was never sent."""
        for table, batch in self._tail.new():
            if table == "payment":
                due = batch.column("due_ns").to_pylist()
                sent = batch.column("sent_ns").to_pylist()
                self._lateness += [
                    (at, None if left is None else left - at) for at, left in zip(due, sent, strict=True)
                ]
        return self._lateness

    def journal_bytes(self) -> float:
        """Of one payment."""
        payments = len(self.lateness())
        return sum(file.stat().st_size for file in self._journal.iterdir()) / payments

    def usage(self) -> _Usage:
        worker, platform = _cpu_seconds(self._worker.pid), _cpu_seconds(self._platform.pid)
        own = time.process_time()
        return _Usage(time.monotonic(), worker, _busy_seconds() - worker - platform - own)

    def counts(self) -> dict[str, int | None]:
        """What the platform counted (``mocks.approving_platform``)."""
        answer = httpx.get(self._counts_url, timeout=10.0, trust_env=False)
        counts: dict[str, int | None] = answer.raise_for_status().json()
        return counts

    def resident(self) -> int:
        """Bytes of memory of the worker (proc_pid_statm(5): the second field, in pages)."""
        return int(Path(f"/proc/{self._worker.pid}/statm").read_text().split()[1]) * _PAGE

    def files(self) -> int:
        """Open descriptors of the worker."""
        return sum(1 for _ in Path(f"/proc/{self._worker.pid}/fd").iterdir())


def _scenario(stages: Sequence[Stage], url: str) -> str:
    return yaml.safe_dump(
        {
            "name": "calibration",
            "platform": {"url": url},
            "gateways": {},
            "load": {
                "arrivals": [
                    {
                        "duration": f"{stage.seconds:g}s",
                        "rate": f"{stage.start:.3f}/s..{stage.end:.3f}/s",
                    }
                    for stage in stages
                ],
                "declines": "0%",
                "max_in_flight": 50_000,
            },
        }
    )


def _pin(pid: int, core: int) -> None:
    """Keep a process that has just been started on one core; its threads inherit it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core})


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _JIFFY


def _busy_seconds() -> float:
    """CPU time of all processes, and what was stolen by other guests (proc_stat(5): all but idle and iowait;
    guest time is part of user time)."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / _JIFFY
