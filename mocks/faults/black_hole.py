"""Requests vanish."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, FaultPlan, Parameter, Target


class BlackHole(Fault):
    """Connections are accepted, and no answer ever comes. Only the caller's own time-out ends its wait.

    With ``reads: requests`` each request that is touched is read and dropped: it is not executed, no money
    moves, and its idempotency key is free. Its connection stays open until its client leaves, and answers to
    requests pipelined behind it wait with it. Requests in flight at the start are answered. When the fault
    stops, the connections held are reset.

    With ``reads: nothing`` the server stops reading: new connections are accepted and left alone (over TLS,
    their handshakes too), and what arrives on open ones stays unread. It cannot be limited to some requests:
    nobody has read which they are. What had been read before is answered. When the fault stops, the server
    reads on, and executes late what still waits there, even for clients that have given up: their payments
    are made, and nobody is told. Clients that retried with another idempotency key pay twice.

    Stands for: ``requests``, a backend that deadlocks, or a firewall that drops packets without a word;
    ``nothing``, a process that is stopped, or whose workers are all busy while the system goes on accepting
    for it.

    Hits are the requests dropped; with ``nothing``, the connections that were open at the start plus those
    accepted since.
    """

    name = "black_hole"
    decides = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "reads": Parameter(
            "text",
            "requests",
            "what is still read: requests, to be dropped, or nothing",
            ("requests", "nothing"),
        )
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._blind = self.params["reads"] == "nothing"
        self._held: dict[Call, None] = {}
        if self._blind and not plan.whole:
            raise ValueError(
                f"fault {plan.id}: with reads: nothing, a black_hole cannot be limited to some requests, as "
                "it reads none; leave out endpoint, match, share and ramp, or choose reads: requests"
            )
        if self._blind and target.server is None:
            raise ValueError(f"fault {plan.id}: black_hole with reads: nothing needs a server with a socket")

    def start(self) -> None:
        server = self.target.server
        if self._blind and server is not None:
            self.hits += server.stall()
            server.listener.divert(self._park)

    def stop(self) -> None:
        server = self.target.server
        if self._blind and server is not None:
            server.listener.restore(self._park)
            server.read_again()
            if not server.stalled:
                server.listener.admit_parked()
        held, self._held = self._held, {}
        for call in held:
            call.reset()

    def concerns(self, call: Call) -> bool:
        return not self._blind and super().concerns(call)

    def arrive(self, call: Call) -> None:
        self._held[call] = None
        call.hold(lambda: self._forget(call))

    def _park(self, connection: socket.socket) -> bool:
        server = self.target.server
        assert server is not None
        self.hits += 1
        server.listener.park(connection)
        return True

    def _forget(self, call: Call) -> None:
        self._held.pop(call, None)
