"""Idempotency keys: who used which key for what, and the answer that was saved under it.

The gateways put their own rules on top (what is an error, which errors are saved); what they share is here.
"""

from __future__ import annotations

import marshal
import math
import zlib
from hashlib import blake2b
from typing import Any, NamedTuple

from mocks.mock_clock import MockClock
from mocks.reply import Reply

BLOCK = 64
"""How many uses are packed together."""


def fingerprint(*parts: bytes) -> str:
    """What a key is bound to: a digest of the endpoint and the parameters, which keeps no card number."""
    framed = b"".join([len(part).to_bytes(8, "big") + part for part in parts])
    return blake2b(framed, digest_size=16).hexdigest()


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
        self.saved = reply

    def end(self) -> None:
        """The request is over, answered or lost. A key under which nothing was saved is free again."""
        self.in_progress = False
        self._keys.end(self)


class _Block(NamedTuple):
    """Uses that are over; ``packed`` is a zlib-compressed marshal of their fields."""

    keys: tuple[str, ...]
    expires: float
    packed: bytes


class Keys:
    """The idempotency keys of one gateway.

    What was answered is much larger than the rest of a payment, and hardly any of it is ever asked for again.
    So uses that are over are packed in blocks of ``BLOCK``: a saved answer of Stripe's then takes 80 bytes
    instead of 900, for 2 microseconds of packing; its replay costs the unpacking of a block.

    Args:
        clock: The mock's clock.
        lifetime_s: Seconds of that clock after which a key is forgotten, counted from its first use. A key
            whose first request is still under way is not forgotten.
    """

    def __init__(self, clock: MockClock | None = None, lifetime_s: float = math.inf) -> None:
        self._clock = clock if clock is not None else MockClock()
        self.lifetime_s = lifetime_s
        # A number is that of the block in which a use is packed.
        self._uses: dict[str, Use | int] = {}
        self._ended: list[Use] = []
        self._blocks: dict[int, _Block] = {}
        self._packed = 0

    def __len__(self) -> int:
        """How many are remembered; expired ones are forgotten a block at a time."""
        return len(self._uses)

    def find(self, key: str) -> Use | None:
        """The use of a key, or None when it is free."""
        known = self._uses.get(key)
        if known is None:
            return None
        use = self._unpacked(key, known) if isinstance(known, int) else known
        if use.expires <= self._clock.now() and not use.in_progress:
            del self._uses[key]
            return None
        return use

    def claim(self, key: str, endpoint: str, fingerprint: str) -> Use:
        """Take a free key. Raises KeyError when it is taken."""
        if self.find(key) is not None:
            raise KeyError(key)
        use = self._uses[key] = Use(self, key, endpoint, fingerprint, self._clock.now() + self.lifetime_s)
        return use

    def release(self, key: str) -> None:
        """Forget a key."""
        del self._uses[key]

    def end(self, use: Use) -> None:
        """A use is over; called by it."""
        if use.saved is None:
            self.release(use.key)
            return
        self._ended.append(use)
        if len(self._ended) >= BLOCK:
            self._pack()
            self._forget()

    def clear(self) -> None:
        """Forget every key that is not in use."""
        self._uses = {
            key: use for key, use in self._uses.items() if not isinstance(use, int) and use.in_progress
        }
        self._ended.clear()
        self._blocks.clear()

    def _pack(self) -> None:
        ended = [use for use in self._ended if self._uses.get(use.key) is use]
        self._ended.clear()
        if not ended:
            return
        packed = zlib.compress(marshal.dumps([_fields(use) for use in ended]), 1)
        keys = tuple(use.key for use in ended)
        self._blocks[self._packed] = _Block(keys, max(use.expires for use in ended), packed)
        number = self._packed  # one object for all of the block
        for key in keys:
            self._uses[key] = number
        self._packed += 1

    def _unpacked(self, key: str, number: int) -> Use:
        block = self._blocks[number]
        uses = marshal.loads(zlib.decompress(block.packed))  # noqa: S302
        return _use_of(self, uses[block.keys.index(key)])

    def _forget(self) -> None:
        # Blocks stand in the order in which they were packed: the first is the first to expire, but for
        # requests that took long.
        now = self._clock.now()
        while self._blocks:
            number, block = next(iter(self._blocks.items()))
            if block.expires > now:
                return
            for key in block.keys:
                if self._uses.get(key) == number:
                    del self._uses[key]
            del self._blocks[number]


def _fields(use: Use) -> tuple[Any, ...]:
    saved = use.saved
    assert saved is not None
    return (use.key, use.endpoint, use.fingerprint, use.expires, use.order_id, *saved)


def _use_of(keys: Keys, fields: tuple[Any, ...]) -> Use:
    use = Use(keys, *fields[:4])
    use.in_progress = False
    use.order_id = fields[4]
    use.saved = Reply(*fields[5:])
    return use
