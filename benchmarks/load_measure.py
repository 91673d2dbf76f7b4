"""Runs one load generator against a target and measures a stretch of its middle.

A generator's start, its first connections and its end are left out for all alike: counted is what the target
answered in the stretch, and the CPU time (user + system) that the generator's processes took meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load_generators import Task, command, environment
from benchmarks.load_target import Target

_TICK = os.sysconf("SC_CLK_TCK")
START_S = 60.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """``answered`` payments in ``wall_s`` seconds; CPU seconds of the generator and of the targets."""

    answered: int
    wall_s: float
    cpu_s: float
    target_cpu_s: float

    @property
    def rate(self) -> float:
        """Payments per second of the clock."""
        return self.answered / self.wall_s

    @property
    def per_core(self) -> float:
        """Payments per second of CPU time: what a core of its own would carry."""
        return self.answered / self.cpu_s


def measure(
    name: str, task: Task, targets: list[Target], cores: set[int], *, warm_up_s: float, stretch_s: float
) -> Stretch:
    """Play a task on some cores, and measure ``stretch_s`` seconds after ``warm_up_s`` of load.

    Raises:
        RuntimeError: The generator failed, or it sent nothing.
    """
    before = sum(target.answered()[1] for target in targets)
    with _running(name, task, cores) as process:
        _wait_for_load(name, process, targets, before)
        time.sleep(warm_up_s)
        began = _look(process.pid, targets)
        time.sleep(stretch_s)
        ended = _look(process.pid, targets)
        _finish(name, task, process)
    at, answered, cpu, target_cpu = (late - early for late, early in zip(ended, began, strict=True))
    return Stretch(int(answered), at, cpu, target_cpu)


def play(name: str, task: Task, cores: set[int]) -> str:
    """Play a task on some cores to its end; what the generator printed.

    Raises:
        RuntimeError: The generator failed.
    """
    with _running(name, task, cores) as process:
        return _finish(name, task, process)


@contextlib.contextmanager
def _running(name: str, task: Task, cores: set[int]) -> Iterator[subprocess.Popen[bytes]]:
    with (task.folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            command(name, task),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=environment(task),
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _wait_for_load(name: str, process: subprocess.Popen[bytes], targets: list[Target], before: int) -> None:
    give_up = time.monotonic() + START_S
    while sum(target.answered()[1] for target in targets) == before:
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{name} sent nothing")
        time.sleep(0.02)


def _finish(name: str, task: Task, process: subprocess.Popen[bytes]) -> str:
    code = process.wait(task.seconds + START_S)
    printed = (task.folder / "printed").read_text(errors="replace")
    # Locust's own code for failed requests is no failure of the generator.
    if code not in (0, 1):
        raise RuntimeError(f"{name} ended with {code}: {printed[-500:]}")
    return printed


def _look(pid: int, targets: list[Target]) -> tuple[float, int, float, float]:
    answered = [target.answered() for target in targets]
    cpu = cpu_seconds(pid)
    return answered[-1][0], sum(count for _, count in answered), cpu, sum(cpu_seconds(t.pid) for t in targets)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of those that descend from it, in seconds."""
    parents = {}
    ticks = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            # The name in parentheses may hold anything; what follows it is plain.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            number = int(entry.name)
            parents[number] = int(fields[1])
            ticks[number] = int(fields[11]) + int(fields[12])
    tree = {pid}
    while more := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return sum(ticks.get(number, 0) for number in tree) / _TICK
