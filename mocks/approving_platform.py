"""A platform that approves every payment, without gateways, ledger or state: what a load generator is
measured against, because it costs next to nothing itself."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from itertools import pairwise

import orjson

from journal.clock import SECOND, Clock
from journal.tether import Message
from journal.writer import Writer
from mocks.connection import Connection
from mocks.exchange import Exchange
from mocks.http import Server

_COUNTED = struct.Struct("=QQII")
_COUNTED_AT = 120
"""Where ``struct tcp_info`` of Linux (include/uapi/linux/tcp.h) has ``tcpi_bytes_acked``,
``tcpi_bytes_received``, ``tcpi_segs_out`` and ``tcpi_segs_in``."""


class ApprovingPlatform:
    """The service (``mocks.process.Service``).

    Its plan: ``{"delays": [[from_ns, delay_ns], ...]}``, how long answers take from which time of the run on;
    at once before the first.

    - ``POST /payments``: 201, succeeded, with what was asked for
    - ``GET /counts``, on a port of its own (``ready`` carries it as ``counts_port``): how many payments are
      ``in_flight`` and ``connections`` open, and of the open connections the ``payments``, their ``bytes`` of
      HTTP and their TCP ``segments``, both directions together; the latter two are null where the system
      doesn't count them
    """

    def __init__(self) -> None:
        self._clock: Clock | None = None
        self._delays: list[tuple[int, int]] = []
        self._in_flight = 0
        self._server = _Counting(self)
        self._counts = Server(self._answer_counts)

    async def start(self, plan: Message) -> Message:
        """Bind. Raises ValueError when the delays are not in order."""
        self._delays = [(int(start), int(delay)) for start, delay in plan.get("delays", ())]
        if any(later[0] < earlier[0] for earlier, later in pairwise(self._delays)):
            raise ValueError("the delays must be in the order of their times")
        return {"port": await self._server.start(), "counts_port": await self._counts.start()}

    def go(self, clock: Clock, writer: Writer | None) -> None:
        self._clock = clock

    async def stop(self) -> None:
        await self._server.stop(grace=0)
        await self._counts.stop(grace=0)

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.method != "POST" or request.path != "/payments":
            exchange.answer(404, b"{}")
            return
        asked = orjson.loads(request.body)
        order = asked["order_id"]
        body = orjson.dumps(
            {
                "id": f"pay_{order}",
                "order_id": order,
                "amount_minor": asked["amount_minor"],
                "currency": asked["currency"],
                "status": "succeeded",
                "gateway": "approving",
                "reference": f"ref_{order}",
            }
        )
        self._in_flight += 1
        delay = self._delay_ns()
        if delay:
            asyncio.get_running_loop().call_later(delay / SECOND, self._approve, exchange, body)
        else:
            self._approve(exchange, body)

    def _approve(self, exchange: Exchange, body: bytes) -> None:
        self._in_flight -= 1
        exchange.answer(201, body)

    def _answer_counts(self, exchange: Exchange) -> None:
        exchange.answer(200, orjson.dumps({"in_flight": self._in_flight, **self._server.counts()}))

    def _delay_ns(self) -> int:
        if not self._delays or self._clock is None:
            return 0
        now = self._clock.now_ns()
        return next((delay for start, delay in reversed(self._delays) if start <= now), 0)


class _Counting(Server):
    """A server that knows the sockets of its connections, and how many payments each has brought."""

    def connection(self) -> Connection:
        return _CountedConnection(self)

    def counts(self) -> dict[str, int | None]:
        payments = octets = segments = 0
        for connection in self.connections:
            if isinstance(connection, _CountedConnection):
                payments += connection.payments
                counted = connection.counted()
                octets += counted[0] + counted[1]
                segments += counted[2] + counted[3]
        return {
            "connections": len(self.connections),
            "payments": payments,
            "bytes": octets or None,
            "segments": segments or None,
        }


class _CountedConnection(Connection):
    """A connection whose payments are counted."""

    __slots__ = ("_counted_socket", "payments")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.payments = 0
        self._counted_socket: socket.socket = transport.get_extra_info("socket")
        super().connection_made(transport)

    def on_message_complete(self) -> None:
        self.payments += 1
        super().on_message_complete()

    def counted(self) -> tuple[int, int, int, int]:
        """Bytes acknowledged and received, segments sent and received; zeros where the system doesn't say."""
        with contextlib.suppress(OSError, AttributeError, struct.error):
            info = self._counted_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            acked, received, sent_segments, received_segments = _COUNTED.unpack_from(info, _COUNTED_AT)
            return acked, received, sent_segments, received_segments
        return 0, 0, 0, 0
