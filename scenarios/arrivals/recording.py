"""Recorded arrivals as text: how a trace travels inside a scenario, without its file.

The text is base64 of zlib of decimal numbers: the unit in ns, then each offset's distance from the one
before in that unit (the first from 0). Most traces are recorded in whole milliseconds or microseconds, so
their greatest common divisor keeps the numbers short.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
"""Nanoseconds since the first arrival, in order."""

MOST_ARRIVALS = 1_000_000
"""Arrivals that a trace may hold."""

MOST_TEXT = 8 * 2**20
"""Characters that the text of a trace may have: it goes to every worker in one message."""

_MOST_DIGITS = 20 * MOST_ARRIVALS


def packed(offsets: Offsets) -> str:
    """The text of some offsets.

    Raises:
        ValueError: They are too many, or too irregular for the longest text that is allowed.
    """
    if len(offsets) > MOST_ARRIVALS:
        raise ValueError(f"has {len(offsets):,} arrivals; {MOST_ARRIVALS:,} is the most that can be replayed")
    unit = int(np.gcd.reduce(offsets)) or 1
    numbers = [unit, *np.diff(offsets // unit, prepend=0).tolist()]
    text = base64.b64encode(zlib.compress(" ".join(map(str, numbers)).encode(), 6)).decode()
    if len(text) > MOST_TEXT:
        raise ValueError(
            f"its {len(offsets):,} arrivals take {len(text) / 2**20:.1f} MiB, and {MOST_TEXT // 2**20} MiB "
            "is the most; record whole microseconds, or fewer arrivals"
        )
    return text


@lru_cache(maxsize=8)
def unpacked(text: str) -> Offsets:
    """The offsets of a text; they cannot be written to.

    Raises:
        ValueError: It is no such text, or holds nothing, or too much.
    """
    if len(text) > MOST_TEXT:
        raise ValueError(f"is longer than {MOST_TEXT // 2**20} MiB")
    try:
        stream = zlib.decompressobj()
        plain = stream.decompress(base64.b64decode(text, validate=True), _MOST_DIGITS)
        if stream.unconsumed_tail or not stream.eof:
            raise ValueError("is cut off, or holds too much")
        unit, *steps = map(int, plain.split())
        if unit < 1 or not steps or len(steps) > MOST_ARRIVALS or min(steps) < 0:
            raise ValueError("holds no ordered offsets")
        if unit * sum(steps) >= 2**62:
            raise ValueError("holds offsets of many years")
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ValueError(
            f"these are no offsets of a trace as paydrill writes them ({error}); name the file with trace:"
        ) from error
    offsets = np.cumsum(np.array(steps, np.int64)) * unit
    offsets.flags.writeable = False
    return offsets
