"""Chance from a counter: the n-th draw of a named stream depends on the seed, the name and n only.

Requests arrive in an order that no seed fixes; with a shared random state every late packet would change
every later draw. Here, what happens to request n is settled before it arrives.
"""

from __future__ import annotations

from hashlib import blake2b

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd: SplitMix64's step

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
UPPER_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Draws:
    """One stream of draws, by SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
    Generators, 2014), which reaches any position of its sequence at once."""

    __slots__ = ("_base",)

    def __init__(self, seed: int, stream: str) -> None:
        digest = blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
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
        """A string of at most 32 letters. Different numbers (below 2**62) give different strings as long as
        ``len(alphabet) ** length`` is at least 2**64."""
        base = len(alphabet)
        first = 3 * number
        value = self.word(first) | self.word(first + 1) << 64 | self.word(first + 2) << 128
        letters = []
        for _ in range(length):
            value, rest = divmod(value, base)
            letters.append(alphabet[rest])
        return "".join(letters)
