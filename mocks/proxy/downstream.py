"""A client's connection to a proxy: one request at a time, its bytes handed on as they come."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from mocks.connection import ARRIVAL_LIMIT, HALF_CLOSED_LIMIT, HEAD_LIMIT, LINGER, Connection, Owner
from mocks.proxy.body import Body, BodyError
from mocks.proxy.call import ProxyCall
from mocks.proxy.head import END, HeadError, read_request

if TYPE_CHECKING:
    from mocks.proxy.proxy import Proxy

AHEAD_LIMIT = 64 << 10
"""Bytes of further requests that are read while one is on its way."""


class Downstream(Connection):
    """A connection of the kernel's that reads requests by their bytes instead of parsing them whole. What the
    proxy or a fault answers goes out by the kernel's own ways; what the origin answers, as it came."""

    __slots__ = ("_ahead", "_proxy", "call")

    def __init__(self, server: Owner, proxy: Proxy) -> None:
        super().__init__(server)
        self._proxy = proxy
        self._ahead = b""  # of a head without its end, or of what comes after the request on its way
        self.call: ProxyCall | None = None

    @property
    def busy(self) -> bool:
        """Whether a request is on its way."""
        return self.call is not None or bool(self._queue)

    # What asyncio calls.

    def connection_lost(self, exc: Exception | None) -> None:
        call, self.call = self.call, None
        super().connection_lost(exc)
        if call is not None:
            self._proxy.client_left(call)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        call = self.call
        if call is None:
            if self._queue:
                self._read_ahead(data)
            else:
                self._take(self._ahead + data if self._ahead else data)
        elif not call.received:
            self._more(call, data)
        else:
            self._read_ahead(data)

    def eof_received(self) -> bool:
        transport = self._transport
        if not self.busy or transport is None or not transport.can_write_eof():
            return False
        if self.call is not None and not self.call.received:
            return False  # the rest of the request will never come
        self._ended = True
        # Nobody can tell a client that only has closed its sending side from one that has left.
        asyncio.get_running_loop().call_later(HALF_CLOSED_LIMIT, transport.close)
        return True

    def pause_writing(self) -> None:
        if self.call is not None and self.call.upstream is not None:
            self.call.upstream.pause_reading()

    def resume_writing(self) -> None:
        if self.call is not None and self.call.upstream is not None:
            self.call.upstream.resume_reading()

    # Requests.

    def _take(self, data: bytes) -> None:
        end = data.find(END) + 4
        if end < 4:
            if len(data) > HEAD_LIMIT:
                self._refuse(431)
                return
            self._ahead = data
            if self._late is None:
                self._late = asyncio.get_running_loop().call_later(ARRIVAL_LIMIT, self._too_late)
            return
        if data.startswith(b"\r\n"):
            self._take(data.lstrip(b"\r\n"))  # RFC 9112, 2.2: empty lines before a request are passed over
            return
        self._ahead = b""
        if self._late is not None:
            self._in_time()
        try:
            if end > HEAD_LIMIT:
                raise HeadError(431, "a large head")
            whole = end == len(data)
            head = read_request(data if whole else data[:end])
            call = self._proxy.call(self, head, time.monotonic_ns())
            if head.length:
                call.body = Body(head.length)
                call.received = False
                taken = 0 if whole else call.body.feed(data[end:])
                call.seen = data[end : end + taken]
                call.received = call.body.whole
                self._ahead = data[end + taken :]
            elif not whole:
                self._ahead = data[end:]
        except HeadError as error:
            self._refuse(error.status)
            return
        except BodyError:
            self._refuse(400)
            return
        self.call = call
        self._proxy.take(call)

    def _more(self, call: ProxyCall, data: bytes) -> None:
        assert call.body is not None
        try:
            taken = call.body.feed(data)
        except BodyError:
            # Part of it is on its way: what the origin makes of that, nobody knows.
            call.reset()
            return
        call.received = call.body.whole
        if taken < len(data):
            self._ahead = data[taken:]
            data = data[:taken]
        self._proxy.more(call, data)

    def _read_ahead(self, data: bytes) -> None:
        self._ahead += data
        if len(self._ahead) > AHEAD_LIMIT:
            self._pause_reading()

    def _next(self) -> None:
        if self.busy or self._ended or self._transport is None or not self._ahead:
            return
        self._take(self._ahead)

    # Answers.

    def pass_on(self, data: bytes) -> None:
        """Send what came from the origin."""
        transport = self._transport
        if transport is not None:
            transport.write(data)

    def passed_on(self, call: ProxyCall, *, stays: bool) -> None:
        """The whole answer has been passed on."""
        self.call = None
        if not call.received:
            # Closing with unread bytes in the socket's buffer sends RST, which can overtake the answer.
            self._ended = True
            transport = self._transport
            if transport is not None:
                if transport.can_write_eof():
                    transport.write_eof()
                asyncio.get_running_loop().call_later(LINGER, transport.close)
                self._resume_reading()
        elif not stays or self._ended or self.server.stopping:
            self.close()
        else:
            self._go_on()

    def queue(self, call: ProxyCall) -> None:
        """The answer will go out by the kernel's ways."""
        exchange = call.exchange
        if exchange not in self._queue and not exchange.lost:
            self._queue.append(exchange)

    def unqueue(self, call: ProxyCall) -> None:
        """The answer goes on as it comes after all."""
        with contextlib.suppress(ValueError):
            self._queue.remove(call.exchange)

    def settled(self, call: ProxyCall) -> None:
        """The kernel has the answer, or there will be none."""
        if self.call is call:
            self.call = None
            self._go_on()

    def last(self, call: ProxyCall) -> None:
        """No request can follow this one, as it is not whole: close after its answer, and let the client read
        that."""
        self._ended = self._lingering = True
        call.exchange.keep_alive = False

    def retire(self) -> None:
        """Close once the request that has been read whole is answered, and take no more of them."""
        if self.call is None or self._queue or not self.call.received:
            super().retire()
        else:
            self.stop_reading()

    def flush(self) -> None:
        """Send the kernel's answers that are ready, and go on with the next request."""
        super().flush()
        self._go_on()

    def _go_on(self) -> None:
        self._resume_reading()
        if self._ahead and not self.busy:
            # Not from here: answers that come at once would pile up on the stack.
            asyncio.get_running_loop().call_soon(self._next)

    def pause(self) -> None:
        """Read no more from the client for now."""
        self._pause_reading()

    def resume(self) -> None:
        """Read on."""
        self._resume_reading()
