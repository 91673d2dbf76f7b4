"""Connections outlive their use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mocks.faults.fault import FaultPlan, Parameter, Target
from mocks.faults.transmission_fault import TransmissionFault
from mocks.transmission import Act, Step


class SlowClose(TransmissionFault):
    """The answer comes whole and on time, and then nothing more: the connection takes no further request, and
    is closed only after a delay. With ``header: keep-alive`` the client isn't told; the next request that it
    sends on the connection is never read, never executed, and ends with the connection. With
    ``header: close`` it is told (``Connection: close``), and a client that waits for the end of the
    connection, instead of counting bytes, waits for the delay.

    Stands for: a load balancer that forgets idle connections without a word, or lets closed ones linger: the
    request after a pause, sent into a dead connection of the pool, hangs.

    Hits are the connections treated so. When it stops, they are closed at once.
    """

    name = "slow_close"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "delay": Parameter("duration", 5_000_000_000, "time from the answer to the end of the connection"),
        "header": Parameter(
            "text",
            "keep-alive",
            "what the answer says: keep-alive (nothing) or close",
            ("keep-alive", "close"),
        ),
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self.keep_alive = self.params["header"] != "close"

    def steps(self, number: int, head: bytes, body: bytes) -> Iterator[Step]:
        yield Act.STOP_READING
        yield head + body
        yield int(self.params["delay"])
        yield Act.CLOSE
