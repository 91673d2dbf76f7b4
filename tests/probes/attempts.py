"""One attempt of a probe, as the schedule would make it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import uvloop

from journal.clock import MILLISECOND
from probes import PROBES
from probes.probe import Attempt, Finding, Value
from probes.wire import Clients, Wire

T = TypeVar("T")


def attempt(
    probe: str, url: str, *, timeout_ms: int = 2000, params: Mapping[str, Value] | None = None
) -> Finding:
    """Run a probe once."""
    return with_attempt(probe, url, PROBES[probe].function(), timeout_ms=timeout_ms, params=params)


def with_attempt(
    probe: str,
    url: str,
    work: Callable[[Attempt], Awaitable[T]],
    *,
    timeout_ms: int = 2000,
    params: Mapping[str, Value] | None = None,
    run: Callable[[Coroutine[Any, Any, T]], T] = uvloop.run,
) -> T:
    """Run something with an attempt of a probe, on an event loop of its own."""

    async def main() -> T:
        clients = Clients()
        try:
            return await work(
                Attempt(
                    url=url,
                    params=PROBES[probe].complete(params or {}),
                    wire=Wire(clients, timeout_ms * MILLISECOND),
                    order_id="probe-test-1",
                    deadline=asyncio.get_running_loop().time() + timeout_ms / 1000,
                )
            )
        finally:
            await clients.close()

    return run(main())
