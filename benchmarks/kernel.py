"""How many requests of a Stripe payment the mock answers on one core, beside other servers.

A payment is two requests, create and confirm, each with an idempotency key of its own; the mock keeps its
ledger, its keys and its events and writes no journal. Beside it:

- ``starlette``: uvicorn (httptools, uvloop, one process) with Starlette, which gives the same bytes as an
  answer and keeps nothing,
- ``fixed``: the mocks' own HTTP kernel with the same bytes: what no gateway on it can surpass,
- ``localstripe``: a stateful Stripe mock without idempotency keys,
- ``wiremock``: WireMock with one stub for each of the two requests, without its request journal.

All are pinned to one core, the client to another; they take turns, so that a machine whose speed drifts is
the same for all. Where the client is the slower side, the figure of the faster server, and with it the ratio,
is too low.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator

import uvloop

from benchmarks.cores import client_core
from benchmarks.payment_client import pay
from benchmarks.row import Row
from benchmarks.served import installed, serve

CONNECTIONS = 32
ROUNDS = 5
SECONDS = 2.0
WARM_UP_S = 4.0  # a Java server compiles while it runs
OURS = "paydrill"
OTHERS = {
    "starlette": ("uvicorn + Starlette, the same answer, without state", 3.0),
    "localstripe": ("localstripe, with state, without idempotency", 1.0),
    "wiremock": ("WireMock, the same answer, without state", 1.0),
    "fixed": ("the mocks' own HTTP kernel, the same answer, without state", None),
}
"""Server -> what it is, and how many times its rate the mock is to reach."""


def run(command: str) -> Iterator[Row]:
    names = [OURS, *(name for name in OTHERS if installed(name))]
    rates: dict[str, list[float]] = {name: [] for name in names}
    with contextlib.ExitStack() as stack:
        core = stack.enter_context(client_core())
        servers = {name: stack.enter_context(serve(name, core)) for name in names}
        for turn in range(-1, ROUNDS):
            for name, server in servers.items():
                rate = uvloop.run(
                    pay(
                        server.port,
                        name=f"turn{turn}",
                        connections=CONNECTIONS,
                        seconds=SECONDS if turn >= 0 else WARM_UP_S,
                        requests=server.requests,
                    )
                )
                if turn >= 0:
                    rates[name].append(rate)
    ours = statistics.median(rates[OURS])
    what = f"on one core, {CONNECTIONS} connections, median of {ROUNDS}"
    for name, (label, goal) in OTHERS.items():
        if name not in rates:
            continue
        ratio = ours / statistics.median(rates[name])
        told = "" if goal is None else f">= {goal:g}x" if goal > 1 else "> 1x"
        met = None if goal is None else ratio >= goal
        title = f"Stripe payment, create + confirm, {what}"
        yield Row(title, ours, "requests/s", label, ratio, told, met, command)
    for name, (label, _) in OTHERS.items():
        if name in rates:
            yield Row(label, statistics.median(rates[name]), "requests/s", "", None, "", None, command)
