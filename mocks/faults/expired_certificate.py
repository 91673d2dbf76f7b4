"""The certificate is not in order."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import FaultPlan, Parameter, Target
from mocks.faults.tls_fault import TlsFault


class ExpiredCertificate(TlsFault):
    """New connections are offered a certificate that expired yesterday, or that is for another name. It is by
    the authority that the mock's clients trust, so nothing else is wrong with it. Clients that check it break
    off before they send a request: nothing is executed. Those that don't check are served as ever, and stay
    connected when the fault stops.

    The open connections are closed at the start, each once the requests that it has are answered.

    Stands for: the renewal that nobody did, the commonest of all avoidable outages; and with ``other_name``,
    a load balancer that serves its default certificate, or traffic that is led astray.

    Hits are the handshakes in which it was offered. ``share`` is drawn for each connection.
    """

    name = "expired_certificate"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "flaw": Parameter(
            "text", "expired", "what is wrong with it: expired or other_name", ("expired", "other_name")
        )
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        # Most mocks need no certificates, and the library takes a while to import.
        from mocks import tls

        certificate = self._server.certificate
        if certificate is None:
            raise ValueError(f"fault {plan.id}: nobody knows where the server's certificate lies")
        try:
            self._context = tls.flawed_context(certificate, str(self.params["flaw"]), tls.now())
        except (tls.TlsError, OSError) as error:
            raise ValueError(f"fault {plan.id}: no bad certificate can be made: {error}") from error
        self._context.sni_callback = self._offered

    def spoil(self, connection: socket.socket) -> None:
        self._server.listener.admit(connection, self._context)

    def _offered(self, _tls: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        # Called with every client's hello, whether or not it names a server.
        self.hits += 1
