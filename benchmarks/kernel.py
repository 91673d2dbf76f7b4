"""How many requests of a Stripe payment the mock answers on one core, beside a server without any state.

A payment is two requests, create and confirm, each with an idempotency key of its own; the mock keeps its
ledger, its keys and its events and writes no journal. The other server is uvicorn (httptools, uvloop, one
process) with Starlette, which gives the same bytes as an answer and keeps nothing. Both are pinned to one
core, the client to another; they take turns, so that a machine whose speed drifts is the same for both.
Where the client is the slower side, the figure of the faster server, and with it the ratio, is too low.

The same is told per second of the server's own CPU time, which others on the machine cannot take from it.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from benchmarks.payment_client import pay
from benchmarks.row import Row

CONNECTIONS = 32
ROUNDS = 5
SECONDS = 2.0
GOAL = 3.0


def run(command: str) -> Iterator[Row]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the servers, one for the client")
    rates: dict[str, list[float]] = {"paydrill": [], "starlette": []}
    efforts: dict[str, list[float]] = {name: [] for name in rates}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(_server(name, cores[0])) for name in rates}
        os.sched_setaffinity(0, {cores[1]})
        stack.callback(os.sched_setaffinity, 0, cores)
        for turn in range(-1, ROUNDS):
            for name, (pid, port) in servers.items():
                seconds = SECONDS if turn >= 0 else SECONDS / 4
                cpu_s, began = _cpu_s(pid), time.monotonic()
                rate = uvloop.run(pay(port, name=f"turn{turn}", connections=CONNECTIONS, seconds=seconds))
                if turn >= 0:  # the one before is for warming up
                    rates[name].append(rate)
                    efforts[name].append(rate * (time.monotonic() - began) / (_cpu_s(pid) - cpu_s))
    ours, theirs = statistics.median(rates["paydrill"]), statistics.median(rates["starlette"])
    what = f"on one core, {CONNECTIONS} connections, median of {ROUNDS}"
    against = "the same answer from uvicorn + Starlette, without state"
    yield Row(
        f"Stripe payment, create + confirm, {what}",
        ours,
        "requests/s",
        against,
        ours / theirs,
        f">= {GOAL:g}x",
        ours / theirs >= GOAL,
        command,
    )
    yield Row(
        f"uvicorn + Starlette, the same answer, {what}", theirs, "requests/s", "", None, "", None, command
    )
    effort, their_effort = statistics.median(efforts["paydrill"]), statistics.median(efforts["starlette"])
    yield Row(
        "Stripe payment, create + confirm, per second of CPU",
        effort,
        "requests/s",
        against,
        effort / their_effort,
        "",
        None,
        command,
    )


def _cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used, from ``/proc/PID/stat`` (proc_pid_stat(5): utime + stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _server(name: str, core: int) -> Iterator[tuple[int, int]]:
    """A server of ``benchmarks.payment_servers`` on one core; gives its process id and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.payment_servers", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {name} server did not start")
        yield process.pid, int(line)
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
