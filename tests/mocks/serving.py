"""Running a server on its own event loop in a thread, so that blocking clients can be used in tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

import uvloop

from mocks.http import Application, Server

T = TypeVar("T")


class LoopThread:
    """An event loop (uvloop) in a thread of its own."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for its value."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on the loop and wait for its value."""

        async def work() -> T:
            return function()

        return self.wait(work())


class Serving:
    """A ``Server`` with an application, on a loop thread."""

    def __init__(self, application: Application) -> None:
        self.thread = LoopThread()
        self.server = Server(application)

    def __enter__(self) -> Serving:
        self.thread.__enter__()
        self.port = self.thread.wait(self.server.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thread.wait(self.server.stop(0.2))
        self.thread.__exit__(kind, error, trace)
