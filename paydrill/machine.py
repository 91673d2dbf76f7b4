"""What this machine offers: cores, memory, and the limits of its system on files and ports."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

from scenarios.capacity import Machine
from scenarios.file_limit import UNLIMITED

_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_PROCESSORS = Path("/proc/cpuinfo")


def this_machine() -> Machine:
    """Read the limits of this machine, as a process that is started now would meet them."""
    return Machine(
        cores=len(usable_cores()),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        open_files=open_files(),
        ports=ports(),
    )


def usable_cores() -> list[int]:
    """The numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def open_files() -> int:
    """File descriptors that a process of ours may have: the hard limit of ``RLIMIT_NOFILE``, to which a drill
    raises its own (getrlimit(2))."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return UNLIMITED if hard == resource.RLIM_INFINITY else hard


def ports() -> int:
    """Local ports for connections to one address and port. Where the system doesn't say, the range that RFC
    6335 leaves to it: 49152 to 65535."""
    try:
        first, last = map(int, _PORTS.read_text().split())
    except (OSError, ValueError):
        first, last = 49152, 65535
    return last - first + 1


def describe() -> str:
    """The machine in words that tell it from another: processor, cores, memory, system."""
    machine = this_machine()
    return (
        f"{_processor()}, {machine.cores} core{'s' if machine.cores > 1 else ''}, "
        f"{machine.memory_bytes / 2**30:.0f} GiB, {platform.system()} {platform.machine()}"
    )


def _processor() -> str:
    try:
        for line in _PROCESSORS.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"
