"""What happens to a gateway, written down as it happens, and done again after a restart.

The state of a gateway is many objects of many classes, which grow with every feature. To write them all out
would need a mapping for each, and be wrong where one is forgotten. Instead the causes are kept: requests as
they came, the moments at which they were executed and over, the clock's timers and its being put forward.
The same code does the same with them again, because all it depends on is given: identifiers come from the
seed and a counter, time from the mock's clock, which stands still during each step and is set to the recorded
moment when the step is done again.

Not written: reads, replays under an idempotency key, and requests that were refused before their execution
(a live key among them). They change nothing; the counts of a rate limit start full after a restart.

That the code did the same is checked, by a checksum of each answer: a file that another version of the code
wrote is refused, instead of leading to another state.

A Stripe payment, created and confirmed in one request, takes some 600 bytes. Records of the file, besides the
first (times are Unix seconds of real time; ``made`` is how many identifiers had been drawn):

- ``["start", [url, ...]]``: the process started, and delivers events to these URLs
- ``["webhooks", {"urls": [url, ...], ...}]``: it was told where and how to deliver, see
  ``mocks.gateways.deliveries``
- ``["reserve", number]``: requests below this number may have been answered
- ``["request", number, at, made, scheme, method, target, headers, body]``
- ``["execute", number, at, made, checksum]``
- ``["end", number]``: the request was answered or lost
- ``["fire", at, made, 0]``, ``["advance", at, made, seconds]``, ``["speed", at, made, speed]``: the clock
- ``["delivery", event, url, attempt, due]``: the next attempt to deliver an event, ``[..., 0, 0]`` when it
  was delivered, ``[..., -1, 0]`` when it was given up
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from journal.tether import Message
from mocks.gateways.call import Call, Prepared
from mocks.gateways.deliveries import deliver
from mocks.http import Exchange, Request
from mocks.reply import Reply
from mocks.state import StateError, StateFile
from mocks.transmission import Transmission

if TYPE_CHECKING:
    from mocks.gateways.gateway import Gateway
    from mocks.gateways.past import Past

Unsent = dict[tuple[int, str], tuple[int, float]]
"""The number of an event and a URL -> the next attempt and when it is due; see ``Outbox.unsent``."""

READS = frozenset({"get", "list", "retrieve", "search"})
"""What endpoints are called that only look. A GET of another endpoint may change something, and is kept."""

CHECKS = frozenset({"certificate", "verify"})
"""What endpoints are called whose answer depends on keys that a restart replaces; they change nothing."""

UNKEPT = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "user-agent",
        "x-stripe-client-telemetry",
        "x-stripe-client-user-agent",
    }
)
"""Headers that no gateway looks at."""

RESERVED = 4096
"""Numbers of requests that are set aside at a time: those of requests that are not kept must not repeat."""


class _Nowhere:
    """The connection of a request that was answered long ago."""

    stopping = False

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme

    def flush(self) -> None:
        """Nobody is there to read."""

    def transmit(self, exchange: Exchange, transmission: Transmission) -> None:
        """Nobody is there to read."""

    def reset(self) -> None:
        """Nothing is there to cut."""


class _HeldTime:
    """Real time that stands still during a step, and never goes back."""

    def __init__(self, real: Callable[[], float]) -> None:
        self._real = real
        self.held: float | None = None
        self.last = 0.0

    def __call__(self) -> float:
        if self.held is not None:
            return self.held
        return max(self._real(), self.last)

    def hold(self, at: float | None = None) -> float:
        """Stand still, now or at a moment of the past. Returns the moment."""
        self.held = self.last = self() if at is None else at
        return self.held

    def release(self) -> None:
        """Run on."""
        self.held = None


class Recorder:
    """Writes down what happens to one gateway, from ``start`` on.

    Args:
        gateway: As it was made; nothing has happened to it yet.
        file: Its state file.
        failed: Called once when the file cannot be written any more; nothing is written from then on.

    Attributes:
        past: Is told what is done again; None: nobody is.
    """

    def __init__(self, gateway: Gateway, file: StateFile, failed: Callable[[], None]) -> None:
        self._gateway = gateway
        self._file = file
        self._failed = failed
        self._broken = False
        self._kept: set[int] = set()
        self._reserved = 0
        self.past: Past | None = None

    def start(self, urls: Sequence[str]) -> Unsent:
        """Do again what the file tells of, and write down what happens from here on.

        Args:
            urls: Where events will be delivered.

        Returns:
            The deliveries that are still to be made, for ``Outbox.resume``.

        Raises:
            StateError: The file is damaged, or tells of something else than what happens now.
        """
        gateway = self._gateway
        self._time = _HeldTime(gateway.mock_clock.real)
        gateway.mock_clock.run_by(self._time)
        replay = Replay(gateway, self._time, self._file, self.past)
        unsent = gateway.outbox.unsent = {}
        try:
            for record in self._file.records():
                replay.do(record)
            replay.end_all()
        finally:
            gateway.outbox.unsent = None
            self._time.release()
            if self.past is not None:
                self.past.at_ns = None
        gateway.mock_clock.run_by(self._time)
        gateway.resume_at(replay.reserved)
        self._reserved = replay.reserved
        gateway.mock_clock.observer = self
        gateway.outbox.attempted = self._attempted
        gateway.recorder = self
        self._file.append(["start", list(urls)])
        self._flush()
        return unsent

    def restart(self, urls: Sequence[str]) -> Unsent:
        """The gateway has begun anew: so does the file."""
        self._kept.clear()
        self._file.clear()
        return self.start(urls)

    def deliver(self, webhooks: Message) -> None:
        """The gateway was told where and how to deliver events."""
        self._file.append(["webhooks", webhooks])
        self._flush()

    def close(self) -> None:
        """The process ends: what is lost from here on is lost in memory only."""
        self._gateway.recorder = None
        self._gateway.mock_clock.observer = None
        self._gateway.outbox.attempted = None
        self._flush()
        self._file.close()

    # What the gateway calls.

    def prepare(self, call: Call) -> Prepared:
        """Prepare a request, and keep it if it changes something."""
        gateway = self._gateway
        if call.number >= self._reserved:
            self._reserved = call.number + RESERVED
            self._file.append(["reserve", self._reserved])
            self._flush()
        made = gateway.made
        at = self._time.hold()
        try:
            prepared = gateway.prepare(call)
        finally:
            self._time.release()
        at_once = isinstance(prepared, Reply)
        request = call.exchange.request
        if call.replayed or (isinstance(prepared, Reply) and prepared.status >= 400):
            return prepared
        verb = call.endpoint.rpartition(".")[2]
        if verb in CHECKS or (verb in READS and request.method == "GET"):
            return prepared
        self._kept.add(call.number)
        target = f"{request.path}?{request.query}" if request.query else request.path
        headers = {name: value for name, value in request.headers.items() if name not in UNKEPT}
        body = request.body.decode("latin-1")
        record = ["request", call.number, at, made, call.exchange.scheme, request.method, target]
        self._file.append([*record, headers, body])
        if at_once:
            self._flush()
        return prepared

    def execute(self, call: Call, at_ns: int) -> Reply:
        """Execute a request; it is on file before anybody hears of it.

        Raises:
            StateError: It is not, because the file cannot be written.
        """
        assert call.execute is not None
        if call.number not in self._kept:
            return call.execute(at_ns)
        made = self._gateway.made
        at = self._time.hold()
        checksum = 0
        try:
            reply = call.execute(at_ns)
            checksum = _checksum(reply)
        finally:
            self._time.release()
            self._file.append(["execute", call.number, at, made, checksum])
            self._flush()
        if self._broken:
            raise StateError("not on file")
        return reply

    def ended(self, call: Call) -> None:
        """A request was answered or lost."""
        if call.number in self._kept:
            self._kept.discard(call.number)
            # Written with what comes next: a restart ends every request.
            self._file.append(["end", call.number])

    # What the clock calls.

    def begin(self, what: str, value: float) -> bool:
        """Timers are about to fire, or the clock to be set. Returns whether to tell of the end, too."""
        if self._time.held is not None:
            return False  # within a step, which will bring it about again
        made = self._gateway.made
        self._file.append([what, self._time.hold(), made, value])
        return True

    def finish(self) -> None:
        """The timers have fired."""
        self._time.release()
        self._flush()

    def _attempted(self, number: int, url: str, attempt: int, due: float) -> None:
        self._file.append(["delivery", number, url, attempt, due])
        self._flush()

    def _flush(self) -> None:
        if self._broken:
            return
        try:
            self._file.flush()
        except StateError as error:
            self._broken = True
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
            self._failed()


class Replay:
    """Does again what a state file tells of.

    Attributes:
        reserved: The first number that no request has had.
    """

    def __init__(self, gateway: Gateway, held: _HeldTime, file: StateFile, past: Past | None = None) -> None:
        self.reserved = 0
        self._past = past
        # What monotonic time it was at a moment of real time.
        self._monotonic_s = time.monotonic() - held()
        self._gateway = gateway
        self._time = held
        self._file = file
        self._calls: dict[int, Call] = {}
        self._steps: dict[str, Callable[..., None]] = {
            "start": self._start,
            "webhooks": self._webhooks,
            "reserve": self._reserve,
            "request": self._request,
            "execute": self._execute,
            "end": self._end,
            "fire": self._fire,
            "advance": self._advance,
            "speed": self._speed,
            "delivery": self._delivery,
        }

    def do(self, record: list[Any]) -> None:
        """Do one record again. Raises StateError when that is not possible."""
        try:
            self._steps[record[0]](*record[1:])
        except StateError:
            raise
        except Exception as error:
            raise self._other(f"a record {record[0]!r} leads to {type(error).__name__}") from error

    def end_all(self) -> None:
        """The process ended: what was in flight is lost, its keys are free unless it was executed."""
        for number in tuple(self._calls):
            self._end(number)

    def _start(self, urls: list[str]) -> None:
        self.end_all()
        self._gateway.outbox.deliver_to(urls)

    def _webhooks(self, webhooks: Message) -> None:
        deliver(self._gateway.outbox, webhooks)

    def _reserve(self, number: int) -> None:
        self.reserved = number

    def _request(
        self,
        number: int,
        at: float,
        made: int,
        scheme: str,
        method: str,
        target: str,
        headers: dict[str, str],
        body: str,
    ) -> None:
        path, _, query = target.partition("?")
        request = Request(method, path, query, headers, body.encode("latin-1"), self._moment_ns(at))
        exchange = Exchange(request, _Nowhere(scheme), keep_alive=True, old=False)
        call = Call(self._gateway, exchange, number, self._gateway.endpoint(request))
        self._at(at, made)
        prepared = self._gateway.prepare(call)
        if isinstance(prepared, Reply):
            if prepared.status >= 400:
                raise self._other(f"{method} {path} is refused now")
            call.reply = prepared
        else:
            call.execute = prepared
        self._calls[number] = call

    def _execute(self, number: int, at: float, made: int, checksum: int) -> None:
        call = self._calls[number]
        assert call.execute is not None
        self._at(at, made)
        try:
            call.reply = call.execute(self._moment_ns(at))
            found = _checksum(call.reply)
        except Exception:
            call.reply = self._gateway.error(500)
            found = 0
        if found != checksum:
            request = call.exchange.request
            raise self._other(f"{request.method} {request.path} is answered differently now")
        if call.use is not None:
            call.use.save(call.reply)
            call.use.order_id = call.order_id

    def _end(self, number: int) -> None:
        call = self._calls.pop(number)
        call.over = True
        call.execute = None
        if call.use is not None:
            call.use.end()
        if self._past is not None:
            self._past.ended(call)

    def _fire(self, at: float, made: int, value: float) -> None:
        self._at(at, made)
        self._gateway.mock_clock.fire_due()

    def _advance(self, at: float, made: int, seconds: float) -> None:
        self._at(at, made)
        self._gateway.mock_clock.advance(seconds)

    def _speed(self, at: float, made: int, speed: float) -> None:
        self._at(at, made)
        self._gateway.mock_clock.run_at(speed)

    def _delivery(self, number: int, url: str, attempt: int, due: float) -> None:
        outbox = self._gateway.outbox
        assert outbox.unsent is not None
        if attempt <= 0:
            # A second copy of it may have been delivered before.
            outbox.unsent.pop((number, url), None)
            outbox.abandoned += attempt < 0
        elif (number, url) in outbox.unsent:
            outbox.unsent[number, url] = (attempt, due)

    def _at(self, at: float, made: int) -> None:
        self._time.hold(at)
        self._gateway.made = made
        if self._past is not None:
            self._past.at_ns = self._moment_ns(at)

    def _moment_ns(self, at: float) -> int:
        """The reading of ``time.monotonic_ns()`` at a moment of the past."""
        return int((at + self._monotonic_s) * 1e9)

    def _other(self, what: str) -> StateError:
        path = self._file.path
        why = f"the state file {path} was written by another version of paydrill ({what})"
        return StateError(f"{why}; name another file, or delete this one to begin anew")


def _checksum(reply: Reply) -> int:
    return zlib.crc32(reply.body, reply.status)
