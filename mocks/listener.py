"""A port that a server listens on: kept even while nobody listens there, and able to give new connections to
others than the server."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import socket
import ssl
import struct
import sys
import termios
from collections.abc import Callable

BACKLOG = 1024

HANDSHAKE_LIMIT = 10.0
"""Seconds in which a client must have finished the TLS handshake."""

FAREWELL_LIMIT = 1.0
"""Seconds that closing waits for a TLS client's own close."""

_DESCRIPTORS_AGAIN = 0.1
"""Seconds until accepting is tried again when the process has no file descriptor left."""

Taker = Callable[[socket.socket], bool]
"""Gets a connection as it was accepted: non-blocking, nothing read, no TLS handshake begun. Returns whether
it took it; what it took is its own to close."""


class PortInUseError(OSError):
    """Another process listens on the port that was asked for."""


class Listener:
    """One port of one address.

    Args:
        host: The address to bind.
        port: The port; 0 lets the system choose one.
        tls: The context of new connections; None for plain ones.
        make: Makes the protocol of a new connection.
    """

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext | None, make: Callable[[], asyncio.Protocol]
    ) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        self._make = make
        self._reserve: socket.socket | None = None
        self._socket: socket.socket | None = None
        self._takers: list[Taker] = []
        self._parked: list[socket.socket] = []
        self._admitting: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Bind and listen. Returns the port.

        Raises:
            PortInUseError: Another process listens there.
            OSError: The address cannot be bound for another reason.
        """
        try:
            if self.port:
                self._make_sure_nobody_listens()
            self._reserve = self._bound(self.port, reuse_address=False)
            self.port = self._reserve.getsockname()[1]
            self.open()
        except OSError as error:
            self.release()
            if error.errno == errno.EADDRINUSE:
                where = f"port {self.port} of {self.host}"
                hint = "stop what listens there or choose another port"
                raise PortInUseError(f"{where} is in use; {hint}") from error
            raise
        return self.port

    def open(self) -> None:
        """Listen, here and now; the loop begins to accept in its next step."""
        self._socket = self._bound(self.port, reuse_address=True)
        self._socket.listen(BACKLOG)
        self._watch()

    def close(self) -> None:
        """Stop listening. A bound socket that doesn't listen keeps the port, so that nobody else can take it
        meanwhile. Parked connections stay."""
        self._accept_no_more()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def release(self) -> None:
        """Give the port away; the end."""
        self.close()
        self.reset_parked()
        for task in self._admitting:
            task.cancel()
        if self._reserve is not None:
            self._reserve.close()
            self._reserve = None

    def divert(self, taker: Taker) -> None:
        """Ask a taker about every new connection before it is served; those that were there first are asked
        first."""
        self._takers.append(taker)

    def restore(self, taker: Taker) -> None:
        """Undo one ``divert``."""
        self._takers.remove(taker)

    def admit(
        self,
        connection: socket.socket,
        tls: ssl.SSLContext | None = None,
        make: Callable[[], asyncio.Protocol] | None = None,
    ) -> None:
        """Serve a connection that a taker has: as ever, or with another TLS context, or, without TLS, by
        another protocol."""
        task = asyncio.get_running_loop().create_task(self._serve(connection, tls, make))
        self._admitting.add(task)
        task.add_done_callback(self._admitting.discard)

    def park(self, connection: socket.socket) -> None:
        """Keep a connection that a taker has, unread."""
        self._parked.append(connection)

    def admit_parked(self) -> None:
        """Serve the parked connections, in the order in which they came."""
        parked, self._parked = self._parked, []
        for connection in parked:
            self.admit(connection)

    def reset_parked(self) -> int:
        """Reset the parked connections. Returns how many there were."""
        parked, self._parked = self._parked, []
        for connection in parked:
            reset_on_close(connection)
            connection.close()
        return len(parked)

    def _watch(self) -> None:
        # Not by the loop's own server: uvloop's takes one connection in each of its steps, and a busy loop
        # makes a few hundred of them in a second. Clients that need more connections would wait in vain.
        assert self._socket is not None
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._accept)

    def _accept_no_more(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(RuntimeError):  # no loop runs: nothing was begun
                asyncio.get_running_loop().remove_reader(self._socket.fileno())

    def _accept(self) -> None:
        """Take every connection that waits."""
        listening = self._socket
        for _ in range(BACKLOG):
            if listening is None or self._socket is not listening:
                return  # a taker has ended the listening
            try:
                connection, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._rest()
                return
            connection.setblocking(False)
            if not any(taker(connection) for taker in tuple(self._takers)):
                self.admit(connection)

    def _rest(self) -> None:
        # The clients wait in the system's queue until a descriptor is free.
        listening = self._socket
        assert listening is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())

        def again() -> None:
            if self._socket is listening:
                self._watch()

        loop.call_later(_DESCRIPTORS_AGAIN, again)

    async def _serve(
        self,
        connection: socket.socket,
        tls: ssl.SSLContext | None,
        make: Callable[[], asyncio.Protocol] | None,
    ) -> None:
        tls = None if make is not None else tls or self.tls
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                make or self._make,
                connection,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else HANDSHAKE_LIMIT,
                ssl_shutdown_timeout=None if tls is None else FAREWELL_LIMIT,
            )
        except OSError:
            connection.close()  # the client has left, or didn't like the handshake
        except asyncio.CancelledError:
            connection.close()
            raise

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


def reset_on_close(connection: socket.socket) -> None:
    """Closing it will send RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def unacknowledged(descriptor: int) -> int:
    """Bytes of a TCP connection that the other side's system has not acknowledged; 0 where the system doesn't
    tell. A reset throws them away."""
    size = bytearray(4)
    try:
        fcntl.ioctl(descriptor, termios.TIOCOUTQ, size)  # Linux, tcp(7): SIOCOUTQ, the same number
    except OSError:
        return 0
    return int.from_bytes(size, sys.byteorder)
