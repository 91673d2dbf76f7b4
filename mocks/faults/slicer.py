"""Answers come in crumbs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mocks.draws import Draws
from mocks.faults.fault import FaultPlan, Parameter, Target, Value
from mocks.faults.transmission_fault import TransmissionFault
from mocks.transmission import Step


class Slicer(TransmissionFault):
    """The head of an answer comes at once, its body in small pieces with a pause before each. Sizes are drawn
    uniformly from 1 to 2 x size - 1 bytes, so that their mean is ``size``; the pieces of the n-th answer are
    the same for the same seed. The request is executed as ever and on time.

    Stands for: a proxy that passes on packet by packet, a backend that flushes as it renders; it finds
    callers that take the first read for the whole answer, and time-outs that start anew with every byte.

    Hits are the answers cut up. When it stops, the rest of those under way is sent at once. An answer without
    a body comes whole.
    """

    name = "slicer"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "size": Parameter("count", 16, "mean bytes of a piece"),
        "pause": Parameter("duration", 10_000_000, "time before each piece"),
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._sizes = Draws(seed, f"fault/{plan.id}/sizes")

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if int(params["size"]) < 1:
            raise ValueError("fault slicer: size must be at least 1 byte")

    def steps(self, number: int, head: bytes, body: bytes) -> Iterator[Step]:
        yield head
        most = 2 * int(self.params["size"]) - 1
        at = piece = 0
        while at < len(body):
            # 2**32 pieces for each answer, so that no two answers share a draw.
            size = 1 + int(self._sizes.uniform((number << 32) + piece) * most)
            yield int(self.params["pause"])
            yield body[at : at + size]
            at += size
            piece += 1
