"""A Stripe mock on which faults come and go, and raw clients that see what is on the wire."""

from __future__ import annotations

import socket
import ssl
from typing import Any
from urllib.parse import urlencode

from journal.records import GatewayRequest, Movement
from mocks.faults import FaultPlan
from mocks.listener import reset_on_close
from tests.mocks.faulting import Faulting
from tests.mocks.running import stripe_payment

MS = 1_000_000
LONG = 3600 * 10**9
PAY = "/v1/payment_intents"
CREATE = "payment_intents.create"


def plan(
    fault: str, *, id: str = "f1", endpoint: str | None = None, share: float = 1.0, **params: Any
) -> FaultPlan:
    """A fault that is on until it is cleared."""
    return FaultPlan(id=id, fault=fault, at_ns=0, for_ns=LONG, endpoint=endpoint, share=share, params=params)


class Faulty(Faulting):
    """A mock, with what tests of faults ask of it."""

    @property
    def captures(self) -> int:
        """How many payments were made."""
        return self.thread.call(self.captured)

    def captured(self) -> int:
        """The same, for who is on the mock's loop."""
        return sum(
            isinstance(record, Movement) and record.kind == "capture" for record in self.writer.records
        )

    def ended(self) -> int:
        """How many requests were answered or lost; for who is on the mock's loop."""
        return sum(isinstance(record, GatewayRequest) for record in self.writer.records)


def payment(order: str = "o1", key: str = "", http: str = "1.1", more: str = "") -> bytes:
    """The bytes of a request that pays."""
    body = urlencode(stripe_payment(order)).encode()
    head = f"POST {PAY} HTTP/{http}\r\nHost: x\r\nAuthorization: Bearer sk_test_1\r\n{more}"
    if key:
        head += f"Idempotency-Key: {key}\r\n"
    head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Raw:
    """A connection that tells every byte and every end of it apart. TLS is done apart from the socket: Python's
    own TLS sockets report a reset as an ordinary end."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, window: int = 0) -> None:
        self.socket = socket.socket()
        self._ahead = b""
        self._over = False
        self._tls: ssl.SSLObject | None = None
        try:
            if window:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            self.socket.settimeout(15)
            self.socket.connect(("127.0.0.1", port))
            if tls is not None:
                self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
                self._tls = tls.wrap_bio(self._in, self._out, server_hostname="localhost")
                self._shake_hands(self._tls)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        if self._tls is not None:
            self._tls.write(data)
            data = self._out.read()
        self.socket.sendall(data)

    def _shake_hands(self, tls: ssl.SSLObject) -> None:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                self._in.write(self._received())
            else:
                self.socket.sendall(self._out.read())
                return

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """One whole answer. Raises EOFError when the connection ends before."""
        while b"\r\n\r\n" not in self._ahead:
            self._more()
        head, _, self._ahead = self._ahead.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = int(headers["content-length"])
        while len(self._ahead) < size:
            self._more()
        body, self._ahead = self._ahead[:size], self._ahead[size:]
        return int(status.split()[1]), headers, body

    def some(self) -> bytes:
        """What is not read as an answer yet, after more of it has come."""
        self._more()
        return self._ahead

    def reset_on_close(self) -> None:
        """Leave with RST: who only closes looks for a while as if it still listened."""
        reset_on_close(self.socket)

    def rest(self) -> tuple[bytes, str]:
        """All that comes until the end, and how that is: ``closed`` or ``reset``."""
        try:
            while True:
                self._more()
        except EOFError:
            return self._ahead, "closed"
        except ConnectionResetError:
            return self._ahead, "reset"

    def silent(self, seconds: float = 0.05) -> bool:
        """Whether nothing comes for a while, not even an end."""
        self.socket.settimeout(seconds)
        try:
            self._more()
        except TimeoutError:
            return True
        except (EOFError, ConnectionError):
            return False
        finally:
            self.socket.settimeout(15)
        return False

    def _more(self) -> None:
        if self._over:
            raise EOFError
        data = self._received()
        if self._tls is None:
            self._ahead += data
            return
        self._in.write(data)
        while True:
            try:
                data = self._tls.read(65536)
            except ssl.SSLWantReadError:
                return
            if not data:
                self._over = True  # with what came before it, if anything did
                return
            self._ahead += data

    def _received(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        return data


def head_and_body(data: bytes) -> tuple[bytes, bytes, int]:
    """What of an answer came, and how long its body was to be."""
    head, end, body = data.partition(b"\r\n\r\n")
    size = next(
        int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")
    )
    return head + end, body, size
