"""A Locust master and its workers, each a process of its own as on machines of their own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from journal.reader import Journal
from tests.paydrill.test_command import ROOT, free_ports


@dataclass(slots=True)
class Process:
    """A process and its output, which goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def end(self, timeout: float = 60) -> tuple[int, str]:
        """Wait for its end; the exit code and everything that it printed."""
        return self.process.wait(timeout=timeout), self.said()

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")


@dataclass(slots=True)
class Cluster:
    """Starts a master and workers.

    Attributes:
        folder: Scratch.
        platform: URL of the platform.
        settings: Options of the scenario, for the master.
    """

    folder: Path
    platform: str
    settings: Sequence[str]
    port: int = field(default_factory=lambda: free_ports(1)[0])
    processes: list[Process] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def master(self, workers: int, *arguments: str) -> Process:
        """Start the master, which waits for so many workers."""
        self.journal.mkdir()
        headless = ["--headless", "--only-summary", "--host", self.platform, *arguments]
        bind = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(self.port)]
        expect = ["--expect-workers", str(workers), "--journal", str(self.journal)]
        return self._start([*locust(*self.settings), *headless, *bind, *expect])

    def worker(self, *arguments: str, locustfile: Path | None = None, before: Sequence[str] = ()) -> Process:
        """Start a worker, in a folder where there is nothing."""
        command = [*before, *locust("--worker", "--master-host", "127.0.0.1", locustfile=locustfile)]
        return self._start([*command, "--master-port", str(self.port), *arguments])

    def payments(self) -> list[dict[str, Any]]:
        """What is recorded so far."""
        rows: list[dict[str, Any]] = Journal(self.journal).table("payment").to_pylist()
        return rows

    def wait_for(self, what: Callable[[], bool], timeout: float = 60) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + timeout
        while not what():
            said = "\n".join(process.said() for process in self.processes)
            assert time.monotonic() < deadline, said
            time.sleep(0.05)

    def wait_for_payments(self, count: int = 1) -> None:
        """Wait until so many payments are recorded."""
        self.wait_for(lambda: len(self.payments()) >= count)

    def _start(self, command: Sequence[str]) -> Process:
        number = len(self.processes)
        place = self.folder / f"process-{number}"
        place.mkdir()
        log = place / "output.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=place, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        self.processes.append(Process(process, log))
        return self.processes[-1]


def locust(*arguments: str, locustfile: Path | None = None) -> list[str]:
    """The command line of a Locust process."""
    return [sys.executable, "-m", "locust", "-f", str(locustfile or ROOT / "locustfile.py"), *arguments]


@contextlib.contextmanager
def cluster(folder: Path, platform: str, *settings: str) -> Iterator[Cluster]:
    """A cluster of which no process is left in the end."""
    made = Cluster(folder, platform, settings)
    try:
        yield made
    finally:
        for process in made.processes:
            if process.process.poll() is None:
                process.process.kill()
            process.process.wait()


def numbers(payments: Sequence[dict[str, Any]]) -> list[int]:
    """The numbers of payments, in order."""
    return sorted(int(payment["id"].split("-")[1]) for payment in payments)
