"""Answers trickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mocks.faults.fault import Parameter, Value
from mocks.faults.transmission_fault import TransmissionFault
from mocks.transmission import Step

TICK_NS = 20_000_000
"""A piece leaves this often: often enough for a caller to see a stream, and seldom enough to cost little."""


class Bandwidth(TransmissionFault):
    """Answers trickle at a number of bytes a second, each on its own: the n-th byte, headers included, leaves
    n/rate seconds after the answer was due. The request is executed as ever and on time, so a caller whose
    time-out is for the whole answer gives up on a payment that was made; one whose time-out is for each read
    never does.

    Stands for: a congested or damaged link, a load balancer that throttles, a proxy at its limit.

    Hits are the answers slowed. When it stops, the rest of those under way is sent at once.
    """

    name = "bandwidth"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "rate": Parameter("number", 1000.0, "bytes per second, for each answer")
    }

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if float(params["rate"]) <= 0:
            raise ValueError(
                "fault bandwidth: rate must be above 0; for answers that never come, use black_hole"
            )

    def steps(self, number: int, head: bytes, body: bytes) -> Iterator[Step]:
        rate = float(self.params["rate"])
        answer = head + body
        size = max(1, int(rate * TICK_NS / 1e9))
        for at in range(0, len(answer), size):
            piece = answer[at : at + size]
            yield int(len(piece) / rate * 1e9)
            yield piece
