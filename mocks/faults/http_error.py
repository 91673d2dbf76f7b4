"""The gateway answers with an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter


class HttpError(Fault):
    """Requests are answered with an HTTP error in the gateway's own shape, after the latency that an answer
    would have had. Nothing is executed: no money moves, and nothing is saved under the idempotency key, so
    that the same key may be used again.

    Stands for: a load balancer without a healthy backend (502, 503, 504), a deployment gone wrong (500), a
    rate limit (429).
    """

    name = "http_error"
    decides = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "status": Parameter("status", 503, "the HTTP status to answer")
    }

    def arrive(self, call: Call) -> None:
        call.fail(int(self.params["status"]))
