"""The cores of this machine: one for the servers, one for the client that measures."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def client_core() -> Iterator[int]:
    """Pin this process to a core; yields the number of another one, for the servers.

    Raises:
        RuntimeError: There are not two cores.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the servers, one for the client")
    os.sched_setaffinity(0, {cores[1]})
    try:
        yield cores[0]
    finally:
        os.sched_setaffinity(0, cores)
