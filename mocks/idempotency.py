"""Idempotency keys: who used which key for what, and the answer that was saved under it.

The gateways put their own rules on top (what is an error, which errors are saved); what they share is here.
"""

from __future__ import annotations

from hashlib import blake2b

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
        order_id: The order of the first request, empty if unknown.
        saved: The answer that replays get, from the moment at which the request was executed.
    """

    __slots__ = ("_keys", "endpoint", "fingerprint", "in_progress", "key", "order_id", "saved")

    def __init__(self, keys: Keys, key: str, endpoint: str, fingerprint: str) -> None:
        self._keys = keys
        self.key = key
        self.endpoint = endpoint
        self.fingerprint = fingerprint
        self.in_progress = True
        self.order_id = ""
        self.saved: Reply | None = None

    def save(self, reply: Reply) -> None:
        """Execution is done: this is the answer, now and for every replay."""
        if self.saved is not None:
            raise ValueError("an answer has been saved under this key before")
        self.saved = reply

    def end(self) -> None:
        """The request is over, answered or lost. A key under which nothing was saved is free again."""
        self.in_progress = False
        if self.saved is None:
            self._keys.release(self.key)


class Keys:
    """The idempotency keys of one gateway. Kept as long as the process lives, which is shorter than any
    gateway's promise (Stripe: at least 24 h; Adyen: weeks)."""

    def __init__(self) -> None:
        self._uses: dict[str, Use] = {}

    def __len__(self) -> int:
        return len(self._uses)

    def find(self, key: str) -> Use | None:
        """The use of a key, or None when it is free."""
        return self._uses.get(key)

    def claim(self, key: str, endpoint: str, fingerprint: str) -> Use:
        """Take a free key. Raises KeyError when it is taken."""
        if key in self._uses:
            raise KeyError(key)
        use = self._uses[key] = Use(self, key, endpoint, fingerprint)
        return use

    def release(self, key: str) -> None:
        """Forget a key."""
        del self._uses[key]
