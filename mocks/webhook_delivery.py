"""An event on its way to a URL: what faults want of its next attempt, and what the journal will say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mocks.webhook_endpoint import Endpoint
    from mocks.webhooks import Event, Headers


@dataclass(frozen=True, slots=True)
class Forgery:
    """A webhook that its gateway never sent: what it claims, and the headers that are to make it believed.

    Attributes:
        event_id: Of the event that never was.
        kind: Its type in the gateway's words.
        body: What is delivered.
        headers: The signature among them, unless there is none.
    """

    event_id: str
    kind: str
    body: bytes
    headers: Headers


@dataclass(slots=True)
class Detour:
    """What faults want of one attempt.

    Attributes:
        add_ns: Real time by which it is made later.
        copies: How often it is made besides.
        older_s: How far in the past the signature's time is to lie.
        lost: It is never made. ``unseen``: the gateway counts it as delivered; ``failed``: it does not.
        keeper: Takes it, and calls ``WebhookDelivery.go`` when it is to be made.
    """

    add_ns: int = 0
    copies: int = 0
    older_s: float = 0.0
    lost: str = ""
    keeper: Callable[[WebhookDelivery], None] | None = None


class WebhookDelivery:
    """One event on its way to one URL. What the journal will say of it is collected here; faults act on its
    next attempt by its methods.

    Attributes:
        event: What is delivered.
        endpoint: Where to.
        due: When the next attempt is, or was, to be made, in seconds of the mock's clock.
        attempt: Its number, from 1.
        counted: Whether the event is pending because of this delivery.
        fault: The names of the faults that touched the attempt, in that order, joined by ``+``.
        forgery: What is delivered instead of the event, once.
    """

    __slots__ = (
        "attempt",
        "body",
        "counted",
        "detour",
        "due",
        "endpoint",
        "event",
        "fault",
        "forgery",
        "passed",
    )

    def __init__(self, endpoint: Endpoint, event: Event, due: float, counted: bool = False) -> None:
        self.endpoint = endpoint
        self.counted = counted
        self.event = event
        self.due = due
        self.attempt = 1
        self.body: bytes | None = None
        self.fault = ""
        self.forgery: Forgery | None = None
        self.detour: Detour | None = None
        self.passed = False

    def touch(self, fault: str) -> None:
        """Have the journal say that a fault touched the attempt."""
        self.fault = f"{self.fault}+{fault}" if self.fault else fault

    def slow(self, add_ns: int) -> None:
        """Make the attempt later, by so much real time."""
        self._detour().add_ns += add_ns

    def double(self, copies: int) -> None:
        """Make the attempt so many times more."""
        self._detour().copies += copies

    def back_date(self, seconds: float) -> None:
        """Sign it as if it had been made so many seconds ago."""
        self._detour().older_s += seconds

    def lose(self, *, seen: bool) -> None:
        """Don't make the attempt. ``seen``: the gateway notices, and tries again by its schedule; if not, it
        counts the event as delivered."""
        self._detour().lost = "failed" if seen else "unseen"

    def keep(self, keeper: Callable[[WebhookDelivery], None]) -> None:
        """Hand the attempt to ``keeper``, which calls ``go`` when it is to be made; the last one has it."""
        self._detour().keeper = keeper

    def forge(self, forgery: Forgery, fault: str) -> None:
        """Deliver a forgery to the same URL besides."""
        forged = WebhookDelivery(self.endpoint, self.event, self.due)
        forged.forgery, forged.fault, forged.passed = forgery, fault, True
        self.endpoint.join(forged)

    def go(self) -> None:
        """Make the attempt that was kept."""
        self.endpoint.go(self)

    def copy(self) -> WebhookDelivery:
        """Another delivery of the same event to the same URL."""
        copy = WebhookDelivery(self.endpoint, self.event, self.due)
        copy.attempt, copy.body, copy.fault = self.attempt, self.body, self.fault
        copy.detour, copy.passed = self.detour, True
        return copy

    def _detour(self) -> Detour:
        if self.detour is None:
            self.detour = Detour()
        return self.detour
