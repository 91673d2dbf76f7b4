"""What faults have in common that let booked money drift from what is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from mocks.drift import Drift
from mocks.faults.fault import Fault, FaultPlan, Parameter, Target, Value, gateway_of


class DriftFault(Fault):
    """Movements of one kind are booked otherwise than the gateway tells.

    Attributes:
        kind: Which movements.
        sign: 1: more is booked, -1: less.
    """

    inside = True
    scoped = False
    kind: ClassVar[Literal["fee", "payout"]]
    sign: ClassVar[int]
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "by": Parameter("share", 0.01, "share of the amount, rounded up to the minor unit")
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._drift = Drift(self.kind, self._changed)

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if params["by"] == 0:
            raise ValueError(f"fault {cls.name}: by 0% nothing drifts")

    def start(self) -> None:
        gateway_of(self.target).add_drift(self._drift)

    def stop(self) -> None:
        gateway_of(self.target).remove_drift(self._drift)

    def _changed(self, amount_minor: int) -> int:
        if amount_minor <= 0:
            return amount_minor
        self.hits += 1
        return amount_minor + self.sign * math.ceil(amount_minor * float(self.params["by"]))
