"""Back-off: how long a caller waits before it tries again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from journal.clock import MILLISECOND


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with full jitter: before retry ``n`` (0, 1, ...) a caller waits a time drawn
    uniformly from ``[0, min(cap, base * 2**n))``, so that callers that failed together don't come back
    together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

    The draw is a hash of the seed, the key and ``n``: the same payment waits the same times in every run.

    Attributes:
        base_ns: The upper end of the first wait.
        cap_ns: The upper end of any wait.
        seed: The seed of the draws.
    """

    base_ns: int = 50 * MILLISECOND
    cap_ns: int = 1000 * MILLISECOND
    seed: int = 0

    def ceiling_ns(self, attempt: int) -> int:
        """The upper end of the wait before retry ``attempt``."""
        # 2**62 ns is longer than any cap; the exponent is bounded so that a patient caller can't overflow.
        return min(self.cap_ns, self.base_ns << min(attempt, 62))

    def delay_ns(self, key: str, attempt: int) -> int:
        """Nanoseconds to wait before retry ``attempt`` (from 0) of what ``key`` names."""
        text = f"{self.seed}|{key}|{attempt}".encode()
        share = int.from_bytes(blake2b(text, digest_size=7).digest(), "big") / 2**56
        return int(share * self.ceiling_ns(attempt))
