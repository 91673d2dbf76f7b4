"""What the proxy adds to a request and what it takes of the throughput, beside other reverse proxies.

The origin is the Stripe mock as it is; the proxy has no fault on and writes no journal. Beside it nginx and
haproxy as plain reverse proxies with one worker and kept-alive connections, if they are installed.

All servers are pinned to one core, the client to another: origin and proxy share theirs, so that what the
proxy needs is taken from the origin. They take turns, so that a machine whose speed drifts is the same for
all. Added latency is the median of a request through the proxy, one at a time, minus the median without.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import time
from collections.abc import Iterator

import uvloop

from benchmarks.cores import client_core
from benchmarks.payment_client import pay
from benchmarks.payment_requests import PaymentRequests
from benchmarks.proxy_servers import OURS, installed, serve_proxy
from benchmarks.row import Row
from benchmarks.served import serve

CONNECTIONS = 32
ROUNDS = 7
SECONDS = 2.0
WARM_UP_S = 1.0
PAYMENTS = 300
"""One at a time, for the latency of a round."""

DIRECT = "direct"
MOST_ADDED_MS = 1.0
LEAST_SHARE = 0.6


def run(command: str) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        core = stack.enter_context(client_core())
        origin = stack.enter_context(serve("paydrill", core))
        ports = {DIRECT: origin.port}
        for name in installed():
            ports[name] = stack.enter_context(serve_proxy(name, origin.port, core))
        rates: dict[str, list[float]] = {name: [] for name in ports}
        medians: dict[str, list[float]] = {name: [] for name in ports}
        for turn in range(-1, ROUNDS):
            for name, port in ports.items():
                label = f"{name}{turn}"
                one_by_one = _latencies_ms(port, f"{label}-one", origin.requests)
                seconds = WARM_UP_S if turn < 0 else SECONDS
                rate = uvloop.run(pay(port, name=label, connections=CONNECTIONS, seconds=seconds))
                if turn >= 0:
                    medians[name].append(statistics.median(one_by_one))
                    rates[name].append(rate)
    for name in ports:
        if name == DIRECT:
            continue
        # Of each round by itself: what drifts from round to round is in both.
        added = statistics.median(
            through - direct for through, direct in zip(medians[name], medians[DIRECT], strict=True)
        )
        share = statistics.median(
            through / direct for through, direct in zip(rates[name], rates[DIRECT], strict=True)
        )
        ours = name == OURS
        who = "the proxy" if ours else f"{name} as a plain proxy"
        yield Row(
            f"median latency that {who} adds, one request at a time",
            added,
            "ms",
            "",
            None,
            f"< {MOST_ADDED_MS:g} ms" if ours else "",
            added < MOST_ADDED_MS if ours else None,
            command,
        )
        yield Row(
            f"Stripe payments through {who}, {CONNECTIONS} connections, on one core with the origin",
            statistics.median(rates[name]),
            "requests/s",
            "without a proxy",
            share,
            f">= {LEAST_SHARE:g}x" if ours else "",
            share >= LEAST_SHARE if ours else None,
            command,
        )


def _latencies_ms(port: int, name: str, requests: PaymentRequests) -> list[float]:
    """How long each request of some payments took, one at a time on one connection."""
    taken = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(PAYMENTS):
            began = time.perf_counter()
            created = _exchange(connection, requests.create(f"{name}-{number}"))
            between = time.perf_counter()
            _exchange(connection, requests.confirm(created, f"{name}-{number}-confirm"))
            taken += [(between - began) * 1e3, (time.perf_counter() - between) * 1e3]
    return taken


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    """The body of the answer.

    Raises:
        RuntimeError: It is no success.
    """
    connection.sendall(request)
    answer = b""
    while True:
        piece = connection.recv(65536)
        answer += piece
        head, end, body = answer.partition(b"\r\n\r\n")
        if not piece or (end and not head.startswith(b"HTTP/1.1 200")):
            raise RuntimeError(f"answered {answer[:300]!r}")
        lowered = head.lower() + b"\r\n"
        if not end:
            continue
        place = lowered.index(b"content-length: ") + 16
        if len(body) >= int(lowered[place : lowered.index(b"\r\n", place)]):
            return body
