"""One outbound connection: sends a request, parses its answer, and goes back to the idle ones."""

from __future__ import annotations

import asyncio
import functools
import math
from typing import Protocol, cast

import httptools

from mocks.outbound_call import Answer, AnswerTimeoutError, LostError, OutboundError, Then

ANSWER_LIMIT = 4 << 20
"""The largest answer in bytes that is read; a larger one counts as lost."""


class Owner(Protocol):
    """A client, as far as a connection needs it."""

    def opened(self, connection: OutboundConnection) -> None:
        """The connection was made."""

    def finished(self, connection: OutboundConnection) -> None:
        """The connection can be used again."""

    def lost(self, connection: OutboundConnection) -> None:
        """The connection has gone."""


class OutboundConnection(asyncio.Protocol):
    """One kept-alive connection, for one call at a time.

    Attributes:
        deadline: When the call that is under way has to have its answer, by the loop's clock; infinite when
            there is none.
    """

    __slots__ = (
        "_answer",
        "_body",
        "_client",
        "_headers",
        "_keep_alive",
        "_parser",
        "_size",
        "_then",
        "_transport",
        "deadline",
    )

    def __init__(self, client: Owner) -> None:
        self.deadline = math.inf
        self._client = client
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._then: Then | None = None
        self._answer: Answer | None = None
        self._keep_alive = False
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    @property
    def usable(self) -> bool:
        """Whether a request can be sent: as far as is known, the peer has not gone."""
        return self._transport is not None and not self._transport.is_closing()

    def exchange(self, request: bytes, deadline: float, then: Then) -> None:
        """Send a request, on a connection that is usable and has none under way. ``then`` is called with what
        becomes of it, unless it is abandoned; never from in here."""
        transport = self._transport
        assert transport is not None and self._then is None
        self._then = then
        self.deadline = deadline
        transport.write(request)

    def abandon(self, then: Then) -> None:
        """Nobody waits for that call any more; its answer must not meet the next request."""
        if self._then is then:
            self._then = None
            self.abort()

    def abort(self) -> None:
        """Close at once; a call that is under way is lost."""
        if self._transport is not None:
            self._transport.abort()
            self._end(LostError("the client was closed"))

    def time_out(self) -> None:
        """The time of the call that is under way is up."""
        self._end(AnswerTimeoutError("no answer in time"))
        self._drop()

    def _end(self, outcome: Answer | OutboundError) -> None:
        then, self._then = self._then, None
        self.deadline = math.inf
        if then is not None:
            then(outcome)

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._client.lost(self)
        self._end(LostError("the connection was reset" if exc is not None else "the connection was closed"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end(LostError("what came back was no HTTP answer"))
            self._drop()
            return
        answer = self._answer
        if answer is not None:
            # Not before all that came has been parsed: what stands behind the answer must not be taken for
            # that to the next request.
            self._answer = None
            if self._keep_alive and self.usable:
                self._client.finished(self)
            elif self._transport is not None:
                self._transport.close()
            self._end(answer)

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._headers = {}
        self._body = []
        self._size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[_lowered(name)] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > ANSWER_LIMIT:
            self._end(LostError("the answer was too large"))
            self._drop()
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return  # an interim answer; the real one follows
        if self._then is None or self._answer is not None:
            # An answer that nobody asked for (or asks for no more): whose would the next one be?
            self._drop()
            return
        self._keep_alive = self._parser.should_keep_alive()
        body = self._body
        self._answer = Answer(status, self._headers, body[0] if len(body) == 1 else b"".join(body))


@functools.lru_cache(256)
def _lowered(name: bytes) -> str:
    return name.decode("latin-1").lower()
