"""What faults do to a request alike, whether a gateway has it in hands or a proxy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from mocks.faults.fault import Fault
    from mocks.reply import Reply


class Touched:
    """A request on which faults may act.

    Attributes:
        fault: The names of the faults that touched it, in that order, joined by ``+``.
        faults: Those faults.
        reply: The answer, once it is known.
        over: It has been answered or lost.
    """

    __slots__ = ("_add_ns", "_times", "fault", "faults", "over", "reply")

    def __init__(self) -> None:
        self.fault = ""
        self.faults: list[Fault] = []
        self.reply: Reply | None = None
        self.over = False
        self._times = 1.0
        self._add_ns = 0

    def meet(self, faults: Iterable[Fault]) -> None:
        """Let each of these act that touches it, in their order, until it is over."""
        call = cast(Any, self)
        for fault in tuple(faults):
            if fault.touches(call) and not (fault.decides and self.reply is not None):
                self.faults.append(fault)
                if not fault.late:
                    self.hit_by(fault)
                fault.arrive(call)
                if self.over:
                    return

    def hit_by(self, fault: Fault) -> None:
        """Count a hit of a fault, and tell of it in the journal."""
        fault.hits += 1
        self.name_fault(fault.name)

    def name_fault(self, name: str) -> None:
        """Let the journal name one more fault."""
        self.fault = f"{self.fault}+{name}" if self.fault else name

    def slow(self, *, add_ns: int = 0, times: float = 1.0) -> None:
        """Answer later: the latency is multiplied by ``times``, then ``add_ns`` comes on top."""
        self._times *= times
        self._add_ns += add_ns
