"""A platform that does nothing: it answers every payment as the plan expects, and keeps no books.

``python -m benchmarks.payment_acceptor`` serves on a free port of 127.0.0.1, prints the port, and ends when
its standard input is closed. It is what a load generator's own speed is measured against.
"""

from __future__ import annotations

import asyncio
import sys

import orjson
import uvloop

from mocks.exchange import Exchange
from mocks.garbage import freeze_survivors
from mocks.http import Server
from mocks.platform.vault import INSTRUMENTS

_STATUSES = {"succeeded": 201, "declined": 402, "pending": 202}


def accept(exchange: Exchange) -> None:
    """Answer one payment."""
    asked = orjson.loads(exchange.request.body)
    instrument = INSTRUMENTS[asked["instrument"]]
    claim = {
        "order_id": asked["order_id"],
        "status": instrument.outcome,
        "amount_minor": asked["amount_minor"],
        "currency": asked["currency"],
        "gateway": "stripe",
    }
    if instrument.declined_at_once:
        claim["decline_code"] = instrument.declined_at_once
    exchange.answer(_STATUSES[instrument.outcome], orjson.dumps(claim))


async def serve() -> None:
    """Serve until the standard input is closed."""
    freeze_survivors()
    server = Server(accept)
    sys.stdout.write(f"{await server.start()}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await server.stop(grace=0)


if __name__ == "__main__":
    uvloop.run(serve())
