"""A raw listener: it keeps what comes in byte by byte, and answers with what it was given."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple


class Recorded(NamedTuple):
    """One request as it came; ``headers`` in their order, names lower-cased."""

    raw: bytes
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The only header of this name; None without one."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None


def read(raw: bytes) -> Recorded:
    """A request of which all bytes are there."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, version = line.split(" ")
    assert version == "HTTP/1.1"
    headers = tuple(
        (name.lower(), value.strip()) for name, _, value in (field.partition(":") for field in fields)
    )
    return Recorded(raw, method, target, headers, body)


class Listener:
    """Answers every request with the status and the JSON of the first pattern that fits its target, and closes
    the connection.

    Attributes:
        requests: What came, in order.
        url: Where it listens.
    """

    def __init__(self, answers: Mapping[str, tuple[int, object]]) -> None:
        self.requests: list[Recorded] = []
        self._answers = answers
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data or len(data) < _end(data):
            received = connection.recv(65536)
            if not received:
                return
            data += received
        request = read(data)
        self.requests.append(request)
        status, body = next(
            answer for pattern, answer in self._answers.items() if re.fullmatch(pattern, request.target)
        )
        content = json.dumps(body).encode()
        connection.sendall(
            b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            % (status, len(content))
            + content
        )


def _end(data: bytes) -> int:
    head = data.index(b"\r\n\r\n") + 4
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", data[:head])
    return head + (int(length[1]) if length else 0)
