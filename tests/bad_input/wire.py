"""A client that sends whatever bytes it is given, and reads whole answers."""

from __future__ import annotations

import contextlib
import socket
from typing import NamedTuple


class Answer(NamedTuple):
    """Header names are lower-cased."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One connection to a port of loopback; a new one is made when the server has closed the last."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._read = b""

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, data: bytes) -> None:
        """Send bytes; what a server no longer takes is left out: its answer says why."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            self._read = b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def end(self) -> None:
        """Close the sending side."""
        assert self._socket is not None
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def answer(self, method: str = "GET") -> Answer:
        """The next answer. Raises EOFError when the server closes without one."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split()[1])
        if status < 200:
            return self.answer(method)
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        size = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        while len(self._read) < size:
            self._more()
        body, self._read = self._read[:size], self._read[size:]
        if headers.get("connection") == "close":
            self.close()
        return Answer(status, headers, body)

    def call(self, method: str, target: bytes, headers: dict[str, str], body: bytes = b"") -> Answer:
        """One well-formed request around whatever target, headers and body are."""
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: x"]
        lines += [f"{name}: {value}".encode("latin-1") for name, value in headers.items()]
        lines.append(b"Content-Length: %d" % len(body))
        self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        return self.answer(method)

    def _more(self) -> None:
        piece = b"" if self._socket is None else self._socket.recv(1 << 16)
        if not piece:
            self.close()
            raise EOFError
        self._read += piece
