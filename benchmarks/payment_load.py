"""The load generator alone: payments as a drill plays them, with full recording, against one URL.

    python -m benchmarks.payment_load --connections 32 --seconds 5     as many as go, so many at a time
    python -m benchmarks.payment_load --rate 2000 --seconds 10         an open loop, evenly spaced

Without ``--url`` it starts a platform that does nothing on another core. Prints one line of JSON: payments
per second, CPU microseconds per payment (user and system time of this process while it played), lateness and
latency in milliseconds. Recorded is all that a drill
records: the journal and Locust's statistics.
"""

from __future__ import annotations

# It patches the standard library, which nobody may have imported before.
import locust  # isort: skip

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from locust.env import Environment

from benchmarks.served import process_on
from journal.clock import MILLISECOND, SECOND, Clock
from journal.reader import Journal
from journal.writer import Writer
from scenarios.checkout import Checkout, PlannedPayment
from scenarios.customers import pools
from scenarios.player import Player
from scenarios.reading import parse
from scenarios.request_events import RequestEvents
from scenarios.result import Result
from scenarios.share import Share, of
from scenarios.wire import Wire

_SCENARIO = "name: bench\ngateways: {stripe: {}}\nload: {arrivals: [{duration: 1s, rate: 1/s}]}\n"
_TIMEOUT_NS = 5 * SECOND


class AsManyAsGo(Share):
    """Arrivals that are due whenever fewer than so many payments are in flight, until a time."""

    def __init__(self, at_a_time: int, until_ns: int, clock: Clock) -> None:
        super().__init__(())
        self.in_flight = 0
        self._at_a_time = at_a_time
        self._end_ns = until_ns
        self._clock = clock
        self._numbers = count()

    @property
    def withheld(self) -> bool:
        return self.in_flight >= self._at_a_time

    def pass_over(self, most: int) -> bool:
        return True

    def next_due(self) -> int | None:
        now = self._clock.now_ns()
        return now if now < self._end_ns else None

    def take(self) -> tuple[int, int]:
        self.in_flight += 1
        return next(self._numbers), self._clock.now_ns()


def play(url: str, *, rate: float, connections: int, seconds: float, folder: Path) -> dict[str, float]:
    """Play payments against a platform.

    Args:
        url: Its base URL.
        rate: Payments per second; 0: as many as go.
        connections: How many at a time; of no account with a rate.
        seconds: How long.
        folder: Where the journal goes; it has to be empty.
    """
    scenario = parse(_SCENARIO, "bench.yaml")
    environment = Environment(events=locust.events)
    runner = environment.create_local_runner()
    checkout = Checkout(scenario.load, 1, pools(1))
    clock = Clock(time.monotonic_ns() + SECOND // 2)
    events = RequestEvents(environment)
    share: Share
    if rate:
        share = of((int((n + 0.5) * SECOND / rate) for n in range(round(rate * seconds))), 0, 1)
    else:
        share = AsManyAsGo(connections, round(seconds * SECOND), clock)

    def done(planned: PlannedPayment, result: Result, latency_ns: int | None, received: int) -> None:
        events.take(planned, result, latency_ns, received)
        if isinstance(share, AsManyAsGo):
            share.in_flight -= 1
            player.wake()

    player = Player(
        checkout=checkout,
        share=share,
        wire=Wire(url),
        clock=clock,
        writer=Writer(folder, "load-0"),
        run="bench",
        timeout_ns=_TIMEOUT_NS,
        max_in_flight=4000,
        on_done=done,
    )
    cpu = time.process_time()
    player.play()
    player.finish(5)
    events.close()
    cpu = time.process_time() - cpu
    took = clock.now_ns() / SECOND
    runner.quit()
    return _figures(folder, took, cpu, environment)


def _figures(folder: Path, took: float, cpu: float, environment: Environment) -> dict[str, float]:
    payments = Journal(folder).table("payment")
    due = payments["due_ns"].to_pylist()
    late = sorted(sent - at for sent, at in zip(payments["sent_ns"].to_pylist(), due, strict=True) if sent)
    latency = sorted(done - at for done, at in zip(payments["done_ns"].to_pylist(), due, strict=True) if done)

    def at(values: list[int], part: float) -> float:
        return round(values[min(len(values) - 1, int(part * len(values)))] / MILLISECOND, 3)

    return {
        "payments": len(due),
        "wrong": sum(error != "" for error in payments["error"].to_pylist()),
        "told_to_locust": environment.stats.total.num_requests,
        "per_second": round(len(due) / took),
        "cpu_us": round(cpu / len(due) * 1e6, 1),
        "lateness_p50_ms": at(late, 0.5),
        "lateness_p99_ms": at(late, 0.99),
        "lateness_max_ms": at(late, 1),
        "latency_p50_ms": at(latency, 0.5),
        "latency_p99_ms": at(latency, 0.99),
    }


@contextlib.contextmanager
def _platform(core: int) -> Iterator[str]:
    with process_on(
        [sys.executable, "-m", "benchmarks.payment_acceptor"], core, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", help="the platform; it must answer as the plan expects")
    parser.add_argument("--rate", type=float, default=0, help="payments per second; 0: as many as go")
    parser.add_argument("--connections", type=int, default=32, help="payments at a time, without a rate")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        url = options.url or stack.enter_context(_platform(cores[0]))
        os.sched_setaffinity(0, {cores[-1]})
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        found = play(
            url,
            rate=options.rate,
            connections=options.connections,
            seconds=options.seconds,
            folder=Path(folder),
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
