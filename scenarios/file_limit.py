"""How many files a load worker has to open, and its limit on them: every connection is one."""

from __future__ import annotations

import resource

from scenarios.schema import Load

OWN_FILES = 64
"""File descriptors of a process besides its connections: journal, tether, libraries. 15 to 22 were counted
in the processes of a drill with two workers; the rest is room."""

UNLIMITED = 1 << 62


def raise_file_limit() -> int:
    """Let this process, and those that it starts, open as many files as the system allows
    (``RLIMIT_NOFILE``, getrlimit(2)). Returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return UNLIMITED if hard == resource.RLIM_INFINITY else hard


def files_of_worker(load: Load, waiting: int, workers: int) -> int:
    """What one of so many workers has open while nobody is answered.

    Args:
        load: Of the scenario.
        waiting: Customers who would wait at once then (``scenarios.in_flight``).
        workers: Among whom they are divided evenly.
    """
    return -(-min(waiting, load.max_in_flight) // workers) + OWN_FILES


def too_few_files(needed: int, allowed: int) -> str:
    """Why a worker cannot play, with what to do; empty if it can."""
    if needed <= allowed:
        return ""
    return (
        f"it may open {allowed:,} files, and needs {needed:,} while the platform answers nobody; raise its "
        f"limit (ulimit -Hn {needed}, as root; for a container --ulimit nofile={needed}), start more "
        "workers, or lower load.max_in_flight"
    )
