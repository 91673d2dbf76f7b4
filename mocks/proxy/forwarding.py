"""Passing requests on to the origin: at their turn, on a connection that rests or a new one."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mocks.proxy.head import addressed
from mocks.proxy.upstream import UnreachableError, Upstream, UpstreamConnection

if TYPE_CHECKING:
    from mocks.proxy.call import ProxyCall
    from mocks.sandboxes.pace import Pace

UNSENT_LIMIT = 256 << 10
"""Bytes of a request that are read while its connection to the origin is being made."""


class Forwarding:
    """What goes from one proxy to its origin.

    Args:
        name: What the journal calls the proxy.
        upstream: The origin.
        pace: What every request waits for; None: they are passed on as they come.
        say: Answers a request in the proxy's own name, as it is not passed on: status, word and reason.
    """

    def __init__(
        self,
        name: str,
        upstream: Upstream,
        pace: Pace | None,
        say: Callable[[ProxyCall, int, str, str], None],
    ) -> None:
        self._name = name
        self._upstream = upstream
        self._pace = pace
        self._say = say
        self._host = upstream.origin.authority
        self._connecting: set[asyncio.Task[None]] = set()
        self._complained = ""

    def turn(self, call: ProxyCall) -> None:
        """Pass a request on when its turn has come."""
        if self._pace is None:
            self._forward(call)
            return
        wait_s = self._pace.turn()
        if wait_s is None:
            self._say(call, 503, "pace", "too many requests wait for their turn under the agreed pace")
        else:
            later(call, wait_s * 1e9, self._forward)

    def more(self, call: ProxyCall, data: bytes) -> None:
        """More of its body has come."""
        if call.forwarded and call.upstream is not None:
            call.upstream.send(data)
        elif not call.forwarded:
            call.unsent.append(data)
            call.unsent_size += len(data)
            if call.unsent_size > UNSENT_LIMIT:
                call.downstream.pause()

    def close(self) -> None:
        """Close the connections to the origin, those included that are being made."""
        for task in tuple(self._connecting):
            task.cancel()
        self._upstream.close()

    def _forward(self, call: ProxyCall) -> None:
        connection = self._upstream.idle()
        if connection is not None:
            self._begin(call, connection)
            return
        task = asyncio.get_running_loop().create_task(self._connect(call))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, call: ProxyCall) -> None:
        try:
            connection = await self._upstream.connect()
        except UnreachableError as error:
            if not call.over:
                self._unreachable(call, str(error))
            return
        if call.over:
            self._upstream.free(connection)
        elif not connection.usable:
            self._unreachable(call, f"{self._upstream.origin.url}: it closed the connection at once")
        else:
            self._begin(call, connection)

    def _begin(self, call: ProxyCall, connection: UpstreamConnection) -> None:
        call.forwarded = True
        call.forwarded_ns = time.monotonic_ns()
        call.upstream = connection
        data = addressed(call.head, self._host)
        if call.seen or call.unsent:
            data = b"".join((data, call.seen, *call.unsent))
            call.unsent.clear()
        connection.begin(call, data)
        if call.unsent_size > UNSENT_LIMIT:
            call.downstream.resume()

    def _unreachable(self, call: ProxyCall, why: str) -> None:
        if why != self._complained:
            self._complained = why
            sys.stderr.write(f"{self._name}: {why}\n")
            sys.stderr.flush()
        self._say(call, 502, "unreachable", why)


def later(call: ProxyCall, delay_ns: float, then: Callable[[ProxyCall], None]) -> None:
    """Go on with a request after so much time, unless it ends before."""
    if delay_ns <= 0:
        then(call)
    else:
        call.timer = asyncio.get_running_loop().call_later(delay_ns / 1e9, then, call)
