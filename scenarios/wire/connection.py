"""One connection, driven by the event loop's callbacks: it sends a request and reads its answer."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import Any

import gevent

from scenarios.wire.answer import Answer, Heads, MalformedError, Reader
from scenarios.wire.errors import NeverSentError, NoAnswerError, words
from scenarios.wire.exchange import Exchange
from scenarios.wire.transport import Transport

ANSWER_LIMIT = 1024 * 1024
"""Bytes of an answer, its head included; one that is larger is cut off."""

_READ, _WRITE = 1, 2  # EV_READ and EV_WRITE of libev

Ending = Answer | NeverSentError | NoAnswerError


class Connection:
    """Carries one exchange at a time.

    Its socket is watched all the time, so that a server that closes an idle connection is noticed.

    Args:
        transport: The connection as it was made.
        heads: Heads of answers that are known already; shared by all connections of a pool.
        on_end: Called when an exchange has ended with (connection, exchange, what became of it), or with
            (connection, None, None) when the connection ended while it was idle.
        on_close: Called once, when it is closed.

    Attributes:
        closed: It cannot be used any more.
        heard_ns: When the request left, or bytes of its answer came last, by ``time.monotonic_ns()``.
    """

    __slots__ = (
        "_exchange",
        "_heads",
        "_left",
        "_on_close",
        "_on_end",
        "_reader",
        "_reading",
        "_received",
        "_transport",
        "_unsent",
        "_writing",
        "closed",
        "heard_ns",
    )

    def __init__(
        self,
        transport: Transport,
        heads: Heads,
        on_end: Callable[[Connection, Exchange | None, Ending | None], None],
        on_close: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._heads = heads
        self._on_end = on_end
        self._on_close = on_close
        self._exchange: Exchange | None = None
        self._reader: Reader | None = None
        self._received = 0
        self._left = 0
        self._unsent = b""
        self._writing: Any = None
        self.closed = False
        self.heard_ns = 0
        self._reading: Any = gevent.get_hub().loop.io(transport.fileno(), _READ)
        self._reading.start(self._readable)

    def idle(self) -> bool:
        """Whether it can take a request: as far as is known here, the other end has not closed it."""
        return not self.closed and self._transport.idle()

    def begin(self, exchange: Exchange) -> OSError | None:
        """Send a request, as much of it as goes now; the rest follows.

        Returns:
            Why not one byte of it could leave; the connection is closed then, and the exchange goes on.
        """
        sealed = b""
        try:
            sealed = self._transport.seal(exchange.request)
            left = self._transport.send(sealed)
        except BlockingIOError:
            left = 0
        except OSError as error:
            self.close()
            return error
        self._exchange = exchange
        exchange.connection = self
        self._left = left
        self.heard_ns = monotonic_ns()
        if left < len(sealed):
            self._unsent = sealed[left:]
            self._writing = gevent.get_hub().loop.io(self._transport.fileno(), _WRITE)
            self._writing.start(self._writable)
        return None

    def abandon(self, why: str) -> None:
        """Give up the exchange that it carries."""
        self._lose(why)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._stop_writing()
            # A watcher of a closed descriptor would watch whoever gets its number next.
            self._reading.stop()
            self._reading.close()
            self._transport.close()
            self._on_close()

    def _writable(self) -> None:
        try:
            sent = self._transport.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"connection lost while sending: {words(error)}")
            return
        self._left += sent
        self._unsent = self._unsent[sent:]
        self.heard_ns = monotonic_ns()
        if not self._unsent:
            self._stop_writing()

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.stop()
            self._writing.close()
            self._writing = None

    def _readable(self) -> None:
        try:
            data = self._transport.receive()
        except BlockingIOError:
            return
        except OSError as error:
            while_ = "while sending" if self._unsent else "before the answer"
            self._lose(f"connection lost {while_}: {words(error)}")
            return
        exchange = self._exchange
        if exchange is None:
            # Its end, or bytes that nobody asked for.
            self._lose("")
            return
        if self._reader is None and data and not self._unsent:
            answer = self._heads.whole(data)
            if answer is not None:
                self._exchange = None
                self._on_end(self, exchange, answer)
                return
        self._read(exchange, data)

    def _read(self, exchange: Exchange, data: bytes) -> None:
        """Any answer but the plainest."""
        reader = self._reader
        first = reader is None
        if reader is None:
            reader = self._reader = Reader()
            self._received = 0
        self.heard_ns = monotonic_ns()
        self._received += len(data)
        try:
            if data:
                reader.feed(data)
            else:
                reader.close()
        except MalformedError as error:
            self._lose(str(error))
            return
        if self._received > ANSWER_LIMIT:
            self._lose(f"the answer is larger than {ANSWER_LIMIT // 1024} KiB")
            return
        if reader.answer is None:
            if not data:
                self._lose("connection closed before the answer was whole")
            return
        if first and reader.plain:
            self._heads.learn(data, reader.answer)
        # An answer that comes before its whole request has left ends the request, too.
        if not reader.reusable or self._unsent:
            self.close()
        self._exchange = self._reader = None
        self._on_end(self, exchange, reader.answer)

    def _lose(self, why: str) -> None:
        self.close()
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            self._on_end(self, None, None)
        elif self._left:
            self._on_end(self, exchange, NoAnswerError(why))
        else:
            self._on_end(self, exchange, NeverSentError(why))
