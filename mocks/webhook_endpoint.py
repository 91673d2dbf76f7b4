"""A URL that webhooks go to: its queue, its connections, its failures, and what faults do with them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from journal.records import Webhook
from mocks.loopback import is_loopback
from mocks.outbound import Answer, Call, Client, OutboundError
from mocks.webhook_delivery import WebhookDelivery

if TYPE_CHECKING:
    from mocks.webhooks import Event, Outbox, Sign

MOST_WAITING = 100_000
"""How many deliveries may wait for their next attempt; beyond, a failed one is given up."""

AT_ONCE = 32
"""How many deliveries may be under way to one URL."""

_CONTENT_TYPE = ("content-type", "application/json; charset=utf-8")


class Endpoint:
    """One URL: its queue, its connections, its failures.

    ``wants`` and ``sign`` are as for ``Outbox.add_endpoint``; they may be exchanged at any time. Raises
    ValueError for a URL that ``check_url`` refuses.
    """

    def __init__(
        self,
        outbox: Outbox,
        url: str,
        wants: Callable[[str], bool] | None = None,
        sign: Sign | None = None,
    ) -> None:
        check_url(url)
        parts = urlsplit(url)
        self.url = url
        self.wants = wants
        self.sign = outbox.rules.sign if sign is None else sign
        self._outbox = outbox
        self._timeout_ns = int(outbox.rules.timeout_s * 1e9)
        self._client = Client(f"http://{parts.netloc}", connect_timeout_ns=self._timeout_ns)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._queue: deque[WebhookDelivery] = deque()
        self._under_way = 0
        self._closed = False
        self._stopped = False

    @property
    def idle(self) -> bool:
        return not self._queue and not self._under_way

    def take(self, delivery: WebhookDelivery, wait: float) -> None:
        """Deliver, at once or after ``wait`` seconds of the mock's clock."""
        if wait > 0:
            self._outbox.clock.call_at(delivery.due, lambda: self._due(delivery))
        else:
            self._due(delivery)

    def resume(self, event: Event, attempt: int, due: float) -> None:
        """Go on with a delivery where an earlier process left it."""
        now = self._outbox.clock.now()
        delivery = WebhookDelivery(self, event, max(due, now), counted=True)
        delivery.attempt = attempt
        if due > now:
            self._wait(delivery)
        else:
            self._due(delivery)

    def pump(self) -> None:
        """Set the next deliveries off; without an event loop nothing is delivered."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        outbox = self._outbox
        while self._queue and self._under_way < AT_ONCE and not self._closed and not outbox.held:
            delivery = self._queue.popleft()
            if outbox.faults and not delivery.passed and not self._pass_faults(delivery):
                continue
            self._under_way += 1
            # Not from in here: what the event is about may be in the middle of its change.
            loop.call_soon(self._deliver, delivery)

    def go(self, delivery: WebhookDelivery) -> None:
        """Make an attempt that faults have had their say on, as soon as may be."""
        self._due(delivery)

    def join(self, delivery: WebhookDelivery) -> None:
        """Queue an attempt behind the one that faults act on right now, which is followed by the others."""
        self._queue.append(delivery)

    def retire(self) -> None:
        """Begin nothing more."""
        self._closed = True
        while self._queue:
            self._drop(self._queue.popleft())

    async def close(self) -> None:
        """Stop at once: what is under way is given up."""
        self.retire()
        self._stopped = True
        await self._client.close()

    def _due(self, delivery: WebhookDelivery) -> None:
        if self._closed:
            self._drop(delivery)
        else:
            self._queue.append(delivery)
            self.pump()

    def _drop(self, delivery: WebhookDelivery) -> None:
        self._attempted(delivery, 0)
        if delivery.counted:
            self._outbox.settle(delivery.event)

    def _deliver(self, delivery: WebhookDelivery) -> None:
        if self._stopped:
            self._under_way -= 1
            self._attempted(delivery, 0)
            return
        due_ns = self._due_ns(delivery)
        try:
            call = self._call(delivery)
        except BaseException:
            self._under_way -= 1
            raise
        self._client.send(call, self._timeout_ns, partial(self._answered, delivery, due_ns))

    def _call(self, delivery: WebhookDelivery) -> Call:
        forgery = delivery.forgery
        if forgery is not None:
            return Call("POST", self._target, (_CONTENT_TYPE, *forgery.headers), forgery.body)
        if delivery.body is None:
            delivery.body = delivery.event.payload()
        at = self._outbox.clock.unix()
        if delivery.detour is not None:
            at -= int(delivery.detour.older_s)
        headers = (_CONTENT_TYPE, *self.sign(delivery.body, at))
        return Call("POST", self._target, headers, delivery.body)

    def _answered(self, delivery: WebhookDelivery, due_ns: int, outcome: Answer | OutboundError) -> None:
        self._under_way -= 1
        if self._stopped:
            self._attempted(delivery, 0)
            return
        status, delivered_ns = 0, None
        if isinstance(outcome, Answer):
            status, delivered_ns = outcome.status, time.monotonic_ns()
        self._attempted(delivery, status)
        self._record(delivery, due_ns, delivered_ns, status)
        if delivery.forgery is None:
            if 200 <= status < 300:
                self._done_with(delivery)
            else:
                self._again(delivery)
        self.pump()

    def _pass_faults(self, delivery: WebhookDelivery) -> bool:
        """Let the active faults, the one that started first before the others, act on an attempt that is
        about to be made. Returns whether it is to be made now."""
        outbox = self._outbox
        delivery.passed = True
        for fault in tuple(outbox.faults):
            if fault.touches_delivery(delivery):
                fault.delivering(delivery)
        detour = delivery.detour
        if detour is None:
            return True
        if detour.lost:
            self._attempted(delivery, 0)
            self._record(delivery, self._due_ns(delivery), None, 0)
            if detour.lost == "failed":
                self._again(delivery)
            else:
                self._done_with(delivery)
            return False
        deliveries = [delivery, *(delivery.copy() for _ in range(detour.copies))]
        now = detour.keeper is None and not detour.add_ns
        if now:
            self._queue.extend(deliveries[1:])
            return True
        for one in deliveries:
            if detour.add_ns:
                outbox.after(detour.add_ns, partial(self._kept_or_due, one))
            else:
                self._kept_or_due(one)
        return False

    def _attempted(self, delivery: WebhookDelivery, status: int) -> None:
        for fault in tuple(self._outbox.faults):
            fault.attempted(delivery, status)

    def _kept_or_due(self, delivery: WebhookDelivery) -> None:
        keeper = delivery.detour.keeper if delivery.detour is not None else None
        if keeper is not None and not self._closed:
            keeper(delivery)
        else:
            self._due(delivery)

    def _due_ns(self, delivery: WebhookDelivery) -> int:
        clock = self._outbox.clock
        late_ns = int((clock.now() - delivery.due) / clock.speed * 1e9)
        return time.monotonic_ns() - max(0, late_ns)

    def _record(self, delivery: WebhookDelivery, due_ns: int, delivered_ns: int | None, status: int) -> None:
        what = delivery.event if delivery.forgery is None else delivery.forgery
        name = delivery.event.id if delivery.forgery is None else delivery.forgery.event_id
        self._outbox.record(
            Webhook(
                gateway=self._outbox.gateway,
                event_id=name,
                kind=what.kind,
                attempt=delivery.attempt,
                due_ns=due_ns,
                delivered_ns=delivered_ns,
                status=status,
                fault=delivery.fault,
            )
        )

    def _done_with(self, delivery: WebhookDelivery) -> None:
        outbox = self._outbox
        if delivery.counted:
            outbox.settle(delivery.event)
        if outbox.attempted is not None:
            outbox.attempted(delivery.event.number, self.url, 0, 0.0)

    def _again(self, delivery: WebhookDelivery) -> None:
        outbox = self._outbox
        waits = outbox.rules.redelivery_s
        if delivery.attempt > len(waits) or outbox.waiting >= MOST_WAITING or self._closed:
            outbox.abandoned += 1
            if outbox.attempted is not None:
                outbox.attempted(delivery.event.number, self.url, -1, 0.0)
            return
        delivery.due = outbox.clock.now() + waits[delivery.attempt - 1]
        delivery.attempt += 1
        delivery.fault, delivery.detour, delivery.passed = "", None, False
        if outbox.attempted is not None:
            outbox.attempted(delivery.event.number, self.url, delivery.attempt, delivery.due)
        self._wait(delivery)

    def _wait(self, delivery: WebhookDelivery) -> None:
        self._outbox.waiting += 1
        self._outbox.clock.call_at(delivery.due, lambda: self._retry(delivery))

    def _retry(self, delivery: WebhookDelivery) -> None:
        self._outbox.waiting -= 1
        self._due(delivery)


def check_url(url: str) -> None:
    """Raises ValueError for a URL that no webhook is delivered to: one that is not plain HTTP on loopback."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise ValueError(f"{url!r} is no place for webhooks: only http:// on a loopback address is")
