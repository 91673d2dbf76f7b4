"""Idempotency keys: who used which key for what, and the answer that was saved under it.

The gateways put their own rules on top (what is an error, which errors are saved); what they share is here.
"""

from __future__ import annotations

import math
from hashlib import blake2b

from mocks.mock_clock import MockClock
from mocks.reply import Reply


def fingerprint(*parts: bytes) -> str:
    """What a key is bound to: a digest of the endpoint and the parameters, which keeps no card number."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


class Use:
    """The one use of a key.

    Attributes:
        key: The idempotency key.
        endpoint: The endpoint it was first used for.
        fingerprint: Of the request that first used it.
        in_progress: The first request has not been answered yet.
        expires: When the key is free again, in Unix seconds of the mock's clock.
        order_id: The order of the first request, empty if unknown.
        saved: The answer that replays get, from the moment at which the request was executed.
    """

    __slots__ = ("_keys", "endpoint", "expires", "fingerprint", "in_progress", "key", "order_id", "saved")

    def __init__(self, keys: Keys, key: str, endpoint: str, fingerprint: str, expires: float) -> None:
        self._keys = keys
        self.key = key
        self.endpoint = endpoint
        self.fingerprint = fingerprint
        self.expires = expires
        self.in_progress = True
        self.order_id = ""
        self.saved: Reply | None = None

    def save(self, reply: Reply) -> None:
        """Execution is done: this is the answer, now and for every replay."""
        if self.saved is not None:
            raise ValueError("an answer has been saved under this key before")
        # A serializer's bytes may stand in a buffer several times their size; what is kept is kept exactly.
        self.saved = reply._replace(body=bytes(memoryview(reply.body)))

    def end(self) -> None:
        """The request is over, answered or lost. A key under which nothing was saved is free again."""
        self.in_progress = False
        if self.saved is None:
            self._keys.release(self.key)


class Keys:
    """The idempotency keys of one gateway.

    Args:
        clock: The mock's clock.
        lifetime_s: Seconds of that clock after which a key is forgotten, counted from its first use. A key
            whose first request is still under way is not forgotten.
    """

    def __init__(self, clock: MockClock | None = None, lifetime_s: float = math.inf) -> None:
        self._clock = clock if clock is not None else MockClock()
        self.lifetime_s = lifetime_s
        self._uses: dict[str, Use] = {}

    def __len__(self) -> int:
        return len(self._uses)

    def find(self, key: str) -> Use | None:
        """The use of a key, or None when it is free."""
        use = self._uses.get(key)
        if use is not None and use.expires <= self._clock.now() and not use.in_progress:
            del self._uses[key]
            return None
        return use

    def claim(self, key: str, endpoint: str, fingerprint: str) -> Use:
        """Take a free key. Raises KeyError when it is taken."""
        if self.find(key) is not None:
            raise KeyError(key)
        now = self._clock.now()
        self._forget(now)
        use = self._uses[key] = Use(self, key, endpoint, fingerprint, now + self.lifetime_s)
        return use

    def release(self, key: str) -> None:
        """Forget a key."""
        del self._uses[key]

    def clear(self) -> None:
        """Forget every key that is not in use."""
        self._uses = {key: use for key, use in self._uses.items() if use.in_progress}

    def _forget(self, now: float) -> None:
        # Keys stand in the order of their first use: the oldest are the first to expire.
        while self._uses:
            use = next(iter(self._uses.values()))
            if use.expires > now or use.in_progress:
                return
            del self._uses[use.key]
