"""How many requests of a Stripe payment the mock answers on one core, beside a server without any state.

A payment is two requests, create and confirm, each with an idempotency key of its own; the mock keeps its
ledger, its keys and its events and writes no journal. The other server is uvicorn (httptools, uvloop, one
process) with Starlette, which gives the same bytes as an answer and keeps nothing. Both are pinned to one
core, the client to another; they take turns, so that a machine whose speed drifts is the same for both.
Where the client is the slower side, the figure of the faster server, and with it the ratio, is too low.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

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
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(_server(name, cores[0])) for name in rates}
        os.sched_setaffinity(0, {cores[1]})
        stack.callback(os.sched_setaffinity, 0, cores)
        for turn in range(-1, ROUNDS):
            for name, port in ports.items():
                seconds = SECONDS if turn >= 0 else SECONDS / 4
                rate = uvloop.run(pay(port, name=f"turn{turn}", connections=CONNECTIONS, seconds=seconds))
                if turn >= 0:  # the one before is for warming up
                    rates[name].append(rate)
    ours, theirs = statistics.median(rates["paydrill"]), statistics.median(rates["starlette"])
    ratio = ours / theirs
    what = f"on one core, {CONNECTIONS} connections, median of {ROUNDS}"
    yield Row(
        f"Stripe payment, create + confirm, {what}",
        ours,
        "requests/s",
        "the same answer from uvicorn + Starlette, without state",
        ratio,
        f">= {GOAL:g}x",
        ratio >= GOAL,
        command,
    )
    yield Row(
        f"uvicorn + Starlette, the same answer, {what}", theirs, "requests/s", "", None, "", None, command
    )


@contextlib.contextmanager
def _server(name: str, core: int) -> Iterator[int]:
    """A server of ``benchmarks.payment_servers`` on one core; gives its port."""
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
        yield int(line)
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
