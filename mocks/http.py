"""The HTTP kernel: one HTTP/1.1 server on ``asyncio.Protocol`` and httptools, close to the socket.

A fault has to reach the socket (refuse, reset, answer half), so the mocks don't sit on a web framework. An
application is a function that gets an ``Exchange`` and answers it, at once or later; the kernel starts no
coroutine for a request.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time

from mocks.connection import BODY_LIMIT, HEAD_LIMIT, Connection
from mocks.exchange import Application, Exchange, Request

__all__ = ["BODY_LIMIT", "HEAD_LIMIT", "Application", "Exchange", "PortInUseError", "Request", "Server"]

BACKLOG = 1024

HANDSHAKE_LIMIT = 10.0
"""Seconds in which a client must have finished the TLS handshake."""

FAREWELL_LIMIT = 1.0
"""Seconds that closing waits for a TLS client's own close."""


class PortInUseError(OSError):
    """Another process listens on the port that was asked for."""


class Server:
    """Serves one application on one port of one address.

    Args:
        application: Answers the requests. An exception in it answers 500 and writes a line to stderr.
        host: The address to bind.
        port: The port; 0 lets the system choose one.
        tls: Serve HTTPS with this context; None serves plain HTTP.
    """

    def __init__(
        self,
        application: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.application = application
        self.host = host
        self.port = port
        self.scheme = "http" if tls is None else "https"
        self._tls = tls
        self.stopping = False
        self.connections: set[Connection] = set()
        self._refusing = False
        self._reserve: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Bind and listen.

        Returns:
            The port.

        Raises:
            PortInUseError: Another process listens there.
            OSError: The address cannot be bound for another reason.
        """
        try:
            if self.port:
                self._make_sure_nobody_listens()
            self._reserve = self._bound(self.port, reuse_address=False)
            self.port = self._reserve.getsockname()[1]
            self._open()
        except OSError as error:
            self._release()
            if error.errno == errno.EADDRINUSE:
                where = f"port {self.port} of {self.host}"
                hint = "stop what listens there or choose another port"
                raise PortInUseError(f"{where} is in use; {hint}") from error
            raise
        assert self._opening is not None
        await self._opening
        return self.port

    def refuse(self) -> int:
        """Stop listening and reset every open connection, as a host does whose process has died.

        A bound socket that doesn't listen keeps the port, so that nobody else can take it meanwhile.

        Returns:
            How many connections were reset, idle ones included.
        """
        self._refusing = True
        self._close_listener()
        connections = tuple(self.connections)
        for connection in connections:
            connection.reset()
        return len(connections)

    def resume(self) -> None:
        """Listen again on the same port; does nothing when already listening."""
        if self._refusing and not self.stopping:
            self._open()
            self._refusing = False

    @property
    def url(self) -> str:
        """Its base URL, once it has been started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def refusing(self) -> bool:
        """Whether connections are being refused."""
        return self._refusing

    async def stop(self, grace: float = 1.0) -> None:
        """Stop listening, wait until what is in flight is answered, then close.

        Args:
            grace: Seconds to wait; what is unanswered then is cut off.
        """
        self.stopping = True
        self._close_listener()
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
        self._release()
        await asyncio.sleep(0)

    def _open(self) -> None:
        # Listening starts here and now; the loop begins to accept in its next step.
        self._listener = self._bound(self.port, reuse_address=True)
        self._listener.listen(BACKLOG)
        self._opening = asyncio.get_running_loop().create_task(self._accept(self._listener))

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._accepting = await loop.create_server(
            lambda: Connection(self),
            sock=listener,
            backlog=BACKLOG,
            ssl=self._tls,
            ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_LIMIT,
            ssl_shutdown_timeout=None if self._tls is None else FAREWELL_LIMIT,
        )

    def _close_listener(self) -> None:
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
        if self._accepting is not None:
            self._accepting.close()
        elif self._listener is not None:
            self._listener.close()
        self._opening = self._accepting = self._listener = None

    def _release(self) -> None:
        if self._reserve is not None:
            self._reserve.close()
            self._reserve = None

    def _bound(self, port: int, *, reuse_address: bool) -> socket.socket:
        bound = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        try:
            bound.setblocking(False)
            # The reserve must not carry SO_REUSEADDR: with it on both, a stranger could take the port
            # while nobody listens.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if reuse_address:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self.host, port))
        except OSError:
            bound.close()
            raise
        return bound

    def _make_sure_nobody_listens(self) -> None:
        # SO_REUSEPORT would let two servers of one user share the port without a word.
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((self.host, self.port))
            trial.listen(1)
