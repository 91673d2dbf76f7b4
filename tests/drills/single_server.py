"""A platform whose capacity is known: one server with a queue before it and a fixed time of service.

``python -m tests.drills.single_server MILLISECONDS`` serves on a free port of 127.0.0.1, prints the port, and
ends when its standard input is closed. Work is done in the order of arrival and never dropped, even where the
customer has gone: below 1000 / MILLISECONDS payments a second nobody waits, beyond it the queue grows for as
long as it lasts.
"""

from __future__ import annotations

import asyncio
import sys

import orjson
import uvloop

from mocks.exchange import Exchange
from mocks.http import Server


class SingleServer:
    """The application.

    Args:
        service_s: What each payment takes, in seconds.
    """

    def __init__(self, service_s: float) -> None:
        self._service_s = service_s
        self._free_at = 0.0
        self._waiting = 0

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.path == "/payments":
            loop = asyncio.get_running_loop()
            # The schedule is kept in times, so that a late timer delays an answer and not the server.
            self._free_at = max(loop.time(), self._free_at) + self._service_s
            self._waiting += 1
            loop.call_at(self._free_at, self._done, exchange, request.body)
        elif request.path == "/health":
            exchange.answer(200, orjson.dumps({"unresolved": self._waiting}))
        elif request.path == "/ledger":
            exchange.answer(200, b'{"entries": [], "next": null}')
        else:
            exchange.answer(404)

    def _done(self, exchange: Exchange, body: bytes) -> None:
        self._waiting -= 1
        asked = orjson.loads(body)
        told = {name: asked[name] for name in ("order_id", "amount_minor", "currency")}
        exchange.answer(201, orjson.dumps({**told, "status": "succeeded"}))


async def serve(service_s: float) -> None:
    server = Server(SingleServer(service_s))
    print(await server.start(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(grace=0)


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]) / 1000))
