"""Running a command as a whole process and reading what the operating system says of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """``wall_s`` and ``cpu_s`` in seconds, ``peak_mib`` the largest resident size of the process."""

    code: int
    wall_s: float
    cpu_s: float
    peak_mib: float


def python(arguments: Sequence[str]) -> Usage:
    """Run this interpreter with arguments, its output thrown away, and wait for its end."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        code=process.returncode,
        wall_s=time.monotonic() - began,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
    )
