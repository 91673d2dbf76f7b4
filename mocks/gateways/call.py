"""One request in a gateway's hands, from its arrival to its answer or its loss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from mocks.faults.matcher import NOTHING, Traits
from mocks.faults.touched import Touched
from mocks.http import Exchange
from mocks.idempotency import Use
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.gateways.gateway import Gateway
    from mocks.transmission import Transmission


class Call(Touched):
    """One request. What the journal will say of it is collected here; faults act on it by its methods.

    Attributes:
        endpoint: The endpoint's name; empty when the gateway has no such endpoint.
        idempotency_key: As sent, empty without one.
        order_id: The order it belongs to, empty while unknown.
        use: Its use of an idempotency key, when it holds one.
        execute: What is to be done at the moment of decision; None when there is nothing to execute.
        declined: A fault has asked that the payment be declined.
    """

    __slots__ = (
        "_traits",
        "declined",
        "endpoint",
        "exchange",
        "execute",
        "gateway",
        "idempotency_key",
        "number",
        "order_id",
        "replayed",
        "timer",
        "use",
    )

    def __init__(self, gateway: Gateway, exchange: Exchange, number: int, endpoint: str) -> None:
        super().__init__()
        self.gateway = gateway
        self.exchange = exchange
        self.number = number
        self.endpoint = endpoint
        self.idempotency_key = exchange.request.headers.get(gateway.idempotency_header, "")
        self.order_id = ""
        self.replayed = False
        self.use: Use | None = None
        self.execute: Callable[[int], Reply] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.declined = False
        self._traits: Traits | None = None

    @property
    def http_method(self) -> str:
        """As sent."""
        return self.exchange.request.method

    @property
    def region(self) -> str:
        """The gateway's; empty when it has none."""
        return self.gateway.region

    @property
    def traits(self) -> Traits:
        """What the body says of a payment; read when it is asked for, and once."""
        if self._traits is None:
            try:
                self._traits = self.gateway.traits(self)
            except Exception:
                # Whatever is wrong with it, the gateway itself will say.
                self._traits = NOTHING
        return self._traits

    @property
    def pays(self) -> bool:
        """Whether its endpoint is one that makes money move: a payment, its capture."""
        return self.endpoint in self.gateway.payment_endpoints

    def error(self, status: int) -> Reply:
        """An answer of this status in the gateway's own shape."""
        return self.gateway.error(status)

    def moved(self, reply: Reply) -> bool:
        """Whether an answer is to a payment or refund that was made, or is on its way (a bank debit)."""
        return self.gateway.moved(self, reply)

    def contradiction(self, reply: Reply) -> Reply | None:
        """HTTP 200 with the opposite of what an answer says of a payment; None when it says nothing of it."""
        return self.gateway.contradiction(reply)

    @property
    def knows_key(self) -> bool:
        """Whether its idempotency key is known, from a request that is over."""
        return self.gateway.known_key(self) is not None

    def forget_key(self) -> None:
        """Let its idempotency key be one that was never used."""
        known = self.gateway.known_key(self)
        if known is not None:
            keys, key = known
            keys.release(key)

    def decline(self) -> None:
        """Let the payment that it makes be declined, with the gateway's own decline."""
        self.declined = True

    def fail_later(self, reply: Reply, seconds: float) -> bool:
        """Take back the payment that this answer told of, after so many seconds of the gateway's clock.
        Returns False when it told of none that could be."""
        return self.gateway.fail_later(reply, seconds)

    def latency_ns(self, drawn_ns: float) -> float:
        """The latency after the faults have had their say."""
        return drawn_ns * self._times + self._add_ns

    def fail(self, status: int) -> None:
        """Don't execute: answer this status in the gateway's own shape."""
        self.reply = self.gateway.error(status)

    def reset(self) -> None:
        """Reset the connection, even if it was on hold. What has not been executed never is."""
        if not self.over:
            self.gateway.lose(self)
        self.exchange.reset()

    def hold(self, gone: Callable[[], None] | None = None) -> None:
        """Never answer, and leave the connection open. What has not been executed never is. The answers to
        requests that follow on the connection wait behind it. ``gone`` is called once when its client has
        left."""
        self.exchange.on_lost = gone
        self.gateway.lose(self)

    def transmit(self, reply: Reply, transmission: Transmission, *, keep_alive: bool = True) -> None:
        """Send the answer in the transmission's way. ``keep_alive`` false tells the client that the
        connection will be closed."""
        self.gateway.transmit(self, reply, transmission, keep_alive=keep_alive)


Prepared = Reply | Callable[[int], Reply]
"""What a request comes to before it is executed: an answer that needs no execution, or the execution
itself, which takes the ``time.monotonic_ns()`` of its moment."""
