"""How bytes get to a server and back: a non-blocking socket, with TLS or without."""

from __future__ import annotations

import _socket
import socket
from typing import Protocol

from gevent import ssl

SEGMENT = 65536
"""Bytes read at a time."""


class Transport(Protocol):
    """A connection that has been made. What goes out is sealed first, once, and then sent, in as many pieces
    as it takes."""

    def fileno(self) -> int: ...

    def seal(self, data: bytes) -> bytes:
        """What has to be sent to say this."""

    def send(self, sealed: bytes) -> int:
        """How many bytes left. Raises BlockingIOError (none at the moment) or another OSError (the connection
        is lost, and none of these bytes left)."""

    def receive(self) -> bytes:
        """What has come, ``b""`` if the other end has closed. Raises BlockingIOError (nothing yet) or another
        OSError (the connection is lost)."""

    def idle(self) -> bool:
        """Whether the other end is still there, and has sent nothing that nobody asked for."""

    def close(self) -> None: ...


class PlainTransport:
    """TCP."""

    __slots__ = ("_socket", "close", "fileno", "send")

    def __init__(self, plain: _socket.socket) -> None:
        self._socket = plain
        self.fileno = plain.fileno
        self.send = plain.send
        self.close = plain.close

    def seal(self, data: bytes) -> bytes:
        return data

    def receive(self) -> bytes:
        return self._socket.recv(SEGMENT)

    def idle(self) -> bool:
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


class TlsTransport:
    """TLS over TCP, with the handshake done."""

    __slots__ = ("_ended", "_received", "_socket", "_tls", "_to_send", "close", "fileno", "send")

    def __init__(
        self,
        plain: _socket.socket,
        tls: ssl.SSLObject,
        received: ssl.MemoryBIO,
        to_send: ssl.MemoryBIO,
    ) -> None:
        self._socket = plain
        self._tls = tls
        self._received = received
        self._to_send = to_send
        self._ended = False  # the other end has ended TLS
        self.fileno = plain.fileno
        self.send = plain.send
        self.close = plain.close

    def seal(self, data: bytes) -> bytes:
        self._tls.write(data)
        return bytes(self._to_send.read())

    def receive(self) -> bytes:
        data = self._socket.recv(SEGMENT)
        if not data:
            if self._ended:
                return b""
            # Told here: some versions of Python take this for an end of TLS itself.
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "unexpected eof, TLS had not been ended")
        self._received.write(data)
        # What TLS itself has to answer (a change of keys) waits for the next request: nothing may come
        # between the pieces of one that is still being sent.
        parts = []
        try:
            while part := self._tls.read(SEGMENT):
                parts.append(part)
            self._ended = True
        except ssl.SSLWantReadError:
            if not parts:
                raise BlockingIOError from None
        return b"".join(parts)

    def idle(self) -> bool:
        try:
            self.receive()
        except BlockingIOError:
            return True  # nothing came, or what TLS tells for itself: session tickets
        except OSError:
            return False
        return False
