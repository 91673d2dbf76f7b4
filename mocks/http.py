"""The HTTP kernel: one HTTP/1.1 server on ``asyncio.Protocol`` and httptools, close to the socket.

A fault has to reach the socket (refuse, reset, answer half), so the mocks don't sit on a web framework. An
application is a function that gets an ``Exchange`` and answers it, at once or later; the kernel starts no
coroutine for a request.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

from mocks.connection import BODY_LIMIT, HEAD_LIMIT, Connection
from mocks.exchange import Application, Exchange, Request
from mocks.listener import Listener, PortInUseError

__all__ = ["BODY_LIMIT", "HEAD_LIMIT", "Application", "Exchange", "PortInUseError", "Request", "Server"]


class Server:
    """Serves one application on one port of one address.

    Args:
        application: Answers the requests. An exception in it answers 500 and writes a line to stderr.
        host: The address to bind.
        port: The port; 0 lets the system choose one.
        tls: Serve HTTPS with this context; None serves plain HTTP.
        certificate: The PEM file of the context's certificate, for faults that serve a bad one in its place.

    Attributes:
        listener: Its port.
        connections: The open ones.
        stalled: How many hold back what their clients send; see ``stall``.
    """

    def __init__(
        self,
        application: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.application = application
        self.host = host
        self.scheme = "http" if tls is None else "https"
        self.certificate = certificate
        self.listener = Listener(host, port, tls, self.connection)
        self.stopping = False
        self.connections: set[Connection] = set()
        self.stalled = 0
        self._refusing = False

    @property
    def port(self) -> int:
        """Where it listens; 0 before the start when the system is to choose."""
        return self.listener.port

    def connect(self) -> Connection:
        """What speaks with a new client."""
        return Connection(self)

    async def start(self) -> int:
        """Bind and listen.

        Returns:
            The port.

        Raises:
            PortInUseError: Another process listens there.
            OSError: The address cannot be bound for another reason.
        """
        return await self.listener.start()

    def refuse(self) -> int:
        """Stop listening and reset every open connection, as a host does whose process has died.

        A bound socket that doesn't listen keeps the port, so that nobody else can take it meanwhile.

        Returns:
            How many connections were reset, idle ones included.
        """
        self._refusing = True
        self.listener.close()
        connections = tuple(self.connections)
        for connection in connections:
            connection.reset()
        return len(connections) + self.listener.reset_parked()

    def resume(self) -> None:
        """Listen again on the same port; does nothing when already listening."""
        if self._refusing and not self.stopping:
            self.listener.open()
            self._refusing = False

    def stall(self) -> int:
        """Read nothing more from the open connections, and from new ones as soon as they are served. What
        has been read is still answered. Returns how many connections are open."""
        self.stalled += 1
        for connection in self.connections:
            connection.hold_reading()
        return len(self.connections)

    def read_again(self) -> None:
        """Undo one ``stall``."""
        self.stalled -= 1
        if not self.stalled:
            for connection in tuple(self.connections):
                connection.read_again()

    def retire(self) -> int:
        """Close every open connection, each once the requests that it has are answered. Returns how many
        there are."""
        connections = tuple(self.connections)
        for connection in connections:
            connection.retire()
        return len(connections)

    @property
    def url(self) -> str:
        """Its base URL, once it has been started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def refusing(self) -> bool:
        """Whether connections are being refused."""
        return self._refusing

    def connection(self) -> Connection:
        """What serves a new connection."""
        return Connection(self)

    async def stop(self, grace: float = 1.0) -> None:
        """Stop listening, wait until what is in flight is answered, then close.

        Args:
            grace: Seconds to wait; what is unanswered then is cut off.
        """
        self.stopping = True
        self.listener.close()
        give_up_ns = time.monotonic_ns() + int(grace * 1e9)
        while True:
            for connection in tuple(self.connections):
                if not connection.busy:
                    connection.close()
            if not self.connections or time.monotonic_ns() >= give_up_ns:
                break
            await asyncio.sleep(0.005)
        for connection in tuple(self.connections):
            connection.abort()
        self.listener.release()
        await asyncio.sleep(0)
