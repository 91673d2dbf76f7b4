"""What a million payments leave behind in the Stripe mock: memory, and how fast it still answers.

The payments are made over HTTP, as in the kernel benchmark, 900,000 of them as fast as they are answered. The
last 100,000 are made in turns with the first 100,000 of a second mock, on the same core: a machine's speed
drifts by more in five minutes than what is to be seen here.
"""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

import uvloop

from benchmarks.cores import client_core
from benchmarks.payment_client import pay
from benchmarks.row import Row, below
from benchmarks.served import serve

PAYMENTS = 1_000_000
COMPARED = 100_000
TURNS = 10
CONNECTIONS = 32
MOST_MIB = 1536.0
SLOWEST = 0.8


def run(command: str) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        core = stack.enter_context(client_core())
        full, fresh = (stack.enter_context(serve("paydrill", core)) for _ in range(2))
        uvloop.run(pay(full.port, name="fill", connections=CONNECTIONS, payments=PAYMENTS - COMPARED))
        last: list[float] = []
        first: list[float] = []
        for turn in range(TURNS):
            for server, rates in ((full, last), (fresh, first)):
                rates.append(
                    uvloop.run(
                        pay(
                            server.port,
                            name=f"turn{turn}",
                            connections=CONNECTIONS,
                            payments=COMPARED // TURNS,
                        )
                    )
                )
        memory = _resident_mib(full.pid)
    yield below(f"Stripe mock after {PAYMENTS:,} payments, resident memory", memory, "MiB", MOST_MIB, command)
    ratio = statistics.median(last) / statistics.median(first)
    yield Row(
        f"Stripe payment, the last {COMPARED:,} of {PAYMENTS:,}",
        statistics.median(last),
        "requests/s",
        f"the first {COMPARED:,}, in turns",
        ratio,
        f">= {SLOWEST:g}x",
        ratio >= SLOWEST,
        command,
    )


def _resident_mib(pid: int) -> float:
    """Resident memory, from ``/proc/PID/statm`` (proc_pid_statm(5): the second field, in pages)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
