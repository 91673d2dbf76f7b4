"""What faults have in common that spoil the TLS of new connections."""

from __future__ import annotations

import socket
from abc import abstractmethod
from typing import TYPE_CHECKING

from mocks.faults.fault import Call, Fault, FaultPlan, Target

if TYPE_CHECKING:
    from mocks.http import Server


class TlsFault(Fault):
    """A fault on new connections, before there is any request: nothing is executed on those it hits.

    At the start the open connections are closed, each once the requests that it has are answered, as a
    terminator of TLS closes them when it is reloaded; otherwise a pool of connections would not notice.
    ``share`` is drawn for each connection; ``endpoint`` and ``match`` have nothing to look at.

    Raises:
        ValueError: The server doesn't serve TLS, or the plan limits the fault to some requests.
    """

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        if plan.endpoint is not None or plan.match:
            raise ValueError(
                f"fault {plan.id}: {self.name} hits connections before there is a request; leave out "
                "endpoint and match"
            )
        if target.server is None or target.server.scheme != "https":
            raise ValueError(f"fault {plan.id}: {self.name} needs a server that serves TLS")
        self._server: Server = target.server
        self._met = 0

    @abstractmethod
    def spoil(self, connection: socket.socket) -> None:
        """Do to a new connection what the fault does; it is the fault's from here on."""

    def concerns(self, call: Call) -> bool:
        return False

    def start(self) -> None:
        self._server.retire()
        self._server.listener.divert(self._take)

    def stop(self) -> None:
        self._server.listener.restore(self._take)

    def _take(self, connection: socket.socket) -> bool:
        number = self._met
        self._met += 1
        if self._draws.uniform(number) >= self.plan.share * self.intensity:
            return False
        self.spoil(connection)
        return True
