"""What faults have in common that send an answer in another way than whole and at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import partial

from mocks.faults.fault import Call, Fault, FaultPlan, Target
from mocks.reply import Reply
from mocks.transmission import Step, Transmission


class TransmissionFault(Fault):
    """A fault on the sending of answers. The request has been executed; the answer is on its way.

    It concerns the answers that are due while it is on to requests that came while it was on. When it stops,
    what is under way waits no more: the rest is sent, or cut off, at once.

    In the journal, the request is answered at the last byte of the answer, and not at all if that never goes
    out.
    """

    late = True
    keep_alive = True
    """False: tell the client in the answer's head that the connection will be closed."""

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._sent = 0
        self._under_way: set[Transmission] = set()

    @abstractmethod
    def steps(self, number: int, head: bytes, body: bytes) -> Iterator[Step]:
        """The steps in which the fault's n-th answer goes out; see ``mocks.transmission.Way``."""

    def sending(self, call: Call, reply: Reply) -> bool:
        if not self.on:
            return False
        call.hit_by(self)
        transmission = Transmission(partial(self.steps, self._sent))
        self._sent += 1
        self._under_way.add(transmission)
        transmission.on_end = partial(self._under_way.discard, transmission)
        call.transmit(reply, transmission, keep_alive=self.keep_alive)
        return True

    def stop(self) -> None:
        for transmission in tuple(self._under_way):
            transmission.hurry()
