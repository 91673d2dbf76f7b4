"""The servers of the kernel benchmark that are written here, each a process of its own.

``python -m benchmarks.payment_servers paydrill|starlette|fixed`` serves on a free port of 127.0.0.1, prints
the port, and ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys

import uvloop

from benchmarks.payment_requests import CREATE, PaymentRequests, post
from mocks.exchange import Exchange, Request
from mocks.garbage import freeze_survivors
from mocks.gateways import GATEWAYS
from mocks.gateways.gateway import Gateway
from mocks.http import Server
from mocks.latency import Latency
from mocks.transmission import Transmission


async def serve_paydrill() -> None:
    """The Stripe mock as it is: ledger, idempotency keys, events; no latency and no journal."""
    freeze_survivors()  # as every mock's process does when its run begins
    gateway = _stripe()
    server = Server(gateway)
    gateway.server = server
    _say(await server.start())
    await _stdin_closed()
    await server.stop(grace=0)
    gateway.close()


async def serve_fixed() -> None:
    """The same two answers from the mocks' own HTTP kernel, without any state."""
    created, confirmed = recorded_answers()

    def answer(exchange: Exchange) -> None:
        exchange.answer(200, confirmed if exchange.request.path.endswith("/confirm") else created)

    server = Server(answer)
    _say(await server.start())
    await _stdin_closed()
    await server.stop(grace=0)


async def serve_starlette() -> None:
    """The same two answers without any state: the bytes are fixed, the request's body is only read."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request as StarletteRequest
    from starlette.responses import Response
    from starlette.routing import Route

    created, confirmed = recorded_answers()

    async def create(request: StarletteRequest) -> Response:
        await request.body()
        return Response(created, media_type="application/json")

    async def confirm(request: StarletteRequest) -> Response:
        await request.body()
        return Response(confirmed, media_type="application/json")

    application = Starlette(
        routes=[
            Route("/v1/payment_intents", create, methods=["POST"]),
            Route("/v1/payment_intents/{intent}/confirm", confirm, methods=["POST"]),
        ]
    )
    config = uvicorn.Config(
        application, http="httptools", loop="uvloop", log_level="error", access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    serving = asyncio.create_task(server.serve([listener]))
    _say(listener.getsockname()[1])
    await _stdin_closed()
    server.should_exit = True
    await serving


def recorded_answers() -> tuple[bytes, bytes]:
    """The bodies with which the Stripe mock answers a payment's creation and its confirmation."""
    gateway = _stripe()
    created = _answer(gateway, CREATE, "/v1/payment_intents", 0)
    head, _, body = PaymentRequests().confirm(created).partition(b"\r\n\r\n")
    return created, _answer(gateway, body, head.split(b" ")[1].decode(), 1)


def _stripe() -> Gateway:
    return GATEWAYS["stripe"].make("stripe", Latency(0, 0), 1)


class _Nowhere:
    """A connection that leads nowhere: the answer is read from the exchange."""

    stopping = False
    scheme = "http"

    def flush(self) -> None: ...

    def transmit(self, exchange: Exchange, transmission: Transmission) -> None: ...

    def reset(self) -> None: ...


def _answer(gateway: Gateway, body: bytes, path: str, number: int) -> bytes:
    lines = post(path, f"recorded-{number}", body).decode("latin-1").split("\r\n")[1:]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if value}
    exchange = Exchange(Request("POST", path, "", headers, body, 0), _Nowhere(), keep_alive=True, old=False)
    gateway(exchange)
    reply = exchange.reply or b""
    if not reply.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the Stripe mock answered {reply[:200]!r}")
    return reply.partition(b"\r\n\r\n")[2]


def _say(port: int) -> None:
    # For all servers alike.
    gc.collect()
    gc.freeze()
    print(port, flush=True)


async def _stdin_closed() -> None:
    await asyncio.to_thread(sys.stdin.read)


SERVERS = {"paydrill": serve_paydrill, "fixed": serve_fixed, "starlette": serve_starlette}

if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(SERVERS[sys.argv[1]]())
