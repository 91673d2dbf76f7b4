"""One request in a gateway's hands, from its arrival to its answer or its loss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from mocks.http import Exchange
from mocks.idempotency import Use
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.faults.fault import Fault
    from mocks.gateways.gateway import Gateway


class Call:
    """One request. What the journal will say of it is collected here; faults act on it by its methods.

    Attributes:
        endpoint: The endpoint's name; empty when the gateway has no such endpoint.
        idempotency_key: As sent, empty without one.
        order_id: The order it belongs to, empty while unknown.
        fault: The name of the fault that touched it last.
        use: Its use of an idempotency key, when it holds one.
        execute: What is to be done at the moment of decision; None when there is nothing to execute.
        reply: The answer, once it is known.
        over: It has been answered or lost.
    """

    __slots__ = (
        "_add_ns",
        "_times",
        "endpoint",
        "exchange",
        "execute",
        "fault",
        "faults",
        "gateway",
        "idempotency_key",
        "number",
        "order_id",
        "over",
        "replayed",
        "reply",
        "timer",
        "use",
    )

    def __init__(self, gateway: Gateway, exchange: Exchange, number: int, endpoint: str) -> None:
        self.gateway = gateway
        self.exchange = exchange
        self.number = number
        self.endpoint = endpoint
        self.idempotency_key = exchange.request.headers.get(gateway.idempotency_header, "")
        self.order_id = ""
        self.fault = ""
        self.faults: list[Fault] = []
        self.replayed = False
        self.use: Use | None = None
        self.execute: Callable[[int], Reply] | None = None
        self.reply: Reply | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.over = False
        self._times = 1.0
        self._add_ns = 0

    def latency_ns(self, drawn_ns: float) -> float:
        """The latency after the faults have had their say."""
        return drawn_ns * self._times + self._add_ns

    def slow(self, *, add_ns: int = 0, times: float = 1.0) -> None:
        """Answer later: the latency is multiplied by ``times``, then ``add_ns`` comes on top."""
        self._times *= times
        self._add_ns += add_ns

    def fail(self, status: int) -> None:
        """Don't execute: answer this status in the gateway's own shape."""
        self.reply = self.gateway.error(status)

    def reset(self) -> None:
        """Don't execute: reset the connection."""
        self.gateway.lose(self)
        self.exchange.reset()


Prepared = Reply | Callable[[int], Reply]
"""What a request comes to before it is executed: an answer that needs no execution, or the execution
itself, which takes the ``time.monotonic_ns()`` of its moment."""
