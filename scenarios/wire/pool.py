"""A pool of keep-alive connections to one base URL."""

from __future__ import annotations

from collections import deque
from time import monotonic_ns
from typing import Any

import gevent
import gevent.event

from scenarios.wire.answer import Answer, Heads
from scenarios.wire.connection import Connection, Ending
from scenarios.wire.dialling import dial
from scenarios.wire.errors import NeverSentError, NoAnswerError, words
from scenarios.wire.exchange import Exchange
from scenarios.wire.form import Form, checked, get
from scenarios.wire.target import Target

_S = 1_000_000_000
_NEVER = 2**63 - 1


class Wire:
    """Sends requests, each over a connection of its own for its time; makes connections as they are needed.

    Every exchange starts at once: over an idle connection, or while one is being made for it. If meanwhile
    another one becomes free, the exchange that has waited longest gets it.

    Args:
        url: ``http://host:port`` or ``https://host:port``, with an optional path prefix.
        connect_timeout: Seconds for making a connection, finding its address and TLS included.
        read_timeout: Seconds that a server may be silent before its answer is whole; None: the exchange's own
            deadline is enough.

    Attributes:
        connects: Attempts to make a connection so far.
        open_connections: Connections that are open now.

    Raises:
        ValueError: This is no such URL.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float = 2.0,
        read_timeout: float | None = None,
    ) -> None:
        self._target = Target.of(url)
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._read_timeout_ns = _NEVER if read_timeout is None else round(read_timeout * _S)
        self._heads = Heads()
        self._idle: list[Connection] = []
        self._open: set[Exchange] = set()
        self._waiting: deque[Exchange] = deque()
        self._dialling: set[gevent.Greenlet] = set()
        self._look_ns = _NEVER
        self._looking: Any = None
        self.connects = 0
        self.open_connections = 0

    def form(self, path: str, names: tuple[str, ...] = ()) -> Form:
        """The POST requests to a path below the base URL, whose bodies are JSON; see ``Form``."""
        return Form(self._target.authority, self._target.prefix + path, names)

    def send(self, exchange: Exchange) -> None:
        """Send a request; its exchange is told what becomes of it. Blocks nobody."""
        self._open.add(exchange)
        soonest = exchange.deadline_ns
        if self._read_timeout is not None:
            soonest = min(soonest, monotonic_ns() + self._read_timeout_ns)
        if soonest < self._look_ns:
            self._look_at(soonest)
        if not self._begin_on_an_idle_one(exchange):
            self._waiting.append(exchange)
            self._dial()

    def post(self, path: str, body: bytes, headers: dict[str, str], timeout: float) -> Answer:
        """Send one POST and wait for its whole answer; for greenlets that have nothing else to do.

        Args:
            path: Path below the base URL.
            body: JSON.
            headers: Further headers.
            timeout: Seconds until the answer must be there; connecting counts.

        Raises:
            NeverSentError: Nothing left.
            NoAnswerError: Something left, and no whole answer came in time.
            ValueError: Path or headers cannot be sent.
        """
        values = map(checked, headers.values())
        return self._ask(self.form(path, tuple(headers)).encode(body, *values), timeout)

    def get(self, path: str, timeout: float) -> Answer:
        """Send one GET and wait for its whole answer; arguments and errors are those of ``post``."""
        return self._ask(get(self._target.authority, self._target.prefix + path), timeout)

    def _ask(self, request: bytes, timeout: float) -> Answer:
        patience = max(round(timeout * _S), 1_000_000)
        exchange = _Awaited(request, monotonic_ns() + patience, patience)
        self.send(exchange)
        try:
            answer: Answer = exchange.ending.get()
        except BaseException:
            self._give_up(exchange, "given up")
            raise
        return answer

    def close(self) -> None:
        """End what is under way, and close the connections; not to be called from the event loop."""
        gevent.killall(tuple(self._dialling))
        for exchange in tuple(self._open):
            self._give_up(exchange, "the load ended before the answer")
        while self._idle:
            self._idle.pop().close()
        self._stop_looking()

    def _begin_on_an_idle_one(self, exchange: Exchange) -> bool:
        idle = self._idle
        while idle:
            connection = idle.pop()
            # Where not one byte of the request left, another connection is no second sending.
            if connection.idle() and connection.begin(exchange) is None:
                return True
            connection.close()
        return False

    def _dial(self) -> None:
        self.connects += 1
        dialling = gevent.spawn(self._make_connection)
        self._dialling.add(dialling)
        dialling.rawlink(self._dialling.discard)

    def _make_connection(self) -> None:
        try:
            transport = dial(self._target, self._connect_timeout)
        except NeverSentError as error:
            exchange = self._longest_waiting()
            if exchange is not None:
                self._end(exchange, error)
            return
        self.open_connections += 1
        connection = Connection(transport, self._heads, self._on_end, self._on_close)
        exchange = self._longest_waiting()
        if exchange is None:
            self._idle.append(connection)
        elif (lost := connection.begin(exchange)) is not None:
            self._end(exchange, NeverSentError(f"connection lost before sending: {words(lost)}"))

    def _longest_waiting(self) -> Exchange | None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if exchange in self._open:
                return exchange
        return None

    def _on_close(self) -> None:
        self.open_connections -= 1

    def _on_end(self, connection: Connection, exchange: Exchange | None, ending: Ending | None) -> None:
        if not connection.closed:
            self._idle.append(connection)
        if exchange is not None and ending is not None:
            self._end(exchange, ending)
        if self._waiting and self._idle:
            waiting = self._longest_waiting()
            if waiting is not None and not self._begin_on_an_idle_one(waiting):
                # A connection is being made for it already; it stays the one that waited longest.
                self._waiting.appendleft(waiting)

    def _end(self, exchange: Exchange, ending: Ending) -> None:
        self._open.discard(exchange)
        exchange.connection = None
        if isinstance(ending, Answer):
            exchange.answered(ending)
        else:
            exchange.failed(ending)

    def _give_up(self, exchange: Exchange, why: str) -> None:
        if exchange not in self._open:
            return
        if exchange.connection is not None:
            exchange.connection.abandon(why)
        else:
            self._end(exchange, NeverSentError(why))

    def _look_at(self, when_ns: int) -> None:
        """See to the deadlines at a time. One timer for all exchanges: most end long before their deadline,
        so that a timer each would be made only to be thrown away."""
        self._stop_looking()
        self._look_ns = when_ns
        self._looking = gevent.get_hub().loop.timer(max(0.0, (when_ns - monotonic_ns()) / _S))
        self._looking.start(self._look)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.stop()
            self._looking.close()
            self._looking = None
        self._look_ns = _NEVER

    def _look(self) -> None:
        now = monotonic_ns()
        self._stop_looking()
        soonest = _NEVER
        for exchange in tuple(self._open):
            deadline, why = self._deadline(exchange)
            if deadline <= now:
                self._give_up(exchange, why)
            else:
                soonest = min(soonest, deadline)
        if soonest < self._look_ns:
            self._look_at(soonest)

    def _deadline(self, exchange: Exchange) -> tuple[int, str]:
        """When to give up, and why."""
        total = exchange.deadline_ns
        connection = exchange.connection
        if connection is None:
            return total, "no connection in time"
        if self._read_timeout is not None:
            silent = connection.heard_ns + self._read_timeout_ns
            if silent < total:
                return silent, f"time-out: silent for {self._read_timeout:g} s"
        return total, f"time-out after {exchange.timeout_ns / _S:g} s"


class _Awaited(Exchange):
    """An exchange that a greenlet waits for."""

    __slots__ = ("ending",)

    def __init__(self, request: bytes, deadline_ns: int, timeout_ns: int) -> None:
        super().__init__(request, deadline_ns, timeout_ns)
        self.ending = gevent.event.AsyncResult()

    def answered(self, answer: Answer) -> None:
        self.ending.set(answer)

    def failed(self, error: NeverSentError | NoAnswerError) -> None:
        self.ending.set_exception(error)
