"""The router: which gateway a payment goes to, and where it may move when that one is out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from hashlib import blake2b


def ranking(order_id: str, seed: int, weights: Mapping[str, float]) -> tuple[str, ...]:
    """The gateways in the order in which this payment would try them.

    Weighted rendezvous hashing: a gateway scores ``-ln(u) / weight``, where ``u`` in (0, 1) is a hash of the
    seed, its name and the order; the lowest score comes first. A gateway of weight ``w`` therefore comes
    first for ``w / sum of weights`` of all orders, an order keeps its ranking whatever else is in flight,
    and taking a gateway away moves only the orders that it served. A gateway of weight 0 is ranked last: it
    only ever takes over.

    Raises:
        ValueError: There is no gateway, a weight is negative or not finite.
    """
    if not weights:
        raise ValueError("there is no gateway to route to")
    scores: list[tuple[bool, float, str]] = []
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise ValueError(f"the weight of {name} is {weight}; it must be a number of 0 or more")
        score = -math.log(_uniform(f"{seed}|{name}|{order_id}")) / (weight or 1.0)
        scores.append((weight == 0, score, name))
    return tuple(name for _, _, name in sorted(scores))


def _uniform(text: str) -> float:
    """A number in (0, 1), the same for the same text in every process and Python."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big")
    return (number + 0.5) / 2**56
