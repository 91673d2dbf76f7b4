"""A process of Locust's that is told of payments, merged and one by one, and says what its statistics make of
them: one JSON line of cases on stdin, one JSON line on stdout."""

from __future__ import annotations

# It patches the standard library, which nobody may have imported before.
import locust  # isort: skip

import json
import sys
from typing import Any

from locust.env import Environment
from locust.stats import StatsEntry

from scenarios.checkout import Checkout
from scenarios.customers import Customer, Pools, Product
from scenarios.request_events import RequestEvents
from scenarios.result import Result
from scenarios.schema import Load

LOAD = Load.model_validate({"arrivals": [{"duration": "1s", "rate": "1/s"}]})
POOLS = Pools((Customer("A", "a@example.test", "DE"),), (Product("S", "s", 100),))
PLANNED = Checkout(LOAD, 1, POOLS).payment(0, 0)

Payment = tuple[str, int | None, int, str]
"""Method, latency in ns, bytes received, error."""


def tell(environment: Environment, payments: list[Payment]) -> None:
    events = RequestEvents(environment)
    for method, latency, received, error in payments:
        events.take(PLANNED._replace(method=method), Result("unknown", error, ""), latency, received)
    events.close()


def figures(entry: StatsEntry) -> dict[str, Any]:
    """All that Locust shows of an entry, but the times of day."""
    return {
        "requests": entry.num_requests,
        "without_time": entry.num_none_requests,
        "failures": entry.num_failures,
        "mean": round(entry.avg_response_time, 6),
        "min": entry.min_response_time,
        "max": entry.max_response_time,
        "times": sorted(entry.response_times.items()),
        "bytes": entry.total_content_length,
        "median": entry.median_response_time,
        "p99": entry.get_response_time_percentile(0.99),
        "per_second": sum(entry.num_reqs_per_sec.values()),
        "failed_per_second": sum(entry.num_fail_per_sec.values()),
        "seen": entry.last_request_timestamp is not None,
    }


def everything(environment: Environment) -> dict[str, Any]:
    stats = environment.stats
    return {
        "entries": sorted((n, m, figures(e)) for (n, m), e in stats.entries.items()),
        "total": figures(stats.total),
        "errors": sorted((e.method, e.name, str(e.error), e.occurrences) for e in stats.errors.values()),
    }


def broken(**_: Any) -> None:
    raise RuntimeError("a listener that fails")


def case(parts: list[list[Payment]]) -> dict[str, Any]:
    """What becomes of payments that are told in these parts: merged, to another listener, and with one that
    fails."""
    heard: list[Any] = []

    def hear(**event: Any) -> None:
        error = event["exception"]
        heard.append(
            [
                event["request_type"],
                event["name"],
                event["response_time"],
                event["response_length"],
                None if error is None else f"{type(error).__name__}: {error}",
            ]
        )

    found: dict[str, Any] = {}
    for way, listeners in (("merged", []), ("single", [hear]), ("broken", [broken])):
        environment = Environment(events=locust.event.Events())  # type: ignore[no-untyped-call]
        runner = environment.create_local_runner()
        for listener in listeners:
            environment.events.request.add_listener(listener)  # type: ignore[no-untyped-call]
        for part in parts:
            tell(environment, part)
        found[way] = everything(environment)
        runner.quit()
    return {**found, "heard": heard}


if __name__ == "__main__":
    sys.stdout.write(json.dumps([case(parts) for parts in json.loads(sys.stdin.readline())]) + "\n")
