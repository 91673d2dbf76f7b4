"""The gateway lets only so many requests through."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, FaultPlan, Parameter, Target, Value
from mocks.gateways.rate_limit import Bucket, Limit
from mocks.reply import Reply


class RateLimitFault(Fault):
    """Requests beyond a token bucket's are refused with the gateway's own 429, in its own shape and with its
    own headers. Nothing of them is executed, and their idempotency keys stay free.

    Stands for: a gateway that lowers its limits while it is in trouble, or a merchant's peak that meets a
    limit nobody had raised.

    The bucket is full at the start, so that ``requests`` may come at once, and refills evenly. Hits are the
    requests that were refused.
    """

    name = "rate_limit"
    decides = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "requests": Parameter("count", 25, "how many are let through in a period, and at once"),
        "per": Parameter("duration", 1_000_000_000, "the period"),
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._limit = Limit(int(self.params["requests"]), float(self.params["per"]) / 1e9)
        self._bucket = Bucket(self._limit, 0.0)

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if params["requests"] == 0 or params["per"] == 0:
            raise ValueError(
                "fault rate_limit: requests and per must be above 0; http_error refuses everything"
            )

    def start(self) -> None:
        self._bucket = Bucket(self._limit, self._now_s())

    def touches(self, call: Call) -> bool:
        if not super().touches(call):
            return False
        if self._bucket.left(self._now_s()) > 0:
            self._bucket.take()
            return False
        return True

    def arrive(self, call: Call) -> None:
        call.fail(429)

    def answering(self, call: Call, reply: Reply) -> Reply:
        resets_s = self._bucket.resets_at(self._now_s()) - self._now_s()
        headers = self.target.limit_headers(self._limit.requests, time.time() + resets_s)
        return reply._replace(headers=(*reply.headers, *headers))

    def _now_s(self) -> float:
        return self.now_ns() / 1e9
