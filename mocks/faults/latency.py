"""The gateway answers late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter, Value


class LatencyFault(Fault):
    """Answers come later: the gateway's own latency is multiplied, and a fixed time comes on top. The money
    moves within the longer latency, so a caller that gives up early may leave a capture behind.

    Stands for: an overloaded database or a slow bank behind the gateway; the commonest degradation, and the
    one that exhausts the callers' connection pools.

    Requests that are in flight when it starts are not slowed.
    """

    name = "latency"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "add": Parameter("duration", 0, "time on top of the gateway's own latency"),
        "times": Parameter("number", 1.0, "factor of the gateway's own latency"),
    }

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if float(params["times"]) < 1:
            raise ValueError(f"fault latency: times must be at least 1, not {params['times']}")
        if params["add"] == 0 and params["times"] == 1:
            raise ValueError("fault latency: give add or times, or it changes nothing")

    def arrive(self, call: Call) -> None:
        call.slow(add_ns=int(self.params["add"]), times=float(self.params["times"]))
