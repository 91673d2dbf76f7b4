"""The tether: what ties a child process to the conductor.

One socket pair per child, handed over as an inherited file descriptor. The conductor sends the child its
plan; the child says ``ready`` (with the port it bound); a gateway is told where its ``webhooks`` go; the
conductor says ``go`` with the epoch of the run. When the conductor's end closes, for whatever reason, the
child ends itself: no child outlives a drill, not even after ``kill -9`` of the conductor. Messages are
JSON, one a line.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

import orjson

FD_VARIABLE = "PAYDRILL_TETHER"
"""Environment variable that holds the number of the child's file descriptor."""

Message = dict[str, Any]


class TetherBrokenError(ConnectionError):
    """The other end of the tether is gone."""


class Tether:
    """One end of a tether. Blocking; under gevent, sockets made after monkey patching cooperate."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._rest = b""

    @classmethod
    def pair(cls) -> tuple[Tether, socket.socket]:
        """A tether for the conductor, and the socket to hand to the child."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    @classmethod
    def of_this_process(cls) -> Tether | None:
        """The child's end, or ``None`` in a process that no conductor started."""
        number = os.environ.get(FD_VARIABLE)
        return cls(socket.socket(fileno=int(number))) if number else None

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, message: Message) -> None:
        """Raises TetherBrokenError when the other end is gone."""
        try:
            self.socket.sendall(orjson.dumps(message) + b"\n")
        except OSError as error:
            raise TetherBrokenError(str(error)) from error

    def receive(self, timeout: float | None = None) -> Message:
        """The next message.

        Raises:
            TetherBrokenError: The other end is gone.
            TimeoutError: Nothing came within ``timeout`` seconds.
        """
        self.socket.settimeout(timeout)
        try:
            while b"\n" not in self._rest:
                try:
                    data = self.socket.recv(65536)
                except TimeoutError:
                    raise
                except OSError as error:
                    raise TetherBrokenError(str(error)) from error
                if not data:
                    raise TetherBrokenError("the other end has closed")
                self._rest += data
        finally:
            with contextlib.suppress(OSError):
                self.socket.settimeout(None)
        line, self._rest = self._rest.split(b"\n", 1)
        message: Message = orjson.loads(line)
        return message

    def close(self) -> None:
        self.socket.close()
