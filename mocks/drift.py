"""Money that is booked otherwise than it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple


class Drift(NamedTuple):
    """Movements of one kind are booked as ``change`` makes of the amount that the gateway tells, in the minor
    unit."""

    kind: Literal["fee", "payout"]
    change: Callable[[int], int]
