"""A share of requests is drawn for each request, and by the seed: not for each connection, not by chance."""

from __future__ import annotations

import http.client

from scipy.stats import binom

from tests.mocks.running import Running
from tests.payment_faults.faulty import plan

REQUESTS = 2000
SHARE = 0.1


def touched(seed: int) -> list[int]:
    """The numbers of those requests on one connection that got the error."""
    with Running("stripe", seed=seed, faults=(plan("http_error", share=SHARE),)) as running:
        connection = running.connection()
        connection.connect()
        used = connection.sock
        statuses = []
        for _ in range(REQUESTS):
            connection.request("GET", "/health")
            with connection.getresponse() as response:
                response.read()
                statuses.append(response.status)
            assert connection.sock is used, "the connection was not kept alive"
        journaled = [number for number, request in enumerate(running.requests) if request.fault]
        failed = [
            number for number, status in enumerate(statuses) if status == http.client.SERVICE_UNAVAILABLE
        ]
        assert set(statuses) == {200, 503} and journaled == failed
        running.thread.call(running.service.schedule.close)  # type: ignore[union-attr]
        assert running.fault_events[-1].hits == len(failed)
        return failed


def test_a_tenth_of_the_requests_of_one_connection() -> None:
    once = touched(11)
    low, high = binom.interval(1 - 1e-9, REQUESTS, SHARE)
    assert low <= len(once) <= high
    assert touched(11) == once != touched(12)
