"""The rate limit of a gateway: token buckets that refill by the mock's clock. Off unless it is asked for.

To plug one in, a gateway says what it publishes and refuses in its own words::

    class Adyen(Gateway):
        limits = Limits(Limit(100))

        def prepare(self, call):
            authenticate(...)  # a limit is an account's: who is unknown has none
            if self.rate_limit.enforced and self.rate_limit.refusal(call.endpoint):
                return too_many_requests()  # status, headers and body are the gateway's own

``Gateway`` makes ``rate_limit`` out of ``limits``. What is refused takes no token, and must be refused before
an idempotency key is claimed. A gateway that tells its limit in headers asks ``refusal`` on every request,
enforced or not, and reads ``left`` and ``resets_at``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mocks.mock_clock import MockClock

WHOLE = "global"
"""What ``refusal`` says when it was the limit of all requests together."""

ENDPOINT = "endpoint"
"""What ``refusal`` says when it was the limit of the one endpoint."""


class Limit(NamedTuple):
    """So many requests in a period, in seconds.

    Tokens come back one by one, so that ``requests`` may come at once and then one every
    ``period_s / requests``; with ``windowed`` they all come back at every multiple of ``period_s`` in Unix
    time.
    """

    requests: int
    period_s: float = 1.0
    windowed: bool = False


class Limits(NamedTuple):
    """The limits of one gateway: of all requests together, of every endpoint (None: no limit of its own),
    and of the endpoints that are named."""

    whole: Limit
    endpoint: Limit | None = None
    endpoints: Mapping[str, Limit] = MappingProxyType({})


class Bucket:
    """The tokens of one limit. Times are Unix seconds of the mock's clock, and never go back."""

    __slots__ = ("_at", "_tokens", "limit")

    def __init__(self, limit: Limit, now: float) -> None:
        self.limit = limit
        self._tokens: float = limit.requests
        self._at = now

    def left(self, now: float) -> int:
        """How many requests could be made at once."""
        requests, period_s, windowed = self.limit
        if windowed:
            if now // period_s > self._at // period_s:
                self._tokens = requests
        else:
            self._tokens = min(requests, self._tokens + (now - self._at) * requests / period_s)
        self._at = now
        # A token that came back in many small steps may lack the last bit of a float.
        return math.floor(self._tokens + 1e-9)

    def take(self) -> None:
        """Use one token, if there is one; ``left`` has just been asked."""
        self._tokens = max(0.0, self._tokens - 1)

    def resets_at(self, now: float) -> float:
        """When all tokens are back."""
        self.left(now)
        requests, period_s, windowed = self.limit
        if windowed:
            return (now // period_s + 1) * period_s
        return now + (requests - self._tokens) * period_s / requests


class RateLimit:
    """The buckets of one gateway.

    Attributes:
        enforced: Whether requests beyond a limit are refused.
        limits: What is counted; see ``enforce``.
    """

    def __init__(self, clock: MockClock, limits: Limits) -> None:
        self.enforced = False
        self.limits = limits
        self._clock = clock
        self._whole = Bucket(limits.whole, clock.now())
        self._buckets: dict[str, Bucket] = {}

    def enforce(self, requests: int | None = None) -> None:
        """Refuse what is beyond the limits, from full buckets on.

        Args:
            requests: Of all endpoints together, in the gateway's own period; instead of every published
                limit. None: the published ones.

        Raises:
            ValueError: ``requests`` is below 1.
        """
        if requests is not None:
            if requests < 1:
                raise ValueError(f"a rate limit of {requests} requests would let nothing through")
            self.limits = Limits(self.limits.whole._replace(requests=requests))
        self.enforced = True
        self._whole = Bucket(self.limits.whole, self._clock.now())
        self._buckets.clear()

    def refusal(self, endpoint: str) -> str:
        """Count a request. Returns the limit that refuses it, ``WHOLE`` or ``ENDPOINT``, and the empty text
        when it is let through, as everything is while the limits are not enforced."""
        now = self._clock.now()
        refused = "" if self._whole.left(now) else WHOLE
        bucket = self._bucket(endpoint, now)
        if bucket is not None and not bucket.left(now):
            refused = refused or ENDPOINT
        if not self.enforced:
            refused = ""
        if not refused:
            self._whole.take()
            if bucket is not None:
                bucket.take()
        return refused

    def left(self) -> int:
        """How many requests the limit of all together would let through at once."""
        return self._whole.left(self._clock.now())

    def resets_at(self) -> float:
        """When the limit of all requests together has all its tokens again, in Unix seconds."""
        return self._whole.resets_at(self._clock.now())

    def _bucket(self, endpoint: str, now: float) -> Bucket | None:
        bucket = self._buckets.get(endpoint)
        if bucket is None:
            limit = self.limits.endpoints.get(endpoint, self.limits.endpoint)
            if limit is not None and endpoint:
                bucket = self._buckets[endpoint] = Bucket(limit, now)
        return bucket
