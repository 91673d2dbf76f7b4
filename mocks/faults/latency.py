"""The gateway answers late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.draws import Draws
from mocks.faults.fault import Call, Fault, FaultPlan, Parameter, Target, Value
from mocks.latency import Latency


class LatencyFault(Fault):
    """Answers come later: the gateway's own latency is multiplied, and a time comes on top, a fixed one or a
    lognormal one given by its median and its 99th percentile. The money moves within the longer latency, so a
    caller that gives up early may leave a capture behind. With a ramp it grows from nothing: a brownout.

    Stands for: an overloaded database or a slow bank behind the gateway; the commonest degradation, and the
    one that exhausts the callers' connection pools.

    Requests that are in flight when it starts are not slowed. Hits are the requests that were.
    """

    name = "latency"
    grows = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "add": Parameter("duration", 0, "time on top of the gateway's own latency"),
        "times": Parameter("number", 1.0, "factor of the gateway's own latency"),
        "p50": Parameter("duration", 0, "median of a lognormal time on top; goes with p99"),
        "p99": Parameter("duration", 0, "99th percentile of it"),
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._on_top = Latency(int(self.params["p50"]), int(self.params["p99"]))
        self._drawn = Draws(seed, f"fault/{plan.id}/latency")

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if float(params["times"]) < 1:
            raise ValueError(f"fault latency: times must be at least 1, not {params['times']}")
        if (params["p50"] == 0) != (params["p99"] == 0) or float(params["p99"]) < float(params["p50"]):
            raise ValueError("fault latency: p50 and p99 go together, and p99 is not below p50")
        if params["add"] == params["p50"] == 0 and params["times"] == 1:
            raise ValueError("fault latency: give add or times, or p50 and p99, or it changes nothing")

    def arrive(self, call: Call) -> None:
        add_ns, times = float(self.params["add"]), float(self.params["times"])
        if self._on_top.p50_ns:
            add_ns += self._on_top.quantile(self._drawn.uniform(self.hits))
        intensity = self.intensity
        call.slow(add_ns=round(add_ns * intensity), times=1 + (times - 1) * intensity)
