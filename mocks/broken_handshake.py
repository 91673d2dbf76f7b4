"""A TLS handshake that fails at its first message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

from mocks.connection import LINGER
from mocks.listener import HANDSHAKE_LIMIT, reset_on_close

ALERT = bytes((21, 3, 3, 0, 2, 2, 40))
"""A record of type alert (21), legacy version 3.3, 2 bytes long: level fatal (2), description
handshake_failure (40); RFC 8446, sections 5.1 and 6, and the same bytes in RFC 5246 (TLS 1.2)."""


class BrokenHandshake(asyncio.Protocol):
    """Waits for a client's hello, and answers it with an alert or a reset.

    Args:
        alert: Answer with ``ALERT`` and close; False: reset.
        on_hello: Called when the client's first bytes have come.
        on_end: Called when the connection is gone.
    """

    def __init__(
        self, alert: bool, on_hello: Callable[[], None], on_end: Callable[[BrokenHandshake], None]
    ) -> None:
        self._alert = alert
        self._on_hello = on_hello
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._met = False
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._over:
            self.reset()
            return
        self._closing = asyncio.get_running_loop().call_later(HANDSHAKE_LIMIT, transport.close)

    def data_received(self, data: bytes) -> None:
        if self._met:
            return  # the rest of the hello: closing with it unread would send RST before the alert is read
        self._met = True
        self._on_hello()
        transport = self._transport
        assert transport is not None
        if not self._alert:
            self.reset()
            return
        transport.write(ALERT)
        transport.write_eof()
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.get_running_loop().call_later(LINGER, transport.close)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._closing is not None:
            self._closing.cancel()
        self._on_end(self)

    def reset(self) -> None:
        """Send RST, now or as soon as there is a connection."""
        self._over = True
        transport = self._transport
        if transport is not None:
            with contextlib.suppress(OSError):
                reset_on_close(transport.get_extra_info("socket"))
            transport.abort()
