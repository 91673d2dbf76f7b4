"""Chance from a counter: the n-th draw of a named stream depends on the seed, the name and n only.

Requests arrive in an order that no seed fixes; with a shared random state every late packet would change
every later draw. Here, what happens to request n is settled before it arrives.
"""

from __future__ import annotations

import functools
from hashlib import blake2b

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd: SplitMix64's step

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
UPPER_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Draws:
    """One stream of draws, by SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
    Generators, 2014), which reaches any position of its sequence at once."""

    __slots__ = ("_base", "_key")

    def __init__(self, seed: int, stream: str) -> None:
        digest = blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
        self._key = digest
        self._base = int.from_bytes(digest, "big")

    def word(self, number: int) -> int:
        """64 bits; different for every ``number`` below 2**64."""
        z = (self._base + (number + 1) * _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def uniform(self, number: int) -> float:
        """A number strictly between 0 and 1."""
        return ((self.word(number) >> 12) + 0.5) * 2.0**-52

    def text(self, number: int, length: int, alphabet: str = ALPHANUMERIC) -> str:
        """A string of at most 64 letters: BLAKE2b of the number, keyed by the stream, a letter for each byte.

        Different numbers give different strings for all that a run can see: of a million strings of ``bits``
        bits, two are the same with a probability of 2**(39 - bits); 13 letters have at least 52, 24 have 140.
        """
        digest = blake2b(self._key + number.to_bytes(8, "big"), digest_size=length).digest()
        return digest.translate(_letters(alphabet)).decode("ascii")


@functools.cache
def _letters(alphabet: str) -> bytes:
    """Byte -> letter."""
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256))
