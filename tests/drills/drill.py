"""Plays a drill as a user does: the command in a process of its own, its folder, its verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journal.reader import Journal

SHORT = """\
name: short
gateways:
  stripe: {latency: {p50: 20ms, p99: 80ms}, weight: 60}
  adyen: {latency: {p50: 20ms, p99: 80ms}, weight: 40}
load:
  arrivals: [{duration: 6s, rate: 50/s}]
probes:
  - {probe: payment, every: 1s}
objectives:
  success_rate: ">= 98%"
  lost_payments: 0
  double_charges: 0
settle: 5s
"""


@dataclass(slots=True)
class Drill:
    """A drill that is being played.

    Attributes:
        out: The folder given with ``--out``.
        process: The command.
    """

    out: Path
    process: subprocess.Popen[str]

    @property
    def folder(self) -> Path:
        (path,) = self.out.glob("*Z-*")
        return path

    @property
    def verdict(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.folder / "verdict.json").read_text())
        return data

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "journal")

    def status(self, objective: str) -> str:
        return str(next(o["status"] for o in self.verdict["objectives"] if o["name"] == objective))

    def wait_for_payments(self, timeout: float = 40) -> None:
        """Wait until the load has recorded something."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if any(self.out.glob("*/journal/load-*.payment.arrow")):
                return
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)
        raise AssertionError("no payment was recorded")

    def child(self, name: str) -> int:
        """The process id of a child, found by its log file, which is its standard output."""
        for pid in self.children():
            if Path(os.readlink(f"/proc/{pid}/fd/1")).name == f"{name}.log":
                return pid
        raise AssertionError(f"there is no child {name}")

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def end(self, timeout: float = 90) -> tuple[int, str]:
        """Wait for the end; the exit code and everything that was printed."""
        output, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, output


def start(tmp_path: Path, text: str = SHORT, arguments: Sequence[str] = ()) -> Drill:
    """Start a drill of a scenario given as text."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(text)
    out = tmp_path / "runs"
    process = subprocess.Popen(
        [sys.executable, "-m", "paydrill", "run", str(scenario), "--out", str(out), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Drill(out, process)


def play(tmp_path: Path, text: str = SHORT, arguments: Sequence[str] = ()) -> tuple[Drill, int, str]:
    """Play a drill to its end."""
    drill = start(tmp_path, text, arguments)
    code, output = drill.end()
    return drill, code, output


def gone(pids: Sequence[int], timeout: float = 15) -> bool:
    """Whether none of the processes exists any more, soon."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not any(_lives(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
