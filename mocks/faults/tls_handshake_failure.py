"""TLS cannot be agreed on."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mocks.faults.fault import FaultPlan, Parameter, Target
from mocks.faults.tls_fault import TlsFault

if TYPE_CHECKING:
    from mocks.broken_handshake import BrokenHandshake


class TlsHandshakeFailure(TlsFault):
    """The TLS handshake of new connections fails: the client's hello is answered with the fatal alert
    ``handshake_failure``, or with a reset. No request is ever sent, so nothing is executed and a retry is
    safe.

    The open connections are closed at the start, each once the requests that it has are answered.

    Stands for: a terminator that was reloaded with the wrong ciphers or protocol versions, a client whose TLS
    was switched off overnight.

    Hits are the hellos answered so. ``share`` is drawn for each connection.
    """

    name = "tls_handshake_failure"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "end": Parameter("text", "alert", "how the handshake ends: alert or reset", ("alert", "reset"))
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._waiting: set[BrokenHandshake] = set()

    def stop(self) -> None:
        super().stop()
        for handshake in tuple(self._waiting):
            handshake.reset()

    def spoil(self, connection: socket.socket) -> None:
        from mocks.broken_handshake import BrokenHandshake

        handshake = BrokenHandshake(self.params["end"] == "alert", self._hit, self._waiting.discard)
        self._waiting.add(handshake)
        self._server.listener.admit(connection, make=lambda: handshake)

    def _hit(self) -> None:
        self.hits += 1
