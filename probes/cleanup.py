"""Putting right what probes may have left behind: bounded tries with back-off, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from probes.probe import Cleanup

DELAYS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each try. After the last one, what is left is reported."""

AT_ONCE = 4
"""Tries that run at the same time, so that cleaning up after an outage is no load test of its own."""

HURRIED = 0.2
"""The longest pause between two tries, in seconds, once the end has come."""


class Cleanups:
    """The cleanups of a process that are under way."""

    def __init__(self, report: Callable[[str], None], delays: Sequence[float] = DELAYS) -> None:
        """``report`` is called with what is left, once for each cleanup that did not succeed."""
        self._report = report
        self._delays = delays
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._hurry = asyncio.Event()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, cleanup: Cleanup, left: str) -> None:
        """Start a cleanup; ``left`` says what is left if not even one try can be made."""
        task = asyncio.create_task(self._settle(cleanup, left))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def leave(self, left: str) -> None:
        """Report at once what is left by a probe that ended before it could say how to put it right."""
        self._report(left)

    def hurry(self) -> None:
        """The end has come: try at once, and pause only briefly between tries."""
        self._hurry.set()

    async def finish(self, deadline: float) -> None:
        """Wait until all are done, at most until ``deadline`` (seconds on the event loop's clock)."""
        await end(self._tasks, deadline)

    async def _settle(self, cleanup: Cleanup, left: str) -> None:
        try:
            for delay in self._delays:
                await self._pause(delay)
                async with self._turns:
                    try:
                        left = await cleanup()
                    except Exception as error:
                        left = f"{left}; the cleanup broke: {error!r}"
                if not left:
                    return
            self._report(f"{left}; given up after {len(self._delays)} tries")
        except asyncio.CancelledError:
            self._report(f"{left}; stopped before it was settled")
            raise

    async def _pause(self, delay: float) -> None:
        if self._hurry.is_set():
            await asyncio.sleep(min(delay, HURRIED))
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), delay)


async def end(tasks: set[asyncio.Task[None]], deadline: float) -> None:
    """Wait for tasks until ``deadline`` (seconds on the event loop's clock), then cancel what is left."""
    loop = asyncio.get_running_loop()
    if tasks and loop.time() < deadline:
        await asyncio.wait(tasks.copy(), timeout=deadline - loop.time())
    rest = tasks.copy()
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
