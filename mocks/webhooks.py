"""The outbox of a gateway's events: a list to poll, and delivery to the URLs that were given.

A delivery that is not answered with a 2xx is tried again by the gateway's own schedule, in the time of the
mock's clock: at least once, in no promised order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journal.records import Webhook
from mocks.draws import Draws
from mocks.mock_clock import MockClock
from mocks.webhook_delivery import Forgery, WebhookDelivery
from mocks.webhook_endpoint import Endpoint

if TYPE_CHECKING:
    from mocks.faults.webhook import WebhookFault

KEPT = 100_000
"""How many events can be polled; older ones are forgotten (Stripe keeps them for 30 days, others longer)."""

Headers = tuple[tuple[str, str], ...]

Sign = Callable[[bytes, int], Headers]
"""Raw body and whole Unix seconds -> the headers of the delivery, its signature among them."""

Forge = Callable[["Event", bytes, int, bool], Forgery | None]
"""An event about a payment, its own payload, whole Unix seconds, and whether there is to be a signature (a
wrong one) -> a webhook in the gateway's shape that claims the success of a payment that was never made; None
when the event is not about a payment."""


class Event:
    """Something that happened at a gateway.

    The identifier and the payload are made when they are asked for: most events of a load test are never
    read. ``render`` must therefore give the same bytes however late it is called, but for a count of the
    deliveries that are pending.

    Attributes:
        number: Counts the gateway's events from 0.
        kind: Its type in the gateway's words.
        created: Whole Unix seconds of the mock's clock.
    """

    __slots__ = ("_arguments", "_outbox", "_render", "created", "kind", "number")

    def __init__(
        self,
        outbox: Outbox,
        number: int,
        kind: str,
        created: int,
        render: Callable[..., bytes],
        arguments: tuple[Any, ...],
    ) -> None:
        self._outbox = outbox
        self._render = render
        self._arguments = arguments
        self.number = number
        self.kind = kind
        self.created = created

    @property
    def id(self) -> str:
        return self._outbox.rules.event_id(self.number)

    def payload(self) -> bytes:
        """The body that is delivered."""
        return self._render(self, *self._arguments)


@dataclass(frozen=True, slots=True)
class Rules:
    """How one kind of gateway delivers.

    Attributes:
        event_id: The number of an event -> its identifier.
        sign: Makes the headers of a delivery.
        redelivery_s: Seconds from one failed attempt to the next, first to last; then it is given up.
        timeout_s: Real seconds in which an answer must have come.
        tolerance_s: Age of a signature from which a receiver should refuse it, in seconds; None when no time
            is signed.
        forge: Makes a forgery of an event; None when there is nothing to forge.
    """

    event_id: Callable[[int], str]
    sign: Sign
    redelivery_s: tuple[float, ...]
    timeout_s: float = 10.0
    tolerance_s: float | None = None
    forge: Forge | None = None


class Outbox:
    """The events of one gateway, oldest first.

    Args:
        gateway: What the journal calls it.
        clock: Stamps events and times redelivery.
        rules: The gateway's way to deliver.
        seed: Settles the jitter and which deliveries are doubled.

    Attributes:
        attempted: Told of every attempt: the event's number, the URL, the number of the next attempt (0: it
            was delivered, -1: it was given up) and when that is due, in seconds of the clock.
        unsent: While this is not None nothing is delivered; what would be is collected in it: the event's
            number and the URL -> the next attempt and when it is due. ``resume`` takes it.
        faults: Those that act on deliveries now, the one that started first before the others.
    """

    def __init__(self, gateway: str, clock: MockClock, rules: Rules, seed: int) -> None:
        self.gateway = gateway
        self.clock = clock
        self.rules = rules
        self.record: Callable[[Webhook], None] = lambda webhook: None
        self.attempted: Callable[[int, str, int, float], None] | None = None
        self.unsent: dict[tuple[int, str], tuple[int, float]] | None = None
        self.faults: list[WebhookFault] = []
        self.abandoned = 0
        self.waiting = 0
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._next = 0
        self._numbers: dict[str, int] = {}
        self._indexed = 0
        self._endpoints: tuple[Endpoint, ...] = ()
        self._given: tuple[Endpoint, ...] = ()
        self._retired: list[Endpoint] = []
        self._pending: dict[int, int] = {}
        self._jitter_s = 0.0
        self._doubled = 0.0
        self._delays = Draws(seed, f"{gateway}/webhooks/jitter")
        self._doubles = Draws(seed, f"{gateway}/webhooks/doubles")
        self.held = False

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __getitem__(self, place: int) -> Event:
        return self._events[place]

    @property
    def added(self) -> int:
        """How many events there have been."""
        return self._next

    @property
    def forgotten(self) -> int:
        """How many events are kept no longer; the first that is kept has this number."""
        return self._next - len(self._events)

    def add(self, kind: str, render: Callable[..., bytes], *arguments: Any) -> Event:
        """Something happened: keep it, and deliver it to every URL.

        Args:
            kind: The event's type in the gateway's words.
            render: Makes the payload of the event and ``arguments``; see ``Event``.
        """
        event = Event(self, self._next, kind, self.clock.unix(), render, arguments)
        self._next += 1
        self._events.append(event)
        if self._endpoints:
            self._send(event)
        return event

    def find(self, name: str) -> Event | None:
        """The event with this identifier; None when there is none, or no longer."""
        if len(self._numbers) > 2 * KEPT:
            self._numbers.clear()
            self._indexed = 0
        for number in range(max(self._indexed, self.forgotten), self._next):
            self._numbers[self.rules.event_id(number)] = number
        self._indexed = self._next
        place = self._numbers.get(name, -1) - self.forgotten
        return self._events[place] if place >= 0 else None

    def deliver_to(
        self,
        urls: Sequence[str],
        *,
        jitter_s: float = 0.0,
        doubled: float = 0.0,
        wants: Callable[[str], bool] | None = None,
    ) -> None:
        """Deliver events from here on.

        Args:
            urls: On loopback; what is under way to earlier ones is finished.
            jitter_s: First attempts wait up to so many seconds, drawn from the seed: events overtake.
            doubled: The share of deliveries, 0 to 1, that are sent twice although the first succeeds.
            wants: Whether an event of this kind is delivered; None: every one.

        Raises:
            ValueError: A URL is not plain HTTP on a loopback address.
        """
        given = tuple(Endpoint(self, url, wants) for url in urls)
        added = tuple(endpoint for endpoint in self._endpoints if endpoint not in self._given)
        self._retired += self._given
        self._given, self._endpoints = given, given + added
        self._jitter_s = jitter_s
        self._doubled = doubled

    def add_endpoint(
        self, url: str, *, wants: Callable[[str], bool] | None = None, sign: Sign | None = None
    ) -> Endpoint:
        """Deliver events from here on to one more URL, which a user of the gateway's API has registered.

        Args:
            url: On loopback.
            wants: Whether an event of this kind is delivered; None: every one.
            sign: As ``Rules.sign``, for this URL alone; None: by the rules.

        Raises:
            ValueError: The URL is not plain HTTP on a loopback address.
        """
        endpoint = Endpoint(self, url, wants, sign)
        self._endpoints += (endpoint,)
        return endpoint

    def remove_endpoint(self, endpoint: Endpoint) -> None:
        """Deliver nothing more to an added URL; what is under way is finished, what waits is dropped."""
        self._endpoints = tuple(row for row in self._endpoints if row is not endpoint)
        endpoint.retire()
        self._retired.append(endpoint)

    def send(self, event: Event, endpoint: Endpoint) -> None:
        """Deliver an event to one URL, again or for the first time, as if it had just happened."""
        if self.unsent is not None:
            self.unsent[event.number, endpoint.url] = (1, 0.0)
            return
        endpoint.take(WebhookDelivery(endpoint, event, self.clock.now()), 0)

    def resume(self, unsent: Mapping[tuple[int, str], tuple[int, float]]) -> None:
        """Deliver what was collected, as far as its URL is still delivered to and its event still kept."""
        for (number, url), (attempt, due) in unsent.items():
            if number >= self.forgotten:
                for endpoint in self._endpoints:
                    if endpoint.url == url:
                        self._pending[number] = self._pending.get(number, 0) + 1
                        endpoint.resume(self._events[number - self.forgotten], attempt, due)

    def pending(self, event: Event) -> int:
        """To how many URLs an event has yet to be delivered, those included where it was given up."""
        return self._pending.get(event.number, 0)

    def settle(self, event: Event) -> None:
        """An event has been delivered to one URL, or that URL is gone."""
        left = self._pending.pop(event.number, 0) - 1
        if left > 0:
            self._pending[event.number] = left

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The URLs to which events are delivered."""
        return self._endpoints

    @property
    def idle(self) -> bool:
        """Whether nothing is under way or due now; a later attempt may be waiting for its time."""
        return all(endpoint.idle for endpoint in self._endpoints)

    def hold(self) -> None:
        """Deliver nothing until ``release``: the gateway is dark. What is under way is finished."""
        self.held = True

    def release(self) -> None:
        """Deliver again, what was held first."""
        self.held = False
        for endpoint in self._endpoints:
            endpoint.pump()

    def after(self, wait_ns: int, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Do something after so much real time."""
        return asyncio.get_running_loop().call_later(wait_ns / 1e9, action)

    async def close(self) -> None:
        """Stop delivering."""
        endpoints, self._endpoints = (*self._endpoints, *self._retired), ()
        self._given = ()
        self._retired.clear()
        for endpoint in endpoints:
            await endpoint.close()

    def _send(self, event: Event) -> None:
        wanting = [
            endpoint for endpoint in self._endpoints if endpoint.wants is None or endpoint.wants(event.kind)
        ]
        if not wanting:
            return
        if self.unsent is not None:
            for endpoint in wanting:
                self.unsent[event.number, endpoint.url] = (1, 0.0)
            return
        now = self.clock.now()
        if len(self._pending) > 2 * KEPT:
            first = self.forgotten
            self._pending = {number: n for number, n in self._pending.items() if number >= first}
        self._pending[event.number] = len(wanting)
        for endpoint in wanting:
            copies = 2 if self._doubled and self._doubles.uniform(event.number) < self._doubled else 1
            for copy in range(copies):
                wait = self._jitter_s * self._delays.uniform(2 * event.number + copy) if self._jitter_s else 0
                endpoint.take(WebhookDelivery(endpoint, event, now + wait, copy == 0), wait)
