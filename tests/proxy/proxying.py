"""A proxy on a loop thread with everything it writes kept in memory, and an origin that speaks raw bytes."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from mocks.faults import FaultPlan
from mocks.proxy.proxy import Proxy
from mocks.proxy.service import ProxyService
from tests.mocks.running import Memory, ServiceRun

LONG = 3600 * 10**9


def plan(fault: str, **more: Any) -> FaultPlan:
    """A fault that is on for the whole test."""
    values: dict[str, Any] = {"id": "f1", "fault": fault, "at_ns": 0, "for_ns": LONG}
    return FaultPlan(**(values | more))


class Proxying(ServiceRun[ProxyService]):
    """One proxy, from ``with`` to its end."""

    def __init__(
        self, to: str, *, faults: tuple[FaultPlan, ...] = (), as_: str | None = None, **more: object
    ) -> None:
        plan = {"to": to, "as": as_, "seed": 7, "faults": [fault.message() for fault in faults], **more}
        super().__init__(ProxyService(), plan, Memory())

    @property
    def proxy(self) -> Proxy:
        assert self.service.proxy is not None
        return self.service.proxy

    def socket(self) -> socket.socket:
        """A client's connection for raw bytes; closed with the proxy at the latest."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self._open.append(made)
        return made


def call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """One call with the standard library's client; header names are lower-cased."""
    connection.request(method, path, body=body, headers=dict(headers or {}))
    with connection.getresponse() as response:
        return (
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )


class Origin:
    """A server that hands each connection to a script in a thread of its own."""

    def __init__(self, script: Callable[[socket.socket], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.accepted = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Origin:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(5)
        self._listener.close()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for connection in self._sockets:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._sockets.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._script(connection)


class Exact:
    """The script of an origin that reads exactly the next expected request and answers the next bytes."""

    def __init__(self) -> None:
        self.expected = 0
        self.answer = b""
        self.closes = False
        self.received = b""

    def prepare(self, expected: int, answer: bytes, *, closes: bool = False) -> None:
        self.expected, self.answer, self.closes, self.received = expected, answer, closes, b""

    def __call__(self, connection: socket.socket) -> None:
        while True:
            received = bytearray()
            while len(received) < self.expected or not received:
                data = connection.recv(65536)
                if not data:
                    self.received = bytes(received) or self.received
                    return
                received += data
            self.received = bytes(received)
            connection.sendall(self.answer)
            if self.closes:
                connection.close()
                return


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer if the peer ends."""
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return bytes(data)


def read_to_end(connection: socket.socket) -> bytes:
    """All bytes until the peer closes."""
    return read_exactly(connection, 1 << 40)
