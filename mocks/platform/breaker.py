"""The circuit breaker: stop sending payments to a gateway that is out, and notice when it is back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from journal.clock import SECOND

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Settings:
    """When a breaker opens and closes.

    Attributes:
        failures: It opens after this many failures in a row.
        window: When a call fails, it looks at this many last calls, once there are as many.
        share: It opens when this share of them failed.
        open_ns: It stays open this long, then lets trial calls through.
        trials: So many trial calls must succeed to close it. The first goes alone, the others may be under
            way together.
    """

    failures: int = 5
    window: int = 40
    share: float = 0.5
    open_ns: int = SECOND
    trials: int = 3


class Permit:
    """Leave to make the calls of one payment. It belongs to the state of the breaker in which it was given,
    so that a call that comes to its end long after cannot open or close a breaker that has moved on; and a
    trial is judged once, by the first thing that is known of it."""

    __slots__ = ("epoch", "judged")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.judged = False


class Breaker:
    """The breaker of one gateway: ``closed`` (calls pass), ``open`` (none does), ``half_open`` (trials).

    A failure is a sign that the gateway is out: refused, lost, timed out, answered 5xx. A decline, a
    refused validation and a 429 are answers of a gateway that works: the caller reports the first two as
    ``success`` and the last as ``release``, which counts neither way.

    Time is passed in, as ``time.monotonic_ns()`` or anything else that only grows.

    Args:
        settings: When it opens and closes.
        on_change: Called with the new state after every change.
    """

    def __init__(
        self, settings: Settings | None = None, *, on_change: Callable[[State], None] | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.on_change = on_change
        self._state: State = "closed"
        self._epoch = 0
        self._in_a_row = 0
        self._calls: deque[bool] = deque(maxlen=self.settings.window)
        self._opened_ns = 0
        self._trials_under_way = 0
        self._trials_succeeded = 0

    @property
    def state(self) -> State:
        """The state after the last call; an open breaker becomes half-open only when somebody asks."""
        return self._state

    def permit(self, now_ns: int) -> Permit | None:
        """Leave for the calls of one payment, to be handed back by ``success``, ``failure`` or ``release``;
        ``None`` when the gateway is not to be called now."""
        if self._state == "open" and now_ns - self._opened_ns >= self.settings.open_ns:
            self._trials_under_way = 0
            self._trials_succeeded = 0
            self._enter("half_open")
        if self._state == "open":
            return None
        if self._state == "half_open":
            # The first trial goes alone: it may hang, or be lost, and somebody is waiting for it.
            most = self.settings.trials if self._trials_succeeded else 1
            if self._trials_under_way + self._trials_succeeded >= most:
                return None
            self._trials_under_way += 1
        return Permit(self._epoch)

    def success(self, permit: Permit) -> None:
        """The gateway gave an answer of its own, be it a decline."""
        if permit.epoch != self._epoch:
            return
        if self._state == "half_open":
            if not self._end_trial(permit):
                return
            self._trials_succeeded += 1
            if self._trials_succeeded >= self.settings.trials:
                self._in_a_row = 0
                self._calls.clear()
                self._enter("closed")
        else:
            self._in_a_row = 0
            self._calls.append(False)

    def failure(self, permit: Permit, now_ns: int) -> None:
        """The gateway was refused, lost or timed out, or answered 5xx."""
        if permit.epoch != self._epoch:
            return
        if self._state == "half_open":
            if self._end_trial(permit):
                self._open(now_ns)
            return
        self._in_a_row += 1
        self._calls.append(True)
        full = len(self._calls) == self.settings.window
        if self._in_a_row >= self.settings.failures or (
            full and sum(self._calls) >= self.settings.share * self.settings.window
        ):
            self._open(now_ns)

    def release(self, permit: Permit) -> None:
        """The call says nothing about the health of the gateway, or was never made."""
        if permit.epoch == self._epoch and self._state == "half_open":
            self._end_trial(permit)

    def _end_trial(self, permit: Permit) -> bool:
        """Whether the permit's trial was still to be judged."""
        if permit.judged:
            return False
        permit.judged = True
        self._trials_under_way -= 1
        return True

    def _open(self, now_ns: int) -> None:
        self._opened_ns = now_ns
        self._enter("open")

    def _enter(self, state: State) -> None:
        self._state = state
        self._epoch += 1
        if self.on_change is not None:
            self.on_change(state)
