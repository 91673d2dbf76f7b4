"""Tells Locust of every payment, a few times a second instead of one by one.

Locust's ``request`` event takes about as long as sending a payment, nearly all of it for Locust's own
statistics. Where nobody but Locust listens, these get the payments of a tenth of a second at once, merged as
Locust merges the statistics of its workers. As soon as somebody else listens (OpenTelemetry, a listener of a
locustfile), the event is fired for every single payment.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import gevent
from locust import stats
from locust.env import Environment

from journal.clock import MILLISECOND
from scenarios.checkout import PlannedPayment
from scenarios.result import Result

EVERY = 0.1
"""Seconds between two deliveries, at most."""

_TYPE = "PAY"
_Told = tuple[str, int | None, int, str]
"""Method, latency in ns, bytes received, error."""

_IN_A_ROW = 50
"""Events that are fired before the payments in flight get a turn."""


class PaymentError(Exception):
    """A payment that did not go as planned; Locust groups its failures by this text."""


class RequestEvents:
    """Takes what became of payments, and delivers it to Locust from a greenlet of its own.

    Args:
        environment: Gets a ``request`` for every payment, exactly once. Its ``response_time`` in milliseconds
            counts from the due time; it is ``None`` for a payment without an answer.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._taken: list[_Told] = []
        self._closing = False
        self._delivering = gevent.spawn(self._deliver_forever)

    def take(self, planned: PlannedPayment, result: Result, latency_ns: int | None, received: int) -> None:
        """A payment has ended."""
        self._taken.append((planned.method, latency_ns, received, result.error))

    def close(self) -> None:
        """Deliver what is left."""
        # Not killed: it may be in the middle of a delivery.
        self._closing = True
        self._delivering.join()
        self._deliver()

    def _deliver_forever(self) -> None:
        while not self._closing:
            gevent.sleep(EVERY)
            self._deliver()

    def _deliver(self) -> None:
        taken, self._taken = self._taken, []
        if not taken:
            return
        if self._only_locust_listens():
            self._merge(taken)
            return
        request: Any = self._environment.events.request
        for number, (method, latency, received, error) in enumerate(taken, start=1):
            request.fire(
                request_type=_TYPE,
                name=method,
                response_time=None if latency is None else latency / MILLISECOND,
                response_length=received,
                exception=PaymentError(error) if error else None,
                context={},
            )
            if number % _IN_A_ROW == 0:
                gevent.sleep(0)

    def _only_locust_listens(self) -> bool:
        listeners = self._environment.events.request._handlers
        return len(listeners) == 1 and (
            listeners[0].__module__ == "locust.runners"
            and listeners[0].__qualname__ == "Runner.__init__.<locals>.on_request"
        )

    def _merge(self, taken: list[_Told]) -> None:
        """What ``RequestStats.log_request`` and ``log_error`` make of each of them, for all at once."""
        all_stats = self._environment.stats
        by_method: dict[str, list[_Told]] = defaultdict(list)
        for one in taken:
            by_method[one[0]].append(one)
            if one[3]:
                all_stats.log_error(_TYPE, one[0], PaymentError(one[3]))
        for method, some in by_method.items():
            entry = _entry(all_stats, method, some)
            all_stats.total.extend(entry)
            all_stats.entries[(method, _TYPE)].extend(entry)


def _entry(all_stats: stats.RequestStats, method: str, some: list[_Told]) -> stats.StatsEntry:
    # Its annotations say int where log_request is given floats.
    entry: Any = stats.StatsEntry(all_stats, method, _TYPE)
    bucket = stats.bucket_response_time
    now = time.time()
    times = [latency / MILLISECOND for _, latency, _, _ in some if latency is not None]
    entry.num_requests = entry.num_reqs_per_sec[int(now)] = len(some)
    entry.num_none_requests = len(some) - len(times)
    entry.last_request_timestamp = now
    entry.total_content_length = sum([received for _, _, received, _ in some])
    if times:
        entry.total_response_time = sum(times)
        entry.min_response_time = min(times)
        entry.max_response_time = max(times)
        for one in times:
            entry.response_times[bucket(one)] += 1
    merged: stats.StatsEntry = entry
    return merged
